package worker

import (
	"sync/atomic"
	"time"

	"rollcall"
	"rollcall/internal/ledger"
)

// vanishedWatch is for how long a vanished meeting is asked about after its end.
const vanishedWatch = 24 * time.Hour

// entry is what a shard's goroutine knows of one meeting.
type entry struct {
	record   filed
	revision uint64       // stream sequence of the record; 0: none is stored
	loaded   bool         // record and revision were read or written under this claim, and nothing voided them
	fenced   bool         // the record was written in this term
	raw      []byte       // the answer that led to the record; nil: not known
	asked    time.Time    // when the last answer was asked that showed the record's state
	since    atomic.Int64 // the same in ns since 1970 while the meeting goes on, else 0; others may read it
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
	return min(time.Minute<<min(r.count-1, 6), time.Hour)
}

func (r *refusal) note(err error, now time.Time) {
	r.count++
	r.err = err
	r.until = now.Add(r.again())
}

// void gives up what is known of the record; the tracked set stays.
func (e *entry) void() {
	e.loaded, e.raw = false, nil
}

// take puts in what was read from the ledger.
func (e *entry) take(stored ledger.Stored, found bool) {
	if e.revision != stored.Revision {
		e.asked = time.Time{}
	}
	if !found {
		stored = ledger.Stored{}
	}
	e.record.put(stored.Record)
	e.revision, e.loaded, e.raw = stored.Revision, true, nil
	e.learned(e.asked)
}

// learned notes when the answer was asked that the record's state is known
// from; zero: it is not known, and the record itself tells from when it is.
func (e *entry) learned(asked time.Time) {
	e.asked = asked
	switch {
	case e.record.none() || e.record.status != rollcall.StatusStarted:
		e.since.Store(0)
	case asked.IsZero():
		e.since.Store(e.record.whole().ObservedAt.UnixNano())
	default:
		e.since.Store(asked.UnixNano())
	}
}

// overlaps reports whether the record was written under an older term after
// the term's claim. Its question may have been asked after those of ours that
// had been asked when it was read, whatever the numbers say.
func (e *entry) overlaps(term uint64) bool {
	return !e.record.none() && e.record.number.Term < term && e.revision > term
}

// foreign reports whether the record's number comes from another stream: in its
// own one a record always stands behind the claim whose term it bears.
func (e *entry) foreign(n rollcall.Number) bool {
	return e.record.number.Term >= e.revision && n.Term != e.record.number.Term
}

// watched reports whether an untracked meeting is still worth a question: it
// vanished a short while ago.
func (e *entry) watched(now time.Time) bool {
	if e.tracked || e.record.untracked || e.record.status != rollcall.StatusEnded {
		return false
	}
	r := e.record.whole()
	return r.EndReason == rollcall.ReasonVanished && now.Sub(r.EndedAt) < vanishedWatch
}
