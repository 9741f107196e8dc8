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
	agenda agenda
	memory memory
	// alone are meetings because of which a batch was refused as ended. Those
	// that are asked about all the same, since their end is not stored yet or
	// is denied by the lookup, would cost a search each time.
	alone map[string]bool
	// elsewhere go on without standing in the organization's list.
	elsewhere map[string]bool
	lone      map[string]*lone   // those that are looked up by themselves
	row       row                // of lookups that failed
	ends      map[string]*ending // those whose end is not told yet
	// over are those that a lookup found ended, and when. They stay among the
	// tracked ones until that is stored, and cost a call or two each time.
	over     map[string]time.Time
	streak   streak
	silent   bool      // another shard tells how the tenant fares
	raws     [][]byte  // see known
	spoilt   int       // batches that ended meetings spoil in a pass, about
	first    string    // the next pass begins with the batch that has this one
	began    time.Time // the last pass
	refusals int       // passes in a row that found everything refused
	samples  int       // meetings that were asked about to see whether everything is refused
	lastGood time.Time
}

func newDesk() *desk {
	return &desk{
		alone: make(map[string]bool), elsewhere: make(map[string]bool), lone: make(map[string]*lone),
		ends: make(map[string]*ending), over: make(map[string]time.Time),
	}
}

// known gives the bytes of the last answers about meetings, in their order.
func (d *desk) known(ids []string) [][]byte {
	d.raws = d.raws[:0]
	for _, id := range ids {
		var raw []byte
		if m := d.memory.of(id); m != nil {
			raw = m.raw
		}
		d.raws = append(d.raws, raw)
	}
	return d.raws
}

// sight makes the sighting of an answer. Bytes that are known are not decoded;
// others are copied unless they are detached, since a piece of the answer would
// keep the whole answer alive.
func (d *desk) sight(found *Found, detached bool, source Source) rollcall.Sighting {
	s := rollcall.Sighting{ConferenceID: found.ConferenceID, Kind: rollcall.SightingListed, Raw: found.Raw}
	m := d.memory.of(found.ConferenceID)
	if m != nil && bytes.Equal(m.raw, found.Raw) {
		s.Raw = m.raw
		if m.endTime != nil {
			s.EndTime = *m.endTime
		}
		return s
	}
	if !detached {
		s.Raw = bytes.Clone(s.Raw)
	}
	if s.Answer = found.Answer; s.Answer == nil {
		s.Answer = source.Decode(s.Raw)
	}
	if m != nil {
		*m = memo{raw: s.Raw, status: s.Answer.Status}
	}
	return s
}

// status gives how a meeting stood when it was last seen.
func (d *desk) status(id string) rollcall.Status {
	if m := d.memory.of(id); m != nil {
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

// worked draws from a lookup that was answered what it says of those that are
// not: if it had failed as well, they may work again, and are made at once.
// Otherwise they fail by themselves.
func (d *desk) worked(id string) {
	healed := false
	if l := d.lone[id]; l != nil && l.failing() {
		healed = true
		delete(d.lone, id)
	}
	for _, l := range d.lone {
		switch {
		case !l.failing():
		case healed:
			l.until = time.Time{}
		default:
			l.own = true
		}
	}
}

// waits reports whether a meeting is looked up another time.
func (d *desk) waits(id string, now time.Time) bool {
	l := d.lone[id]
	return l != nil && l.rests(now)
}

// words say how those are watched that are looked up by themselves.
func (d *desk) words() map[string]string {
	if len(d.lone) == 0 {
		return nil
	}
	words := make(map[string]string, len(d.lone))
	for id, l := range d.lone {
		words[id] = l.words()
	}
	return words
}

// elapsed gives the time since the pass before; 0: there was none.
func (d *desk) elapsed(now time.Time) time.Duration {
	was := d.began
	d.began = now
	if was.IsZero() {
		return 0
	}
	return now.Sub(was)
}

// calm reports whether no meeting is to be asked about otherwise than the rest.
func (d *desk) calm() bool { return len(d.ends)+len(d.over)+len(d.alone) == 0 }

// expect remembers an end that is to be told.
func (d *desk) expect(e *ending) { d.ends[e.sighting.ConferenceID] = e }

// unexpect forgets it together with the answer, which is to count anew.
func (d *desk) unexpect(e *ending) {
	delete(d.ends, e.sighting.ConferenceID)
	if m := d.memory.of(e.sighting.ConferenceID); m != nil {
		*m = memo{}
	}
}

// ended notes that an end is told.
func (d *desk) ended(e *ending) {
	delete(d.ends, e.sighting.ConferenceID)
	if m := d.memory.of(e.sighting.ConferenceID); m != nil && !e.sighting.EndTime.IsZero() {
		at := e.sighting.EndTime
		m.endTime = &at
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

// loneOf gives what is remembered of a meeting that is looked up by itself.
func (d *desk) loneOf(id string) *lone {
	if d.lone[id] == nil {
		d.lone[id] = &lone{}
	}
	return d.lone[id]
}

// keep drops what is remembered of all but these sorted ids.
func (d *desk) keep(ids []string) {
	d.memory.keep(ids)
	maps.DeleteFunc(d.ends, func(id string, _ *ending) bool { return !listed(ids, id) })
	maps.DeleteFunc(d.over, func(id string, _ time.Time) bool { return !listed(ids, id) })
	maps.DeleteFunc(d.lone, func(id string, _ *lone) bool { return !listed(ids, id) })
	for _, set := range []map[string]bool{d.alone, d.elsewhere} {
		maps.DeleteFunc(set, func(id string, _ bool) bool { return !listed(ids, id) })
	}
}

func listed(ids []string, id string) bool {
	_, found := slices.BinarySearch(ids, id)
	return found
}
