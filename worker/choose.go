package worker

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"sync"
	"time"

	"rollcall/poller"
)

// due picks the meetings to ask about now, and remembers when it picked those
// that are not asked about at every pass. The ids may be the plan's own.
func (p *polling) due(now time.Time) []string {
	plan := p.meetings.plan()
	if len(plan.slow) == 0 {
		p.slow = nil
		return plan.ids
	}
	candidates := make([]poller.Candidate, 0, len(plan.ids)+len(plan.slow))
	for _, id := range plan.ids {
		candidates = append(candidates, poller.Candidate{ID: id})
	}
	slow := make(map[string]time.Time, len(plan.slow))
	for _, id := range plan.slow {
		slow[id] = p.slow[id]
		candidates = append(candidates, poller.Candidate{ID: id, Slow: true, LastAsked: slow[id]})
	}
	ids := poller.Plan{BatchSize: p.tenant.BatchSize}.Due(now, candidates)
	for _, id := range ids {
		if _, ok := slow[id]; ok {
			slow[id] = now
		}
	}
	p.slow = slow
	return ids
}

const (
	// recently is for how long a change makes a meeting worth more calls.
	recently = 10 * time.Minute
	// boost is how much more often one that changed recently is asked about.
	boost = 4
)

// choose picks of the meetings that are due those that full calls suffice for:
// those first that have waited longest, where the wait of one that changed
// recently counts fourfold. Nobody waits forever. later are the others.
func (p *polling) choose(due []string, calls int, now time.Time) (ids, later []string) {
	changed := p.recent.since(now.Add(-recently))
	if calls >= p.tenant.costs(len(due)) {
		p.asked = nil
		return due, nil
	}
	wait := func(id string) time.Duration {
		waited := now.Sub(p.asked[id])
		if changed[id] && waited < math.MaxInt64/boost {
			waited *= boost
		}
		return waited
	}
	due = slices.Clone(due) // it may be the plan's
	slices.SortStableFunc(due, func(a, b string) int { return cmp.Compare(wait(b), wait(a)) })
	seats := min(max(calls, 0)*p.tenant.batchSize(), len(due))
	ids, later = due[:seats], due[seats:]
	p.remember(ids, later, now)
	return ids, later
}

// remember notes which are asked about now, and forgets those that are gone.
func (p *polling) remember(ids, later []string, now time.Time) {
	asked := make(map[string]time.Time, len(ids)+len(later))
	for _, id := range later {
		if at, ok := p.asked[id]; ok {
			asked[id] = at
		}
	}
	for _, id := range ids {
		asked[id] = now
	}
	p.asked = asked
}

// recentChanges is which meetings changed lately. The zero value is ready to use.
type recentChanges struct {
	mu sync.Mutex
	at map[string]time.Time
}

// note says that a meeting has changed.
func (r *recentChanges) note(id string, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.at == nil {
		r.at = make(map[string]time.Time)
	}
	r.at[id] = now
}

// since returns the meetings that changed after then, and forgets the others.
func (r *recentChanges) since(then time.Time) map[string]bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	maps.DeleteFunc(r.at, func(_ string, at time.Time) bool { return !at.After(then) })
	changed := make(map[string]bool, len(r.at))
	for id := range r.at {
		changed[id] = true
	}
	return changed
}
