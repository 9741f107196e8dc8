package worker

import (
	"bytes"

	"rollcall"
)

// filed is a meeting's record as it is kept between two answers: whole, or
// packed while nothing changes. It is of one meeting and set by put alone. The
// zero value holds no record.
type filed struct {
	number    rollcall.Number // these three are the record's, so that a glance need not unpack it
	status    rollcall.Status
	untracked bool
	record    *rollcall.Record // nil: there is none, or it is packed
	packed    *packed          // nil: there is none, or it is whole
	calm      uint8            // answers in a row that left a whole record as it is
	spread    uint8            // records in a row whose texts may stand in as many answers
}

// restAfter is how many answers in a row must leave a record as it is for it to
// be packed. To pack and unpack it takes as long as several comparisons: too
// much for a lively meeting, which changes again soon.
const restAfter = 8

// put takes a record; nil: there is none.
func (f *filed) put(r *rollcall.Record) {
	*f = filed{record: r, spread: f.spread + 1}
	if r != nil {
		if f.spread >= gatherAfter {
			f.record, f.spread = gather(r), 0
		}
		f.number, f.status, f.untracked = r.Number, r.Meeting.Status, r.Untracked
	}
}

func (f *filed) none() bool { return f.record == nil && f.packed == nil }

// over reports whether the meeting has ended or was taken off the tracked set.
// Such a record is never packed.
func (f *filed) over() bool {
	return !f.none() && (f.untracked || f.status == rollcall.StatusEnded)
}

// whole gives the record, to work with, and keeps it so; nil: there is none.
func (f *filed) whole() *rollcall.Record {
	if f.packed != nil {
		f.record, f.packed, f.calm, f.spread = f.packed.unpack(), nil, 0, 0
	}
	return f.record
}

// shown gives the record to look at, and leaves it as it is kept.
func (f *filed) shown() *rollcall.Record {
	if f.packed != nil {
		return f.packed.unpack()
	}
	return f.record
}

// still takes note of an answer that left the record as it is.
func (f *filed) still(raw []byte) {
	if f.record == nil {
		return
	}
	if f.calm++; f.calm == restAfter {
		f.calm = 0
		f.rest(raw)
	}
}

// rest packs the record beside the answer that led to it, whose bytes hold
// nearly all of its texts. They are shared and must not change. What is over,
// or cannot be packed exactly, stays whole.
func (f *filed) rest(raw []byte) {
	if f.record == nil || f.over() {
		return
	}
	if p := pack(f.record, raw); p != nil {
		f.record, f.packed = nil, p
	}
}

// share lets a packed record lean on these bytes, so that the equal ones that
// it was packed beside need not be kept.
func (f *filed) share(raw []byte) {
	if f.packed != nil && bytes.Equal(f.packed.raw, raw) {
		f.packed.raw = raw
	}
}
