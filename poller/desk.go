package poller

import (
	"bytes"
	"maps"
	"slices"
	"time"

	"rollcall"
)

// desk is what is remembered between the passes of one shard. It is owned by
// the goroutine that makes the pass.
type desk struct {
	memos map[string]*memo
	// alone are meetings because of which a batch was refused as ended. Those
	// that are asked about all the same, since their end is not stored yet or
	// is denied by the lookup, would cost a search each time.
	alone    map[string]bool
	streak   streak
	lastGood time.Time
}

// memo is the last answer about one meeting. The bytes are a copy that belongs
// to the desk, shared read-only with the observations it gave out: a piece of
// the answer itself would keep the whole answer alive.
type memo struct {
	raw     []byte
	endTime time.Time // of a meeting that the bytes say has ended; zero: not known
}

// sight makes the sighting of an answer. Bytes that are known are not decoded.
func (d *desk) sight(found Found, decode func([]byte) *rollcall.Answer) rollcall.Sighting {
	s := rollcall.Sighting{ConferenceID: found.ConferenceID, Kind: rollcall.SightingListed}
	if m := d.memos[found.ConferenceID]; m != nil && bytes.Equal(m.raw, found.Raw) {
		s.Raw, s.EndTime = m.raw, m.endTime
		return s
	}
	m := &memo{raw: bytes.Clone(found.Raw)}
	d.memos[found.ConferenceID] = m
	s.Raw, s.Answer = m.raw, decode(m.raw)
	return s
}

// ended remembers when a meeting ended.
func (d *desk) ended(id string, at time.Time) {
	if m := d.memos[id]; m != nil {
		m.endTime = at
	}
}

// shun keeps a meeting out of the batches of later passes.
func (d *desk) shun(id string) {
	if d.alone == nil {
		d.alone = make(map[string]bool)
	}
	d.alone[id] = true
}

// welcome takes meetings back that a query accepted.
func (d *desk) welcome(ids []string) {
	if len(d.alone) == 0 {
		return
	}
	for _, id := range ids {
		delete(d.alone, id)
	}
}

// keep drops what is remembered of all but these sorted ids.
func (d *desk) keep(ids []string) {
	maps.DeleteFunc(d.memos, func(id string, _ *memo) bool { return !listed(ids, id) })
	maps.DeleteFunc(d.alone, func(id string, _ bool) bool { return !listed(ids, id) })
}

func listed(ids []string, id string) bool {
	_, found := slices.BinarySearch(ids, id)
	return found
}
