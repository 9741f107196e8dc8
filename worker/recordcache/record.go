// Package recordcache keeps what a worker knows of the records of meetings, so
// that an answer that is the one before costs neither a read nor a comparison.
// It promises that
//
//   - a record comes back exactly as it was put in, though it is packed into a
//     tenth of its size while nothing changes;
//   - an answer counts as the one before only while the record is the one that
//     was last read or written in this term, and only if its sighting says so;
//   - what was voided is not believed again before it is read again.
package recordcache

import (
	"sync/atomic"
	"time"

	"rollcall"
)

// Record is what is known of one meeting's record and of the answer that led to
// it. It belongs to one goroutine; others may call [Record.Since]. The zero
// value: nothing is known.
type Record struct {
	cell
	revision uint64       // stream sequence; 0: none is stored
	loaded   bool         // it was read or written under this claim, and nothing voided it
	fenced   bool         // it was written in this term
	raw      []byte       // the answer that led to it; nil: not known
	asked    time.Time    // when the last answer was asked that showed the record's state
	since    atomic.Int64 // the same in ns since 1970 while the meeting goes on, otherwise 0
}

// Read puts in what the ledger holds; a revision of 0: it holds no record.
func (r *Record) Read(record *rollcall.Record, revision uint64) {
	if r.revision != revision {
		r.asked = time.Time{}
	}
	r.put(record)
	r.revision, r.loaded, r.raw = revision, true, nil
	r.Confirmed(r.asked)
}

// Wrote puts in what was stored. The state is known from the answer that was
// asked then; fenced says that it was written in this term.
func (r *Record) Wrote(record *rollcall.Record, revision uint64, fenced bool, asked time.Time) {
	r.put(record)
	r.revision, r.loaded, r.fenced, r.raw = revision, true, fenced, nil
	r.Confirmed(asked)
}

// Void discards what is known, to be read again.
func (r *Record) Void() { r.loaded, r.raw = false, nil }

// LedBy notes the answer that led to the record, a [rollcall.Sighting]'s Raw; nil:
// it is not known.
func (r *Record) LedBy(raw []byte) { r.raw = raw }

// Unchanged reports whether raw is the answer that led to the record, which its
// memory shows, and notes when it was asked.
func (r *Record) Unchanged(raw []byte, number rollcall.Number, asked time.Time) bool {
	if !r.loaded || !r.fenced || r.None() || !number.After(r.number) || !same(r.raw, raw) {
		return false
	}
	r.Confirmed(asked)
	r.markUnchanged(raw)
	return true
}

// same reports whether both are one piece of memory.
func same(a, b []byte) bool { return len(a) > 0 && len(a) == len(b) && &a[0] == &b[0] }

// Confirmed notes when the answer was asked that the record's state is known
// from; zero: it is not known, and the record itself says from when it is.
func (r *Record) Confirmed(asked time.Time) {
	r.asked = asked
	switch {
	case r.None() || r.status != rollcall.StatusStarted:
		r.since.Store(0)
	case asked.IsZero():
		r.since.Store(r.Whole().ObservedAt.UnixNano())
	default:
		r.since.Store(asked.UnixNano())
	}
}

// Revision is the stream sequence of the record; 0: none is stored.
func (r *Record) Revision() uint64 { return r.revision }

// Loaded reports whether it was read or written, and not voided since.
func (r *Record) Loaded() bool { return r.loaded }

// Fenced reports whether it was written in this term.
func (r *Record) Fenced() bool { return r.fenced }

// Asked is when the last answer was asked that showed the record's state; zero:
// not known.
func (r *Record) Asked() time.Time { return r.asked }

// Since is from when the state of a meeting that goes on is known, in ns since
// 1970; 0 for any other. Any goroutine may call it.
func (r *Record) Since() int64 { return r.since.Load() }

// Overlaps reports whether the record was written under an older term after
// the term's claim. Its question may have been asked after those of ours that
// had been asked when it was read, whatever the numbers say.
func (r *Record) Overlaps(term uint64) bool {
	return !r.None() && r.number.Term < term && r.revision > term
}

// Foreign reports whether the record's number comes from another stream than n:
// in its own one a record always stands behind the claim whose term it bears.
func (r *Record) Foreign(n rollcall.Number) bool {
	return r.number.Term >= r.revision && n.Term != r.number.Term
}
