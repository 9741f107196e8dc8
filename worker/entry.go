package worker

import (
	"errors"
	"time"

	"rollcall"
	"rollcall/internal/ledger"
	"rollcall/internal/wait"
	"rollcall/worker/recordcache"
)

// vanishedWatch is for how long a vanished meeting is asked about after its end.
const vanishedWatch = 24 * time.Hour

// entry is what a shard's goroutine knows of one meeting.
type entry struct {
	record recordcache.Record
	// known is the number of the last question that was asked in this term
	// when the record was read.
	known    uint64
	tracking ledger.Tracking
	tracked  bool
	stray    bool          // it is over, and its entry in the tracked set is still there
	kept     time.Duration // of tracking.Looked, which is stored
	refused  refusal
}

// labels are those the meeting is tracked with; nil: nobody tracks it, and
// those of the record hold.
func (e *entry) labels() rollcall.Labels {
	if e.tracked && e.tracking.Labels == nil {
		return rollcall.Labels{}
	}
	if e.tracked {
		return e.tracking.Labels
	}
	return nil
}

// refusal keeps a meeting apart whose record cannot be read or stored.
type refusal struct {
	count int
	until time.Time
	err   error
}

// again is after how long a refused meeting is tried again: a minute,
// doubling up to an hour.
func (r *refusal) again() time.Duration {
	return wait.Growth{First: time.Minute, Most: time.Hour}.Step(r.count - 1)
}

func (r *refusal) note(err error, now time.Time) {
	r.count++
	r.err = err
	r.until = now.Add(r.again())
}

// aside reports whether the meeting is kept apart, and it is too early to try again.
func (e *entry) aside() bool { return e.refused.err != nil && time.Now().Before(e.refused.until) }

// adrift reports whether the record and what is known of the tracked set do not
// belong together.
func (e *entry) adrift() bool { return e.stray || !e.tracked && e.record.Live() }

// errNoEntry says what is amiss with an entry of the tracked set.
var errNoEntry = errors.New("there is none, though the record of the meeting goes on: the broker has stored a batch in part")

// paired is the meeting's entry in the tracked set that belongs to the record it
// was read with. Whatever takes a meeting off the set closes its record in the
// same batch: where the record goes on the entry was lost, and is to be rewritten.
func (e *entry) paired(id string, t *ledger.Tracking) *ledger.Tracking {
	if t != nil || !e.record.Live() {
		return t
	}
	lost := e.tracking
	lost.ConferenceID, lost.Err = id, errNoEntry
	return &lost
}

// watched reports whether an untracked meeting is still worth a question: it
// vanished a short while ago.
func (e *entry) watched(now time.Time) bool {
	if e.tracked || e.record.Untracked() || e.record.Status() != rollcall.StatusEnded {
		return false
	}
	r := e.record.Whole()
	return r.EndReason == rollcall.ReasonVanished && now.Sub(r.EndedAt) < vanishedWatch
}

// unstarted reports whether the meeting was never seen going on or over.
func (e *entry) unstarted() bool {
	return e.record.None() || e.record.Status() < rollcall.StatusStarted
}

// missed is when the meeting began that a sighting shows to be over, where it was
// tracked before its end; zero: it was not, or nobody knows.
func (e *entry) missed(s *rollcall.Sighting) time.Time {
	if !e.tracking.Since.Before(s.EndTime) {
		return time.Time{}
	}
	return s.StartTime
}

// asleep reports whether the meeting is known not to have started, and nobody is there.
func (e *entry) asleep() bool { return !e.record.None() && e.unstarted() && !e.peopled() }

// peopled reports whether somebody is in the meeting, whatever its status.
func (e *entry) peopled() bool {
	r := e.record.Shown()
	return r != nil && r.Meeting.Present > 0
}
