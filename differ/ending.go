package differ

import (
	"time"

	"rollcall"
)

// ended takes in that the single-meeting query says the meeting is over.
func (s *step) ended() {
	if s.over() {
		return
	}
	reason := rollcall.ReasonStatus
	if s.look.Reason == rollcall.ReasonResourceClosed {
		reason = s.look.Reason
	}
	s.end(reason, &rollcall.Answer{})
}

// missed counts that DingTalk does not know the meeting, and ends it when that
// went on for long enough.
func (s *step) missed(limit int) {
	if s.over() {
		return
	}
	s.next.Misses++
	if s.next.Misses < limit {
		return
	}
	if s.first && s.was == (rollcall.Conference{}) { // nobody ever saw it: it cannot have ended
		s.takeOff(rollcall.ReasonUnknownMeeting)
		return
	}
	s.terms.Provenance = rollcall.ProvenanceInferred // nobody said that it ended
	s.end(rollcall.ReasonVanished, &rollcall.Answer{})
}

// end closes the meeting. Of the answer only kicked-out people count: it says
// nothing else.
func (s *step) end(reason rollcall.Reason, a *rollcall.Answer) {
	s.open()
	s.ending = reason
	s.people = s.farewell(a)
	n := s.next
	n.Meeting.Status, n.Meeting.EndTime = rollcall.StatusEnded, s.look.EndTime
	n.EndReason, n.EndedAt = reason, s.endedAt()
	s.clear()
}

// endedAt is when the meeting that the step ends did so, as far as is known.
// Nobody was there any longer.
func (s *step) endedAt() time.Time {
	if t := endTime(s); !t.IsZero() {
		return t
	}
	return s.window.Before
}

// clear leaves nobody in the record, and nothing that the next poll would
// have to go on with.
func (s *step) clear() {
	n := s.next
	n.Roster, n.Memory, n.Partial, n.Misses = nil, nil, nil, 0
	n.Unlisted, n.Forgotten = false, false
}

// farewell sees everybody of the roster off.
func (s *step) farewell(a *rollcall.Answer) []person {
	if len(s.roster) == 0 {
		return nil
	}
	var told []person
	if a.Listed {
		told = s.compare(s.read(a, &desk{}))
	}
	people := make([]person, 0, len(s.roster))
	for all := s.known(); all.more(); {
		k := all.next()
		if !k.who.Attendance.InRoster() {
			continue
		}
		for len(told) > 0 && told[0].is.Key < k.who.Key {
			told = told[1:]
		}
		people = append(people, leaveAtEnd(k, told))
	}
	return people
}

// leaveAtEnd sees one person off; told begins with what the last answer says
// of this person, if it says anything new.
func leaveAtEnd(k known, told []person) person {
	p := person{was: k.who, is: k.who, before: k.gone, now: k.gone, half: k.half}
	code := rollcall.AttendanceLeft
	if len(told) > 0 && told[0].is.Key == k.who.Key {
		p.now, p.grown = told[0].now, told[0].grown
		// Somebody who was only invited cannot be thrown out.
		if p.was.Attendance == rollcall.AttendancePresent && told[0].is.Attendance == rollcall.AttendanceKickedOut {
			code = rollcall.AttendanceKickedOut
		}
	}
	p.leave(code, "")
	return p
}

// untrack takes in that the meeting is no longer to be watched.
func (s *step) untrack() {
	if s.over() || s.prev.Untracked {
		return
	}
	reason := rollcall.ReasonNone
	switch s.look.Reason {
	case rollcall.ReasonOperator, rollcall.ReasonExpired:
		reason = s.look.Reason
	}
	s.takeOff(reason)
}

// takeOff empties the roster of a meeting that goes on without being watched.
// Nobody left: that is why one event stands for all.
func (s *step) takeOff(reason rollcall.Reason) {
	s.open()
	s.untracking = true
	n := s.next
	n.Untracked, n.EndReason, n.EndedAt = true, reason, s.window.Before
	s.clear()
}

// summarize takes in that the exact times of an ended meeting were read, once.
func (s *step) summarize() {
	if !s.over() || s.prev.Summarized {
		return
	}
	s.summarizing = true
	s.next.Summarized = true
	if t := s.look.EndTime; !t.IsZero() && !t.After(s.window.Before) {
		s.next.EndedAt, s.next.Meeting.EndTime = t, t
	}
}
