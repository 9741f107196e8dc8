package differ

import (
	"maps"
	"slices"
	"strconv"
	"time"

	"rollcall"
)

// transition is the way from one record to the next.
type transition struct {
	look  Look
	prev  *rollcall.Record // nil: never recorded
	first bool             // no look of this epoch said anything before this one
	fresh bool             // no whole list was read before this look since the watch began, or began anew

	// terms and window hold for every event of the transition that has no own.
	terms  rollcall.Partial
	window rollcall.Window

	// What was known before; nothing, once a first poll has opened its epoch.
	was    rollcall.Conference
	roster []rollcall.Participant
	memory []rollcall.Memory

	next     *rollcall.Record
	people   []person // those that changed, by key
	oddities []rollcall.Oddity

	unmatched int // see Result

	ending                                         rollcall.Reason // "" unless this transition ends the meeting
	reopening, untracking, summarizing, forgetting bool
	unseen                                         bool // it began and ended while nobody looked
}

// begin sets t, which is new, on its way.
func (t *transition) begin(prev *rollcall.Record, look *Look) {
	t.look, t.prev, t.next = *look, prev, &rollcall.Record{}
	t.look.AskedAt, t.look.AnsweredAt = wall(look.AskedAt), wall(look.AnsweredAt)
	t.look.After, t.look.StartTime, t.look.EndTime = wall(look.After), wall(look.StartTime), wall(look.EndTime)
	// An epoch of 0 is a record of misses alone: nobody has seen the meeting yet.
	t.first = prev == nil || prev.Untracked || prev.Epoch == 0
	if prev != nil {
		*t.next = *prev
		t.was = prev.Meeting
	}
	t.next.Tenant, t.next.ConferenceID = look.Tenant, look.ConferenceID
	t.next.Labels = t.labels()
	t.next.Number = look.Number
	if t.first || look.sees() {
		t.next.ObservedAt = t.look.AskedAt
	}
	if !t.first {
		t.roster, t.memory = prev.Roster, prev.Memory
	}
	t.fresh = t.first || prev.Unlisted
	t.terms = t.termsOf(prev)
	t.window = rollcall.Window{After: t.terms.WindowAfter, Before: later(look.AnsweredAt, t.terms.WindowAfter)}
}

// labels are those of the meeting from now on, nil where it has none.
func (t *transition) labels() rollcall.Labels {
	labels := t.look.Labels
	if labels == nil && t.prev != nil {
		labels = t.prev.Labels
	}
	if len(labels) == 0 {
		return nil
	}
	return labels
}

// wall returns a time as it is stored: times that differ by less, or by more than
// the clock on the wall shows, would be judged otherwise after they were read back.
func wall(t time.Time) time.Time { return t.Truncate(time.Millisecond) }

// termsOf returns the provenance and the start of the window. A poll with only
// a slice stored goes on under its own.
func (t *transition) termsOf(prev *rollcall.Record) rollcall.Partial {
	switch {
	case t.first:
		return rollcall.Partial{Provenance: rollcall.ProvenanceBaseline}
	case prev.Partial != nil:
		return *prev.Partial
	}
	return rollcall.Partial{Provenance: rollcall.ProvenanceObserved, WindowAfter: later(prev.ObservedAt, t.look.After)}
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

// open begins an epoch on the first poll.
func (t *transition) open() {
	if !t.first {
		return
	}
	t.was = rollcall.Conference{}
	*t.next = rollcall.Record{
		Tenant: t.look.Tenant, ConferenceID: t.look.ConferenceID, Epoch: newEpoch(t.next.Epoch, t.look.AnsweredAt),
		ObservedAt: t.look.AskedAt, Number: t.look.Number, Labels: t.labels(), Erased: t.next.Erased,
	}
}

// newEpoch returns an epoch that is newer than the one it replaces, whatever the
// clock says.
func newEpoch(was int64, answered time.Time) int64 { return max(answered.UnixMilli(), was+1) }

// over reports whether the meeting had ended before this look.
func (t *transition) over() bool { return t.was.Status == rollcall.StatusEnded }

// listed takes in what the batch query says.
func (t *transition) listed() {
	a := t.look.Answer
	if a == nil {
		a = &rollcall.Answer{}
	}
	t.oddities = slices.Clip(a.Oddities)
	if t.over() && !t.reopens(a.Status) {
		return
	}
	if a.Status == rollcall.StatusEnded {
		t.end(rollcall.ReasonStatus, a)
		return
	}
	t.open()
	t.next.Misses = 0
	t.hear(a)
	t.meet(a)
}

// reopens decides about an answer that comes after the end: only a meeting
// that says it is started begins anew.
func (t *transition) reopens(status rollcall.Status) bool {
	if status == rollcall.StatusInitialized {
		t.stepBack(status)
	}
	if status != rollcall.StatusStarted {
		return false
	}
	t.reopening, t.fresh = true, true
	t.next.Meeting.EndTime = time.Time{}
	t.next.EndReason, t.next.EndedAt, t.next.Summarized = "", time.Time{}, false
	return true
}

func (t *transition) stepBack(status rollcall.Status) {
	t.odd("status", status.String()+" after "+t.was.Status.String())
}

// odd notes a value, or a change, that is ignored.
func (t *transition) odd(field, value string) {
	t.oddities = append(t.oddities, rollcall.Oddity{Field: field, Value: value})
}

// hear takes in what the answer says of the meeting as a whole. What it leaves
// out stays as before.
func (t *transition) hear(a *rollcall.Answer) {
	m := &t.next.Meeting
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
		t.stepBack(a.Status)
	case a.Status == rollcall.StatusInitialized:
		m.Status = a.Status
	}
	switch {
	case a.MediaGiven && a.Media < 0: // a set of bits has no sign
		t.odd("mediaStatus", strconv.FormatInt(int64(a.Media), 10))
	case a.MediaGiven:
		m.Media = a.Media
	}
}

// meet takes in what the answer says of people.
func (t *transition) meet(a *rollcall.Answer) {
	t.next.Unlisted = t.fresh
	if !a.Listed {
		return
	}
	var d scratch
	c := t.comparison()
	list := c.read(a, &d)
	t.next.Unlisted = t.fresh && list.partial
	t.people = c.compare(list)
	t.oddities = append(t.oddities, c.oddities...)
	if !list.partial {
		t.next.Partial = nil // everybody has been looked at: nothing of the cut poll is left to publish
	}
	if len(t.people) > 0 {
		t.next.Roster = rosterOf(t.roster, t.people)
		t.next.Memory = t.bounded(memoryOf(t.memory, t.people))
	}
}

// comparison is with the people that the record knows.
func (t *transition) comparison() comparison {
	return comparison{
		roster: t.roster, memory: t.memory, first: t.first, fresh: t.fresh,
		cut: t.prev != nil && t.prev.Partial != nil, forgotten: t.next.Forgotten,
	}
}

// result closes the transition. Only one that has something to publish is on
// the heap, where the rules get hold of it, and Slice.
func (t *transition) result(table []rule) Result {
	if len(t.next.Roster) == 0 {
		t.next.Roster = nil
	}
	t.next.Meeting.Present = present(t.next.Roster)
	r := Result{Record: t.next, Oddities: t.oddities, Unmatched: t.unmatched}
	if !t.idle() {
		told := *t
		r.Events, r.transition = told.tell(table), &told
		r.Record.Sequence += uint64(len(r.Events))
	}
	r.Changed = len(r.Events) > 0 || t.changed()
	return r
}

// idle reports that no rule can hold, as all that rules look at is as before.
func (t *transition) idle() bool {
	return !t.first && !t.untracking && !t.summarizing && len(t.people) == 0 && t.next.Meeting == t.was
}

// changed reports whether the next record says more than that somebody looked,
// published or not.
func (t *transition) changed() bool {
	if t.prev == nil || len(t.people) > 0 {
		return true
	}
	n, p := t.next, t.prev
	return n.Meeting != p.Meeting || n.Misses != p.Misses || n.Partial != p.Partial || n.Epoch != p.Epoch || n.Unlisted != p.Unlisted ||
		!n.RolesAt.Equal(p.RolesAt) || !maps.Equal(n.Labels, p.Labels)
}

func present(roster []rollcall.Participant) (n int) {
	for i := range roster {
		if roster[i].Attendance == rollcall.AttendancePresent {
			n++
		}
	}
	return n
}
