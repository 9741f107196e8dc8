package differ

import (
	"slices"
	"time"

	"rollcall"
)

// Slice returns the record as of after the first n of the result's events, for a
// result that is too large for one commit; prev is the record that the result
// was made from. A later Diff against it goes on under the same provenance and
// window: it returns what is missing, and nothing twice. With n at
// len(r.Events) it is r.Record itself.
//
// Its roster is, as ever, what the events so far fold to.
//
// Four things can differ from the uncut events. The renaming of somebody who
// is called again with a new nick is lost when the cut falls between departure
// and call; the call shows the new nick. The rest about gone people of one nick
// without user ids may stand under each other's number, so that one who was invited
// declines where one who was joining failed to join. Of a list with
// unreadable entries, such people may have to wait for a whole list. And one of
// them whose code says nothing is as before the cut.
func (r Result) Slice(prev *rollcall.Record, n int) *rollcall.Record {
	if n >= len(r.Events) {
		return r.Record
	}
	if r.anew != nil {
		told := len(r.anew.Events)
		if n < told {
			return r.sliceAnew(n)
		}
		prev, n = r.anew.Record, n-told
		r.Events = r.Events[told:]
	}
	t, told := r.transition, r.Events[:n]
	rec := origin(t, prev)
	rec.Sequence += uint64(n)
	rec.ObservedAt, rec.Number, rec.Labels = r.Record.ObservedAt, r.Record.Number, r.Record.Labels
	rec.Partial = &rollcall.Partial{Provenance: t.terms.Provenance, WindowAfter: t.terms.WindowAfter}
	if t.ending == "" && !t.untracking && !t.forgetting {
		rec.Misses, rec.Unlisted = r.Record.Misses, t.fresh
	}
	retell(rec, told, r.Record.Meeting)
	rec.Roster = Fold(rec.Roster, told)
	rec.Memory = memoryOf(rec.Memory, cut(t, n, rec.Roster))
	rec.Meeting.Present = present(rec.Roster)
	return rec
}

// origin returns the record that the transition began with. What a first poll says
// without an event is there from the start.
func origin(t *transition, prev *rollcall.Record) *rollcall.Record {
	if !t.first || t.forgetting || t.untracking && prev != nil {
		rec := *prev
		return &rec
	}
	rec := &rollcall.Record{Tenant: t.next.Tenant, ConferenceID: t.next.ConferenceID}
	if t.untracking { // still a record of misses alone
		return rec
	}
	rec.Epoch = t.next.Epoch
	rec.Meeting.Title, rec.Meeting.StartTime = t.next.Meeting.Title, t.next.Meeting.StartTime
	rec.Meeting.Media = t.next.Meeting.Media &^ (rollcall.MediaMicMuted | rollcall.MediaCameraClosed | rollcall.MediaMuteAll)
	if prev != nil {
		rec.Misses, rec.Erased = prev.Misses, prev.Erased
	}
	return rec
}

// retell brings the meeting to where the published events leave it.
func retell(rec *rollcall.Record, told []rollcall.Event, after rollcall.Conference) {
	m := &rec.Meeting
	for i := range told {
		switch told[i].Type {
		case rollcall.MeetingInitialized:
			m.Status = rollcall.StatusInitialized
		case rollcall.MeetingStarted:
			m.Status, m.EndTime = rollcall.StatusStarted, time.Time{}
			rec.EndReason, rec.EndedAt, rec.Summarized = "", time.Time{}, false
		case rollcall.MeetingTitleChanged:
			m.Title = after.Title
		case rollcall.MeetingStartTimeChanged:
			m.StartTime = after.StartTime
		default:
			bit := bitOf(told[i].Type)
			m.Media = m.Media&^bit | after.Media&bit
		}
	}
}

// bitOf returns the bit that an event is about; none for most.
func bitOf(t rollcall.Type) rollcall.Media {
	switch t {
	case rollcall.MeetingMuteAllEnforced, rollcall.MeetingMuteAllLifted:
		return rollcall.MediaMuteAll
	case rollcall.MeetingMicMuted, rollcall.MeetingMicUnmuted:
		return rollcall.MediaMicMuted
	case rollcall.MeetingCameraClosed, rollcall.MeetingCameraOpened:
		return rollcall.MediaCameraClosed
	}
	return 0
}

// cut returns the people as far as the first n events cover them. For those not
// covered yet, the old memory holds. Silent ones are complete.
func cut(t *transition, n int, roster []rollcall.Participant) []person {
	people := make([]person, 0, len(t.people))
	for _, p := range lend(t.people, roster) {
		if p.last > n {
			p = halfway(t, p, p.first < n, roster)
		}
		if p.is.Attendance != rollcall.AttendanceUnknown {
			people = append(people, p)
		}
	}
	return people
}

// lend takes back the growth that people without a user id have used up who
// are called again, as far as the roster still has them present: it is counted
// with another of their nick, whose entry moved.
func lend(of []person, roster []rollcall.Participant) []person {
	people := slices.Clone(of)
	moved := map[loan][]int{} // places in people, from the first one on that may have counts to lend
	for i := range of {
		p := &of[i]
		at, there := find(roster, p.is.Key, 0)
		if p.spent == rollcall.AttendanceUnknown || !there || roster[at].Attendance != rollcall.AttendancePresent {
			continue
		}
		if len(moved) == 0 {
			moved = moves(people)
		}
		owed := loan{p.is.Nick, p.spent}
		for len(moved[owed]) > 0 && !people[moved[owed][0]].grew(p.spent) {
			moved[owed] = moved[owed][1:]
		}
		if len(moved[owed]) > 0 {
			*people[moved[owed][0]].now.of(p.spent)--
		}
	}
	return people
}

// loan is a gone code of a nick.
type loan struct {
	nick string
	code rollcall.Attendance
}

// moves returns where the people are whose entries only moved, by the codes
// they have more of than before.
func moves(people []person) map[loan][]int {
	moved := map[loan][]int{}
	for i := range people {
		if p := &people[i]; p.is.UserID == "" && p.grown == rollcall.AttendanceUnknown {
			for _, code := range wentOrder() {
				if p.grew(code) {
					moved[loan{p.is.Nick, code}] = append(moved[loan{p.is.Nick, code}], i)
				}
			}
		}
	}
	return moved
}

func (p *person) grew(code rollcall.Attendance) bool { return *p.now.of(code) > *p.before.of(code) }

// halfway returns a person with events not yet published. The counts are such
// that the rest is seen to have grown again: those of before, or, since people
// without a user id share theirs, all but their own.
func halfway(t *transition, p person, begun bool, roster []rollcall.Participant) person {
	after := p
	switch {
	case p.was.UserID != "" || p.is.UserID != "":
		p.now = p.before
	case p.grown != rollcall.AttendanceUnknown:
		p.now = tally{}
	}
	p.is = p.was
	i, there := find(roster, after.is.Key, 0)
	switch {
	case begun && !there: // called again: gone, and not yet back
		p.leave(rollcall.AttendanceLeft, "")
		p.is.Nick = after.is.Nick // as the departure shows it
		return p
	case begun:
		p.is = roster[i]
	}
	p.untold = there && renamed(t, &after) && roster[i].Nick != p.was.Nick // an event shows the person as after the poll
	if p.half && !(begun && goes(&after)) || begun && p.visited {
		p.is.Attendance = rollcall.AttendanceLeft // remembered as gone, though there: see person.half
	}
	return p
}
