package worker

import (
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
	kept     time.Duration // of tracking.Looked, which is stored
	refused  refusal
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

// watched reports whether an untracked meeting is still worth a question: it
// vanished a short while ago.
func (e *entry) watched(now time.Time) bool {
	if e.tracked || e.record.Untracked() || e.record.Status() != rollcall.StatusEnded {
		return false
	}
	r := e.record.Whole()
	return r.EndReason == rollcall.ReasonVanished && now.Sub(r.EndedAt) < vanishedWatch
}
