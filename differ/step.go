package differ

import (
	"maps"
	"slices"
	"strconv"
	"time"

	"rollcall"
)

// step is the way from one record to the next.
type step struct {
	look  Look
	prev  *rollcall.Record // nil: never recorded
	first bool             // no look of this epoch said anything before this one
	fresh bool             // no whole list was read before this look since the watch began, or began anew

	// terms and window hold for every event of the step that has no own.
	terms  rollcall.Partial
	window rollcall.Window

	// What was known before; nothing, once a first poll has opened its epoch.
	was    rollcall.Conference
	roster []rollcall.Participant
	memory []rollcall.Memory

	next     *rollcall.Record
	people   []person // those about whom anything changed, by key
	oddities []rollcall.Oddity

	ending                             rollcall.Reason // "" unless this step ends the meeting
	reopening, untracking, summarizing bool
}

// begin sets s, which is new, on its way.
func (s *step) begin(prev *rollcall.Record, look *Look) {
	s.look, s.prev, s.next = *look, prev, &rollcall.Record{}
	s.look.AskedAt, s.look.AnsweredAt = wall(look.AskedAt), wall(look.AnsweredAt)
	s.look.After, s.look.EndTime = wall(look.After), wall(look.EndTime)
	// An epoch of 0 is a record of misses alone: nobody has seen the meeting yet.
	s.first = prev == nil || prev.Untracked || prev.Epoch == 0
	if prev != nil {
		*s.next = *prev
		s.was = prev.Meeting
	}
	s.next.Tenant, s.next.ConferenceID = look.Tenant, look.ConferenceID
	s.next.Labels = s.labels()
	s.next.Number = look.Number
	if s.first || look.sees() {
		s.next.ObservedAt = s.look.AskedAt
	}
	if !s.first {
		s.roster, s.memory = prev.Roster, prev.Memory
	}
	s.fresh = s.first || prev.Unlisted
	s.terms = s.termsOf(prev)
	s.window = rollcall.Window{After: s.terms.WindowAfter, Before: later(look.AnsweredAt, s.terms.WindowAfter)}
}

// labels are those of the meeting from now on, nil where it has none.
func (s *step) labels() rollcall.Labels {
	labels := s.look.Labels
	if labels == nil && s.prev != nil {
		labels = s.prev.Labels
	}
	if len(labels) == 0 {
		return nil
	}
	return labels
}

// wall gives a time as it is stored: times that differ by less, or by more than
// the clock on the wall shows, would be judged otherwise after they were read back.
func wall(t time.Time) time.Time { return t.Truncate(time.Millisecond) }

// termsOf gives the provenance and the start of the window. A poll of which
// only a slice is stored goes on under its own.
func (s *step) termsOf(prev *rollcall.Record) rollcall.Partial {
	switch {
	case s.first:
		return rollcall.Partial{Provenance: rollcall.ProvenanceBaseline}
	case prev.Partial != nil:
		return *prev.Partial
	}
	return rollcall.Partial{Provenance: rollcall.ProvenanceObserved, WindowAfter: later(prev.ObservedAt, s.look.After)}
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

// open begins an epoch on the first poll.
func (s *step) open() {
	if !s.first {
		return
	}
	s.was = rollcall.Conference{}
	*s.next = rollcall.Record{
		Tenant: s.look.Tenant, ConferenceID: s.look.ConferenceID, Epoch: s.newEpoch(),
		ObservedAt: s.look.AskedAt, Number: s.look.Number, Labels: s.labels(),
	}
}

// newEpoch gives an epoch that is newer than the one it replaces, whatever the
// clock says.
func (s *step) newEpoch() int64 { return max(s.look.AnsweredAt.UnixMilli(), s.next.Epoch+1) }

// over reports whether the meeting had ended before this look.
func (s *step) over() bool { return s.was.Status == rollcall.StatusEnded }

// listed takes in what the batch query says.
func (s *step) listed() {
	a := s.look.Answer
	if a == nil {
		a = &rollcall.Answer{}
	}
	s.oddities = slices.Clip(a.Oddities)
	if s.over() && !s.reopens(a.Status) {
		return
	}
	if a.Status == rollcall.StatusEnded {
		s.end(rollcall.ReasonStatus, a)
		return
	}
	s.open()
	s.next.Misses = 0
	s.hear(a)
	s.meet(a)
}

// reopens decides about an answer that comes after the end: only a meeting
// that says it is started begins anew.
func (s *step) reopens(status rollcall.Status) bool {
	if status == rollcall.StatusInitialized {
		s.stepBack(status)
	}
	if status != rollcall.StatusStarted {
		return false
	}
	s.reopening, s.fresh = true, true
	s.next.Meeting.EndTime = time.Time{}
	s.next.EndReason, s.next.EndedAt, s.next.Summarized = "", time.Time{}, false
	return true
}

func (s *step) stepBack(status rollcall.Status) {
	s.odd("status", status.String()+" after "+s.was.Status.String())
}

// odd notes a value, or a step, that is ignored.
func (s *step) odd(field, value string) {
	s.oddities = append(s.oddities, rollcall.Oddity{Field: field, Value: value})
}

// hear takes in what the answer says of the meeting as a whole. What it leaves
// out stays as before.
func (s *step) hear(a *rollcall.Answer) {
	m := &s.next.Meeting
	if a.Title != "" {
		m.Title = a.Title
	}
	if !a.StartTime.IsZero() && !a.StartTime.Equal(m.StartTime) {
		m.StartTime = a.StartTime
	}
	switch {
	case a.Status == rollcall.StatusStarted:
		m.Status = a.Status
	case a.Status == rollcall.StatusInitialized && m.Status == rollcall.StatusStarted:
		s.stepBack(a.Status)
	case a.Status == rollcall.StatusInitialized:
		m.Status = a.Status
	}
	switch {
	case a.MediaGiven && a.Media < 0: // a set of bits has no sign
		s.odd("mediaStatus", strconv.FormatInt(int64(a.Media), 10))
	case a.MediaGiven:
		m.Media = a.Media
	}
}

// meet takes in what the answer says of people.
func (s *step) meet(a *rollcall.Answer) {
	s.next.Unlisted = s.fresh
	if !a.Listed {
		return
	}
	var d desk
	list := s.read(a, &d)
	s.next.Unlisted = s.fresh && list.partial
	s.people = s.compare(list)
	if !list.partial {
		s.next.Partial = nil // everybody has been looked at: nothing of the cut poll is left to tell
	}
	if len(s.people) > 0 {
		s.next.Roster = rosterOf(s.roster, s.people)
		s.next.Memory = s.bounded(memoryOf(s.memory, s.people))
	}
}

// result closes the step. Only one that has something to tell is on the heap,
// where the rules get hold of it, and Slice.
func (s *step) result(table []rule) Result {
	if len(s.next.Roster) == 0 {
		s.next.Roster = nil
	}
	s.next.Meeting.Present = present(s.next.Roster)
	r := Result{Record: s.next, Oddities: s.oddities}
	if !s.idle() {
		told := *s
		r.Events, r.step = told.tell(table), &told
		r.Record.Sequence += uint64(len(r.Events))
	}
	r.Changed = len(r.Events) > 0 || s.changed()
	return r
}

// idle reports that no rule can hold, as all that rules look at is as before.
func (s *step) idle() bool {
	return !s.first && !s.untracking && !s.summarizing && len(s.people) == 0 && s.next.Meeting == s.was
}

// changed reports whether the next record says more than that somebody looked,
// told or not.
func (s *step) changed() bool {
	if s.prev == nil || len(s.people) > 0 {
		return true
	}
	n, p := s.next, s.prev
	return n.Meeting != p.Meeting || n.Misses != p.Misses || n.Partial != p.Partial || n.Epoch != p.Epoch || n.Unlisted != p.Unlisted ||
		!maps.Equal(n.Labels, p.Labels)
}

func present(roster []rollcall.Participant) (n int) {
	for i := range roster {
		if roster[i].Attendance == rollcall.AttendancePresent {
			n++
		}
	}
	return n
}
