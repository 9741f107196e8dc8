package worker

import (
	"cmp"
	"context"
	"maps"
	"math"
	"slices"
	"sync"
	"time"

	"rollcall/poller"
)

// afford gives how many calls a pass may begin with; ok is false when there is
// to be none now. A pass that asks nothing costs nothing.
func (t *tenant) afford(ctx context.Context) (calls int, ok bool) {
	tracked, watched, held := t.sizes()
	if t.cfg.Budget == nil || !held {
		return math.MaxInt, true
	}
	calls, err := t.cfg.Budget.Allow(ctx, tracked, watched)
	if ctx.Err() != nil {
		return 0, false
	}
	t.means.Note(err)
	if err != nil {
		t.say(t.status(poller.StateQuota))
	}
	return calls, calls > 0 || tracked+watched == 0
}

// sizes counts the meetings of the shards that this worker holds.
func (t *tenant) sizes() (tracked, watched int, held bool) {
	for _, s := range t.shards() {
		if s.held.Load() == nil {
			continue
		}
		held = true
		p := s.plan.Load()
		tracked, watched = tracked+len(p.ids), watched+len(p.slow)
	}
	return tracked, watched, held
}

// inTurn gives the shards, beginning with another one each time where a budget
// may not suffice for all.
func (t *tenant) inTurn() []*shard {
	shards := t.shards()
	if t.cfg.Budget == nil || len(shards) == 1 {
		return shards
	}
	t.first = (t.first + 1) % len(shards)
	return slices.Concat(shards[t.first:], shards[:t.first])
}

// costs is how many calls a question about so many meetings takes.
func (t *tenant) costs(meetings int) int {
	size := t.batchSize()
	return (meetings + size - 1) / size
}

func (t *tenant) batchSize() int { return cmp.Or(max(t.cfg.BatchSize, 0), poller.DefaultBatchSize) }

// skips reports whether the calls are used up before the shard's turn came.
func (s *shard) skips(calls int) bool {
	p := s.plan.Load()
	return calls <= 0 && len(p.ids)+len(p.slow) > 0
}

// pace is the time between two passes.
func (t *tenant) pace() time.Duration {
	pace := t.cfg.Schedule.Pace()
	if t.cfg.Schedule.Continuous() {
		pace = max(pace, time.Duration(t.busy.took.Load()))
	}
	if t.cfg.Budget != nil {
		pace = max(pace, t.cfg.Budget.Pace())
	}
	return pace
}

const (
	// lately is for how long a change makes a meeting worth more calls.
	lately = 10 * time.Minute
	// livelier is how much more often one that changed lately is asked about.
	livelier = 4
)

// choose picks of the meetings that are due those that full calls suffice for:
// those first that have waited longest, where the wait of one that changed
// lately counts fourfold. Nobody waits forever. later are the others.
func (s *shard) choose(hold *hold, due []string, calls int, now time.Time) (ids, later []string) {
	lively := s.news.since(now.Add(-lately))
	if calls >= s.tenant.costs(len(due)) {
		hold.asked = nil
		return due, nil
	}
	wait := func(id string) time.Duration {
		waited := now.Sub(hold.asked[id])
		if lively[id] && waited < math.MaxInt64/livelier {
			waited *= livelier
		}
		return waited
	}
	due = slices.Clone(due) // it may be the plan's
	slices.SortStableFunc(due, func(a, b string) int { return cmp.Compare(wait(b), wait(a)) })
	seats := min(max(calls, 0)*s.tenant.batchSize(), len(due))
	ids, later = due[:seats], due[seats:]
	s.remember(hold, ids, later, now)
	return ids, later
}

// remember notes who is asked about now, and forgets those that are gone.
func (s *shard) remember(hold *hold, ids, later []string, now time.Time) {
	asked := make(map[string]time.Time, len(ids)+len(later))
	for _, id := range later {
		if at, ok := hold.asked[id]; ok {
			asked[id] = at
		}
	}
	for _, id := range ids {
		asked[id] = now
	}
	hold.asked = asked
}

// news is which meetings changed lately. The zero value is ready to use.
type news struct {
	mu sync.Mutex
	at map[string]time.Time
}

// note says that a meeting has changed.
func (n *news) note(id string, now time.Time) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.at == nil {
		n.at = make(map[string]time.Time)
	}
	n.at[id] = now
}

// since gives the meetings that changed after then, and forgets the others.
func (n *news) since(then time.Time) map[string]bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	maps.DeleteFunc(n.at, func(_ string, at time.Time) bool { return !at.After(then) })
	lively := make(map[string]bool, len(n.at))
	for id := range n.at {
		lively[id] = true
	}
	return lively
}
