package worker

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"rollcall/internal/ledger"
)

// others is what the other live workers say of a tenant.
type others struct {
	held, tracked int
	// lastGood and state are those of the shard that does worst; none is held: zero.
	lastGood time.Time
	state    string
}

// peers is who lives, and what the others have not let go of, as of one
// reading of the members.
type peers struct {
	live  map[string]bool
	ids   []string            // of all, sorted
	knows map[string][]string // by id; nil: every tenant
	has   []possession        // of the others
}

// possession is a shard that another worker holds or has not let go of.
type possession struct {
	part
	waiting int    // observations to be settled
	settled uint64 // observations that were settled so far
	held    bool
}

// part is a shard as a worker has it.
type part struct {
	worker, tenant string
	shard, of      int
}

// patience is how many TTLs a worker is waited for that settles nothing of what
// waits.
const patience = 6

// meet takes in the members. What cannot be read says nothing. It is an error
// when this worker is not among them as it has just registered: the members are
// then those of a server that lags behind.
func (w *Worker) meet(members []ledger.Member, beat uint64) error {
	p := &peers{live: make(map[string]bool, len(members)), knows: make(map[string][]string)}
	sums := make(map[string]*others, len(w.tenants))
	for _, m := range members {
		info, err := ParseInfo(m.Info)
		if m.ID == w.cfg.ID && err == nil && info.Beat < beat {
			break
		}
		p.live[m.ID], p.ids = true, append(p.ids, m.ID)
		if err != nil {
			continue
		}
		p.knows[m.ID] = info.Knows
		if m.ID != w.cfg.ID {
			p.take(m.ID, &info, sums)
		}
	}
	if !p.live[w.cfg.ID] {
		return fmt.Errorf("read the workers that live: %s, which has just registered, is not among them: the server that answers lags behind", w.cfg.ID)
	}
	w.peers.Store(p)
	for _, t := range w.tenants {
		sum := sums[t.cfg.Name]
		if sum == nil {
			sum = &others{}
		}
		t.others.Store(sum)
	}
	return nil
}

// take notes what another worker says.
func (p *peers) take(id string, info *Info, sums map[string]*others) {
	for _, held := range info.Shards {
		sum := sums[held.Tenant]
		if sum == nil {
			sum = &others{lastGood: held.LastGood}
			sums[held.Tenant] = sum
		}
		sum.held++
		sum.tracked += held.Tracked
		sum.lastGood = earlier(sum.lastGood, held.LastGood)
		sum.state = worse(sum.state, held.State)
		p.has = append(p.has, possession{part{id, held.Tenant, held.Shard, held.Of}, held.Waiting, held.Settled, true})
	}
	for _, l := range info.Leaving {
		p.has = append(p.has, possession{part{id, l.Tenant, l.Shard, l.Of}, l.Waiting, l.Settled, false})
	}
}

// whoKnows are the live workers that know the tenant.
func (p *peers) whoKnows(tenant string) []string {
	var ids []string
	for _, id := range p.ids {
		if known := p.knows[id]; known == nil || slices.Contains(known, tenant) {
			ids = append(ids, id)
		}
	}
	return ids
}

// overlaps reports whether the possession has meetings of the shard.
func (h *possession) overlaps(s *shard) bool {
	return h.tenant == s.tenant.cfg.Name && (h.of != s.of && h.of != 0 || h.shard == s.number)
}

// blocks reports whether somebody has not let go of the shard, this worker under
// an earlier division included. Whoever settles nothing of what waits for a long
// time is not waited for: somebody is to tell what is seen.
func (w *Worker) blocks(s *shard) bool {
	for _, r := range s.tenant.division.left() {
		if r.held.Load() != nil || r.leaves() {
			return true
		}
	}
	blocked := false
	for _, h := range w.peers.Load().has {
		if h.overlaps(s) && w.progresses(h) {
			blocked = true
		}
	}
	return blocked
}

// progress is since when another worker has settled no more than that.
type progress struct {
	settled uint64
	since   time.Time
}

// progresses reports whether the other worker has nothing that waits, or has
// settled something of it lately. It is called by the heartbeat alone.
func (w *Worker) progresses(h possession) bool {
	p, known := w.stuck[h.part]
	if !known || p.settled != h.settled || h.held && h.waiting == 0 {
		p = progress{h.settled, time.Now()}
		w.stuck[h.part] = p
	}
	return time.Since(p.since) < patience*w.cfg.MemberTTL
}

// forgetLeft forgets who has let go, and begins anew to be patient where this
// worker can store nothing either.
func (w *Worker) forgetLeft() {
	has := w.peers.Load().has
	maps.DeleteFunc(w.stuck, func(p part, _ progress) bool {
		return !slices.ContainsFunc(has, func(h possession) bool { return h.part == p })
	})
	if w.refused.Swap(false) {
		clear(w.stuck)
	}
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// tracks is how many meetings of the shard are tracked.
func (s *shard) tracks() int { return len(s.plan.Load().ids) }

// tracks is how many meetings of the tenant are tracked, by all workers.
func (t *tenant) tracks() int {
	n := t.others.Load().tracked
	for _, s := range t.shards() {
		n += s.tracks()
	}
	return n
}
