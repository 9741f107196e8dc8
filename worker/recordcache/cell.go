package recordcache

import "rollcall"

// cell holds a meeting's record between two answers: whole, or packed while
// nothing changes. It is of one meeting and set by put alone. The zero value
// holds no record.
type cell struct {
	number    rollcall.Number // these four are the record's, so that they need not be unpacked
	status    rollcall.Status
	untracked bool
	erased    []string
	record    *rollcall.Record // nil: there is none, or it is packed
	packed    *packed          // nil: there is none, or it is whole
	unchanged uint8            // answers in a row that left a whole record as it is
	rewrites  uint8            // records in a row whose texts may stand in as many answers
}

// packAfter is how many answers in a row must leave a record as it is for it to
// be packed. To pack and unpack it takes as long as several comparisons: too
// much for a lively meeting, which changes again soon.
const packAfter = 8

// put takes a record; nil: there is none.
func (c *cell) put(r *rollcall.Record) {
	*c = cell{record: r, rewrites: c.rewrites + 1}
	if r != nil {
		if c.rewrites >= gatherAfter {
			c.record, c.rewrites = gather(r), 0
		}
		c.number, c.status, c.untracked, c.erased = r.Number, r.Meeting.Status, r.Untracked, r.Erased
	}
}

// None reports whether the meeting has no record that can be read.
func (c *cell) None() bool { return c.record == nil && c.packed == nil }

// Over reports whether the meeting has ended or was taken off the tracked set.
// Such a record is never packed.
func (c *cell) Over() bool {
	return !c.None() && (c.untracked || c.status == rollcall.StatusEnded)
}

// Live reports whether there is a record of a meeting that is not over.
func (c *cell) Live() bool { return !c.None() && !c.Over() }

// Number is of the question that the record was written for.
func (c *cell) Number() rollcall.Number { return c.number }

// Status is the meeting's; 0 where there is no record.
func (c *cell) Status() rollcall.Status { return c.status }

// Untracked reports whether the record is that of a meeting that was taken off
// the tracked set.
func (c *cell) Untracked() bool { return c.untracked }

// Erased are the record's; not to be changed.
func (c *cell) Erased() []string { return c.erased }

// Whole returns the record, to work with, and keeps it so; nil: there is none. It
// is not to be changed.
func (c *cell) Whole() *rollcall.Record {
	if c.packed != nil {
		c.record, c.packed, c.unchanged, c.rewrites = c.packed.unpack(), nil, 0, 0
	}
	return c.record
}

// Shown returns the record to look at, and leaves it as it is kept; nil: there is none.
func (c *cell) Shown() *rollcall.Record {
	if c.packed != nil {
		return c.packed.unpack()
	}
	return c.record
}

// markUnchanged counts an answer that left the record as it is.
func (c *cell) markUnchanged(raw []byte) {
	if c.record == nil {
		return
	}
	if c.unchanged++; c.unchanged == packAfter {
		c.unchanged = 0
		c.pack(raw)
	}
}

// pack packs the record beside the answer that led to it, whose bytes hold
// nearly all of its texts. They are shared and must not change. What is over,
// or cannot be packed exactly, stays whole.
func (c *cell) pack(raw []byte) {
	if c.record == nil || c.Over() {
		return
	}
	if p := pack(c.record, raw); p != nil {
		c.record, c.packed = nil, p
	}
}
