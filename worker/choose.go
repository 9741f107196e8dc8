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
// that are not asked about at every pass: that are over, and where pushes would
// tell of their start, that have not started. The ids may be the plan's own.
func (p *polling) due(now time.Time, hinted map[string]uint64) []string {
	plan := p.meetings.plan()
	rare := plan.slow
	if len(plan.asleep) > 0 && p.tenant.Hints.Healthy() {
		rare = slices.Concat(rare, plan.asleep)
	}
	if len(rare) == 0 {
		p.slow = nil
		return plan.ids
	}
	candidates := make([]poller.Candidate, 0, len(plan.ids)+len(rare))
	slow := make(map[string]time.Time, len(rare))
	for _, id := range rare {
		if _, woken := hinted[id]; !woken {
			slow[id] = p.slow[id]
			candidates = append(candidates, poller.Candidate{ID: id, Slow: true, LastAsked: slow[id]})
		}
	}
	for _, id := range plan.ids {
		if _, isSlow := slow[id]; !isSlow {
			candidates = append(candidates, poller.Candidate{ID: id})
		}
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
// those first that hints name, then those that have waited longest, where the wait
// of one that changed recently counts fourfold. Nobody waits forever. later are the
// others.
func (p *polling) choose(due []string, hinted map[string]uint64, calls int, now time.Time) (ids, later []string) {
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
	slices.SortStableFunc(due, func(a, b string) int {
		return cmp.Or(cmp.Compare(min(hinted[b], 1), min(hinted[a], 1)), cmp.Compare(wait(b), wait(a)))
	})
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
