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
	alone map[string]bool
	// elsewhere go on without standing in the organization's list.
	elsewhere map[string]bool
	denied    map[string]bool    // those whose lookup was not permitted, once
	ends      map[string]*ending // those whose end is not told yet
	// over are those that a lookup found ended, and when. They stay among the
	// tracked ones until that is stored, and cost a call or two each time.
	over     map[string]time.Time
	streak   streak
	silent   bool // another shard tells how the tenant fares
	spoilt   int  // batches that ended meetings spoil in a pass, about
	lastGood time.Time
}

// memo is the last answer about one meeting. The bytes are a copy that belongs
// to the desk, shared read-only with the observations it gave out: a piece of
// the answer itself would keep the whole answer alive.
type memo struct {
	raw     []byte
	status  rollcall.Status
	endTime time.Time // of a meeting that the bytes say has ended; zero: not known
}

func newDesk() *desk {
	return &desk{
		memos: make(map[string]*memo), alone: make(map[string]bool), elsewhere: make(map[string]bool),
		denied: make(map[string]bool), ends: make(map[string]*ending), over: make(map[string]time.Time),
	}
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
	m.status = s.Answer.Status
	return s
}

// status gives how a meeting stood when it was last seen.
func (d *desk) status(id string) rollcall.Status {
	if m := d.memos[id]; m != nil {
		return m.status
	}
	return rollcall.StatusUnknown
}

// overRests is how long a meeting that was told to have ended is left alone.
const overRests = 2 * time.Minute

// rests reports whether a meeting was told to have ended a moment ago.
func (d *desk) rests(id string, now time.Time) bool {
	at, over := d.over[id]
	return over && now.Sub(at) < overRests
}

// expect remembers an end that is to be told.
func (d *desk) expect(e *ending) { d.ends[e.sighting.ConferenceID] = e }

// unexpect forgets it together with the answer, which is to count anew.
func (d *desk) unexpect(e *ending) {
	delete(d.ends, e.sighting.ConferenceID)
	delete(d.memos, e.sighting.ConferenceID)
}

// ended notes that an end is told.
func (d *desk) ended(e *ending) {
	delete(d.ends, e.sighting.ConferenceID)
	if m := d.memos[e.sighting.ConferenceID]; m != nil {
		m.endTime = e.sighting.EndTime
	}
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
	maps.DeleteFunc(d.ends, func(id string, _ *ending) bool { return !listed(ids, id) })
	maps.DeleteFunc(d.over, func(id string, _ time.Time) bool { return !listed(ids, id) })
	for _, set := range []map[string]bool{d.alone, d.elsewhere, d.denied} {
		maps.DeleteFunc(set, func(id string, _ bool) bool { return !listed(ids, id) })
	}
}

func listed(ids []string, id string) bool {
	_, found := slices.BinarySearch(ids, id)
	return found
}
