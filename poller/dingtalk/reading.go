package dingtalk

import (
	"fmt"
	"time"

	"rollcall"
	"rollcall/poller"
)

// readAnswers reads the answer of a batch query. One that lists no meetings says
// nothing about any, and is a failure, other than an empty list; so is a list
// whose entries cannot be distinguished.
func (x *exchange) readAnswers(a answer, ids []string, known [][]byte) (poller.Answers, error) {
	answers, listed, wry, ok := split(a.body, ids, known)
	silent := len(answers.Found)+len(answers.Malformed)+answers.Unasked == 0
	if !listed || wry {
		if err := x.refused(a, silent); err != nil {
			return poller.Answers{}, err
		}
	}
	switch {
	case !ok:
		return poller.Answers{}, x.fault(a, fmt.Sprintf("the answer is not a JSON object, or lists more than %d people", maxCrowd))
	case !listed:
		return poller.Answers{}, x.fault(a, "the answer holds no list of meetings")
	case silent && !answers.Complete:
		return poller.Answers{}, x.fault(a, "the answer's list names no meeting")
	}
	answers.Detached = true
	return answers, nil
}

// readStanding reads the answer of the single-meeting query.
func (x *exchange) readStanding(a answer, id string) (poller.Standing, error) {
	var info []byte
	whole := pick(a.body, func(name, value []byte) {
		if string(name) == "confInfo" {
			info = value
		}
	})
	standing, about, ok := standingOf(info)
	if err := x.refused(a, !whole || !ok); err != nil {
		return poller.Standing{}, err
	}
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
	var odd oddities // nobody asks for them
	attended, lasted := int64(-1), int64(0)
	ok = pick(info, func(name, value []byte) {
		switch string(name) {
		case "conferenceId":
			about = idOf(value)
		case "title":
			s.Title = string(odd.text("title", wordsOf(value)))
		case "status":
			s.Status = coded(&odd, "status", value, statuses)
		case "startTime":
			s.StartTime, _ = moment(value)
		case "endTime":
			s.EndTime, _ = moment(value)
		case "attendNum":
			if n, ok := integer(value); ok {
				attended = n
			}
		case "confDuration":
			lasted, _ = integer(value)
		}
	})
	if s.Status == rollcall.StatusEnded && attended == 0 && lasted <= 0 {
		s.StartTime = time.Time{} // it was called off
	}
	return s, about, ok
}
