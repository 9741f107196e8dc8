package dingtalk

import (
	"time"

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

// readStanding reads the answer of the single-meeting query. The link to the
// meeting holds a token of its own and is never looked at.
func (x *exchange) readStanding(a answer, id string) (poller.Standing, error) {
	var info []byte
	whole := pick(a.body, func(key, value []byte) {
		if isKey(key, "confInfo") {
			info = value
		}
	})
	d := decoder{answer: new(rollcall.Answer)}
	var about string
	var end time.Time
	ok := pick(info, func(key, value []byte) {
		switch {
		case isKey(key, "conferenceId"):
			raw, _ := idBytes(value)
			about = string(raw)
		case isKey(key, "title"):
			d.answer.Title = d.text("title", value)
		case isKey(key, "status"):
			d.answer.Status = coded(&d, "status", value, statuses)
		case isKey(key, "startTime"):
			d.answer.StartTime, _ = moment(value)
		case isKey(key, "endTime"):
			end, _ = moment(value)
		}
	})
	if !whole || !ok {
		return poller.Standing{}, x.fault(a, "the answer tells nothing about the meeting")
	}
	if about != "" && about != id {
		return poller.Standing{}, x.fault(a, "the answer is about another meeting")
	}
	return poller.Standing{
		Status: d.answer.Status, Title: d.answer.Title, StartTime: d.answer.StartTime, EndTime: end,
	}, nil
}
