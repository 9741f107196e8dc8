package dingtalk

import (
	"rollcall"
	"rollcall/poller"
)

// readAnswers reads the answer of a batch query. One without a list of meetings
// tells nothing about any, unless it tells what is wrong.
func (x *exchange) readAnswers(a answer, ids []string) (poller.Answers, error) {
	answers, listed, ok := split(a.body, ids)
	if listed {
		return answers, nil
	}
	fault, known := x.judge(a, "the answer is not a JSON object")
	switch {
	case known:
		fault.Detail = ""
		return poller.Answers{}, fault
	case !ok:
		return poller.Answers{}, fault
	}
	return answers, nil
}

// readStanding reads the answer of the single-meeting query.
func (x *exchange) readStanding(a answer, id string) (poller.Standing, error) {
	var info []byte
	whole := pick(a.body, func(key, value []byte) {
		if isKey(key, "confInfo") {
			info = value
		}
	})
	standing, about, ok := standingOf(info)
	if !whole || !ok {
		return poller.Standing{}, x.fault(a, "the answer tells nothing about the meeting")
	}
	if about != "" && about != id {
		return poller.Standing{}, x.fault(a, "the answer is about another meeting")
	}
	return standing, nil
}

// standingOf reads a meeting and its id. The link to the meeting holds a token
// of its own and is never looked at.
func standingOf(info []byte) (s poller.Standing, about string, ok bool) {
	d := decoder{answer: new(rollcall.Answer)} // nobody asks for the oddities
	ok = pick(info, func(key, value []byte) {
		switch {
		case isKey(key, "conferenceId"):
			about = idOf(value)
		case isKey(key, "title"):
			s.Title = d.text("title", value)
		case isKey(key, "status"):
			s.Status = coded(&d, "status", value, statuses)
		case isKey(key, "startTime"):
			s.StartTime, _ = moment(value)
		case isKey(key, "endTime"):
			s.EndTime, _ = moment(value)
		}
	})
	return s, about, ok
}
