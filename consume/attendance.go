package consume

import (
	"time"

	"rollcall"
)

// Attendance is who was in one meeting, and when: the fold of its events, over
// all of its epochs. The zero value knows nothing and begins with any event of
// sequence 1. It is not safe for concurrent use.
//
// What opens and closes again between two looks, or before the first one, is not
// seen by anybody, and is in no bounds.
type Attendance struct {
	roster Roster
	stays  rollcall.Stays
}

// Visit is one stay of one person.
type Visit = rollcall.Stay

// Bounds are the least and the most that a time can be. Max is negative where
// it has no bound: nobody knows for how long before the first look.
type Bounds = rollcall.Bounds

// The words of [Visit.How].
const (
	HowLeft         = string(rollcall.DepartureLeft)
	HowKickedOut    = string(rollcall.DepartureKickedOut)
	HowMeetingEnded = string(rollcall.DepartureMeetingEnded)
	HowUntracked    = string(rollcall.DepartureUntracked)
	HowUnseen       = string(rollcall.DepartureUnseen)
)

// Apply folds the meeting's next event. As with [Roster.Apply] one that was
// applied before changes nothing, and one that comes too early is refused with
// a [*GapError].
func (a *Attendance) Apply(e Event) (Change, error) {
	change, err := a.roster.Apply(e)
	if err != nil || change == Repeated {
		return change, err
	}
	if change == Anew {
		a.stays.Anew()
	}
	a.stays.Apply(&e.Event)
	return change, nil
}

// Skip is [Roster.Skip].
func (a *Attendance) Skip(e Event) { a.roster.Skip(e) }

// Visits are all stays so far, sorted by key and then as they began. Of those
// who are there the times are counted until now.
func (a *Attendance) Visits(now time.Time) []Visit { return a.stays.All(now) }
