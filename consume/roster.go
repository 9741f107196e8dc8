package consume

import (
	"fmt"
	"slices"
	"strings"

	"rollcall"
)

// Roster is who is in one meeting: the fold of its events. The zero value knows
// nothing and begins with any event of sequence 1, or with a record. It is not
// safe for concurrent use; what it returns never changes.
type Roster struct {
	epoch    int64
	sequence uint64
	meeting  rollcall.Conference
	labels   rollcall.Labels
	people   []rollcall.Participant // sorted by key; never changed in place
}

// Change is what an event did to a roster.
type Change int

// What an event can do to a roster.
const (
	Repeated Change = iota // the event was applied before; nothing changed
	Applied
	Anew // the event opened another epoch: what was known before is void
)

// GapError says that events of a meeting are missing: the roster is that of
// before the gap. Read the meeting's record and go on from there.
type GapError struct {
	Tenant, ConferenceID string
	Epoch                int64
	Want, Got            uint64 // sequences
}

// Error names the meeting and both sequences.
func (e *GapError) Error() string {
	return fmt.Sprintf("events of meeting %.300q of tenant %s are missing: %d came, %d was next; read its record and go on from there",
		e.ConferenceID, e.Tenant, e.Got, e.Want)
}

// RosterOf returns the roster of a stored record, to which the events after
// Record.Sequence apply.
func RosterOf(r *rollcall.Record) *Roster {
	people := slices.Clone(r.Roster)
	if r.Untracked || r.Meeting.Status == rollcall.StatusEnded {
		people = nil
	}
	return &Roster{epoch: r.Epoch, sequence: r.Sequence, meeting: r.Meeting, labels: r.Labels, people: people}
}

// Apply folds the meeting's next event. One that was applied before changes
// nothing, whatever the order in which it comes again; one that comes too early
// is refused with a [*GapError] and changes nothing either. An event of an
// earlier epoch is a repetition, one of a later epoch begins anew.
func (r *Roster) Apply(e Event) (Change, error) {
	change, want := Applied, r.sequence+1
	switch {
	case e.ConferenceID == "": // it is of a whole tenant
		return Repeated, nil
	case e.Epoch < r.epoch || e.Epoch == r.epoch && e.Sequence < want:
		return Repeated, nil
	case e.Epoch > r.epoch:
		change, want = Anew, 1
	}
	if e.Sequence != want {
		return Repeated, &GapError{e.Tenant, e.ConferenceID, e.Epoch, want, e.Sequence}
	}
	if change == Anew {
		*r = Roster{epoch: e.Epoch}
	}
	r.sequence = e.Sequence
	if e.known {
		r.meeting, r.labels = e.Meeting, e.Labels
		r.people = rollcall.Fold(r.people, []rollcall.Event{e.Event})
	}
	return change, nil
}

// Skip takes it that what is missing before e, which is of the epoch that is being
// folded, is gone for good and was about people of whom nothing is told any more, as
// when somebody is forgotten. e applies next.
func (r *Roster) Skip(e Event) {
	if e.Epoch == r.epoch {
		r.sequence = max(r.sequence, e.Sequence-1)
	}
}

// Epoch is the Unix time in ms at which the meeting was first recorded; 0: the
// roster knows nothing yet.
func (r *Roster) Epoch() int64 { return r.epoch }

// Sequence is that of the last event applied.
func (r *Roster) Sequence() uint64 { return r.sequence }

// Meeting is what the last event says of the meeting as a whole.
func (r *Roster) Meeting() rollcall.Conference { return r.meeting }

// Labels are those that whoever tracks the meeting has given it. They must not
// be changed.
func (r *Roster) Labels() rollcall.Labels { return r.labels }

// People are those who are invited, joining or present, sorted by key. The
// slice is shared and must not be changed.
func (r *Roster) People() []rollcall.Participant { return r.people }

// Person returns who has the key; ok is false when nobody in the roster has.
func (r *Roster) Person(key string) (p rollcall.Participant, ok bool) {
	i, ok := slices.BinarySearchFunc(r.people, key, func(p rollcall.Participant, key string) int { return strings.Compare(p.Key, key) })
	if ok {
		p = r.people[i]
	}
	return p, ok
}

// Present counts those who are in the meeting now.
func (r *Roster) Present() (n int) {
	for i := range r.people {
		if r.people[i].Attendance == rollcall.AttendancePresent {
			n++
		}
	}
	return n
}
