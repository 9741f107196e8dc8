package membership

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"rollcall/internal/ledger"
)

// patience is how many TTLs a worker is waited for that stores nothing of what
// waits.
const patience = 6

// Peers is who lives, what the others hold or have not let go of, and what
// belongs to which worker. One goroutine calls [Peers.Meet] and [Peers.Blocks];
// the others may be called by any.
type Peers struct {
	self    string
	ttl     time.Duration
	now     atomic.Pointer[reading] // never nil
	slow    map[part]progress       // since when others store nothing
	blocked atomic.Bool             // this worker can store nothing either
}

// reading is one reading of the members.
type reading struct {
	ids   []string        // of all, sorted
	infos map[string]Info // by id; none of those that cannot be read
	has   []possession    // of the others
}

// possession is a shard that another worker holds or has not let go of.
type possession struct {
	part
	waiting int    // observations to be stored
	settled uint64 // observations that were stored so far
	held    bool
}

// part is a shard as a worker has it.
type part struct {
	worker, tenant string
	shard, of      int
}

// progress is since when another worker has stored no more than that.
type progress struct {
	settled uint64
	since   time.Time
}

// NewPeers returns the peers of the worker with this id; nothing is known of
// them yet.
func NewPeers(self string, ttl time.Duration) *Peers {
	p := &Peers{self: self, ttl: ttl, slow: make(map[part]progress)}
	p.now.Store(&reading{})
	return p
}

// Versions are those of all workers that live, this one included, in no order; ""
// where a worker does not say its own, or cannot be understood.
func (p *Peers) Versions() (all []string) {
	now := p.now.Load()
	for _, id := range now.ids {
		all = append(all, strings.ToValidUTF8(now.infos[id].Version, "?"))
	}
	return all
}

// Meet takes in the members, as they are after this worker's beat of that
// number. What cannot be read says nothing. It is an error when that beat is not
// among them: the members are then those of a server that lags behind.
func (p *Peers) Meet(members []ledger.Member, beat uint64) error {
	next := &reading{infos: make(map[string]Info, len(members))}
	for _, m := range members {
		info, err := ParseInfo(m.Info)
		if m.ID == p.self && err == nil && info.Beat < beat {
			break
		}
		next.ids = append(next.ids, m.ID)
		if err != nil {
			continue
		}
		next.infos[m.ID] = info
		if m.ID != p.self {
			next.take(m.ID, &info)
		}
	}
	if !slices.Contains(next.ids, p.self) {
		return fmt.Errorf("read the workers that live: %s, which has just registered, is not among them: the server that answers lags behind", p.self)
	}
	p.now.Store(next)
	p.forgetLeft(next)
	return nil
}

func (r *reading) take(id string, info *Info) {
	for _, h := range info.Shards {
		r.has = append(r.has, possession{part{id, h.Tenant, h.Shard, h.Of}, h.Waiting, h.Settled, true})
	}
	for _, l := range info.Leaving {
		r.has = append(r.has, possession{part{id, l.Tenant, l.Shard, l.Of}, l.Waiting, l.Settled, false})
	}
}

// Alive reports whether a worker of this id lives.
func (p *Peers) Alive(id string) bool { return slices.Contains(p.now.Load().ids, id) }

// Owns reports whether the shard belongs to this worker. Only those workers
// count that know the tenant.
func (p *Peers) Owns(tenant string, shard int) bool {
	now := p.now.Load()
	var ids []string
	for _, id := range now.ids {
		if knows := now.infos[id].Knows; knows == nil || slices.Contains(knows, tenant) {
			ids = append(ids, id)
		}
	}
	return Owner(ids, tenant, shard) == p.self
}

// Held are the tenant's shards that others hold, as they say.
func (p *Peers) Held(tenant string) (all []Held) {
	for id, info := range p.now.Load().infos {
		for _, held := range info.Shards {
			if id != p.self && held.Tenant == tenant {
				all = append(all, held)
			}
		}
	}
	return all
}

// Blocks reports whether another worker has not let go of the shard, of so
// many. One that stores nothing of what waits for a long time is not waited
// for: somebody has to publish what is seen.
func (p *Peers) Blocks(tenant string, shard, of int) bool {
	blocked := false
	for _, h := range p.now.Load().has {
		if h.overlaps(tenant, shard, of) && p.progresses(h) {
			blocked = true
		}
	}
	return blocked
}

// overlaps reports whether the possession has meetings of the shard.
func (h *possession) overlaps(tenant string, shard, of int) bool {
	return h.tenant == tenant && (h.of != of && h.of != 0 || h.shard == shard)
}

// progresses reports whether the other worker has nothing that waits, or has
// stored something of it lately.
func (p *Peers) progresses(h possession) bool {
	before, known := p.slow[h.part]
	if !known || before.settled != h.settled || h.held && h.waiting == 0 {
		before = progress{h.settled, time.Now()}
		p.slow[h.part] = before
	}
	return time.Since(before.since) < patience*p.ttl
}

// Refused notes that this worker could not claim a shard: the patience with
// others begins anew, who may be able to store nothing either.
func (p *Peers) Refused() { p.blocked.Store(true) }

// forgetLeft forgets those that have let go.
func (p *Peers) forgetLeft(now *reading) {
	maps.DeleteFunc(p.slow, func(part part, _ progress) bool {
		return !slices.ContainsFunc(now.has, func(h possession) bool { return h.part == part })
	})
	if p.blocked.Swap(false) {
		clear(p.slow)
	}
}
