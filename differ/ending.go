package differ

import (
	"time"

	"rollcall"
)

// ended takes in that the single-meeting query says the meeting is over.
func (t *transition) ended() {
	if t.over() {
		return
	}
	reason := rollcall.ReasonStatus
	if t.look.Reason == rollcall.ReasonResourceClosed {
		reason = t.look.Reason
	}
	t.end(reason, &rollcall.Answer{})
}

// missed counts that DingTalk does not know the meeting, and ends it when that
// went on for long enough.
func (t *transition) missed(limit int) {
	if t.over() {
		return
	}
	t.next.Misses++
	if t.next.Misses < limit {
		return
	}
	if t.first && t.was == (rollcall.Conference{}) { // nobody ever saw it: it cannot have ended
		t.takeOff(rollcall.ReasonUnknownMeeting)
		return
	}
	t.terms.Provenance = rollcall.ProvenanceInferred // nobody said that it ended
	t.end(rollcall.ReasonVanished, &rollcall.Answer{})
}

// end closes the meeting. Of the answer only kicked-out people count: it says
// nothing else.
func (t *transition) end(reason rollcall.Reason, a *rollcall.Answer) {
	t.open()
	t.ending = reason
	t.people = t.farewell(a)
	n := t.next
	if t.unseen = tookPlace(t); t.unseen {
		t.terms.Provenance, n.Meeting.StartTime = rollcall.ProvenanceReconciled, t.look.StartTime
	}
	n.Meeting.Status, n.Meeting.EndTime = rollcall.StatusEnded, t.look.EndTime
	n.EndReason, n.EndedAt = reason, t.endedAt()
	t.clear()
}

// endedAt is when the meeting that the transition ends did so, as far as is known.
// Nobody was there any longer.
func (t *transition) endedAt() time.Time {
	if at := endTime(t); !at.IsZero() {
		return at
	}
	return t.window.Before
}

// clear leaves nobody in the record, and nothing that the next poll would
// have to go on with.
func (t *transition) clear() {
	n := t.next
	n.Roster, n.Memory, n.Partial, n.Misses = nil, nil, nil, 0
	n.Unlisted, n.Forgotten, n.RolesAt = false, false, time.Time{}
}

// farewell sees everybody of the roster off.
func (t *transition) farewell(a *rollcall.Answer) []person {
	if len(t.roster) == 0 {
		return nil
	}
	var told []person
	c := t.comparison()
	if a.Listed {
		told = c.compare(c.read(a, &scratch{}))
		t.oddities = append(t.oddities, c.oddities...)
	}
	people := make([]person, 0, len(t.roster))
	for all := c.known(); all.more(); {
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

// leaveAtEnd lets one person leave; told begins with what the last answer says
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
func (t *transition) untrack() {
	if t.over() || t.prev.Untracked {
		return
	}
	reason := rollcall.ReasonNone
	switch t.look.Reason {
	case rollcall.ReasonOperator, rollcall.ReasonExpired:
		reason = t.look.Reason
	}
	t.takeOff(reason)
}

// takeOff empties the roster of a meeting that goes on without being watched.
// Nobody left: that is why one event stands for all.
func (t *transition) takeOff(reason rollcall.Reason) {
	t.open()
	t.untracking = true
	n := t.next
	n.Untracked, n.EndReason, n.EndedAt = true, reason, t.window.Before
	t.clear()
}

// summarize takes in what is known of an ended meeting, once.
func (t *transition) summarize() {
	if !t.over() || t.prev.Summarized || t.look.Sequence > 0 && t.look.Sequence != t.prev.Sequence {
		return
	}
	t.summarizing = true
	t.next.Summarized = true
	if at := t.look.EndTime; !at.IsZero() && !at.After(t.window.Before) {
		t.next.EndedAt, t.next.Meeting.EndTime = at, at
	}
}
