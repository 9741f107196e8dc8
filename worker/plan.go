package worker

import (
	"slices"
	"time"

	"rollcall/poller"
	"rollcall/worker/recordcache"
)

// plan is whom to ask about. It is shared, and never changed.
type plan struct {
	ids    []string              // at every pass; sorted
	slow   []string              // now and then
	states []*recordcache.Record // of ids, in any order, whose freshness counts
	aside  []string              // those whose record can be neither read nor stored; sorted
}

// replan notes that whom to ask about has changed. Many such changes, as when
// all meetings of a day end, make one new plan.
func (s *shard) replan() { s.stale = true }

// makePlan tells the tenant's loop whom to ask about, where that has changed.
func (s *shard) makePlan() {
	if !s.stale {
		return
	}
	s.stale = false
	now := time.Now()
	next := &plan{ids: make([]string, 0, len(s.entries)), states: make([]*recordcache.Record, 0, len(s.entries))}
	for id, e := range s.entries {
		if e.refused.err != nil {
			next.aside = append(next.aside, id)
		}
		switch {
		case e.tracked:
			next.ids, next.states = append(next.ids, id), append(next.states, &e.record)
		case e.watched(now):
			next.slow = append(next.slow, id)
		}
	}
	slices.Sort(next.ids)
	slices.Sort(next.aside)
	s.plan.Store(next)
}

// tracks is how many meetings of the shard are tracked.
func (s *shard) tracks() int { return len(s.plan.Load().ids) }

// aside is which meetings of the shards that this worker holds are set aside.
func (t *tenant) aside() (ids []string) {
	for _, s := range t.shards() {
		if s.held.Load() != nil {
			ids = append(ids, s.plan.Load().aside...)
		}
	}
	return ids
}

// due picks whom to ask about now, and remembers when those were asked about
// that are not asked about at every pass. What was asked under an earlier claim
// does not count: its answer may have been dropped. The ids may be the plan's
// own.
func (s *shard) due(hold *hold, now time.Time) []string {
	p := s.plan.Load()
	if len(p.slow) == 0 {
		hold.slow = nil
		return p.ids
	}
	candidates := make([]poller.Candidate, 0, len(p.ids)+len(p.slow))
	for _, id := range p.ids {
		candidates = append(candidates, poller.Candidate{ID: id})
	}
	slow := make(map[string]time.Time, len(p.slow))
	for _, id := range p.slow {
		slow[id] = hold.slow[id]
		candidates = append(candidates, poller.Candidate{ID: id, Slow: true, LastAsked: slow[id]})
	}
	ids := poller.Plan{BatchSize: s.tenant.cfg.BatchSize}.Due(now, candidates)
	for _, id := range ids {
		if _, ok := slow[id]; ok {
			slow[id] = now
		}
	}
	hold.slow = slow
	return ids
}
