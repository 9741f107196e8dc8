package worker

import (
	"cmp"
	"context"
	"math"
	"slices"
	"sync/atomic"
	"time"

	"rollcall/poller"
)

// allowedCalls returns how many calls a pass may begin with; ok is false when there is
// to be none now. A pass that asks nothing costs nothing.
func (t *tenant) allowedCalls(ctx context.Context) (calls int, ok bool) {
	tracked, watched := t.sizes()
	if t.cfg.Hints.Healthy() { // those that have not started are hardly asked about
		rare := asleep(t.held())
		tracked, watched = tracked-rare, watched+rare
	}
	if t.cfg.Budget == nil || !t.holds() {
		return math.MaxInt, true
	}
	calls, err := t.cfg.Budget.Allow(ctx, tracked, watched)
	if ctx.Err() != nil {
		return 0, false
	}
	t.budgetErrors.Note(err)
	if err != nil {
		t.statuses.put(t.status(poller.StateQuota))
	}
	if t.cfg.Hints.Healthy() && len(t.cfg.Hints.pending()) == 0 {
		calls-- // the next hint is not to wait until another one has been saved
	}
	return calls, calls > 0 || tracked+watched == 0
}

// sizes counts the meetings of the shards that this worker holds.
func (t *tenant) sizes() (tracked, watched int) {
	for _, s := range t.held() {
		p := s.meetings.plan()
		tracked, watched = tracked+len(p.ids), watched+len(p.slow)+len(p.summaries)
	}
	return tracked, watched
}

// held are the shards that this worker holds.
func (t *tenant) held() (held []*shard) {
	for _, s := range t.shards() {
		if s.own.held() != nil {
			held = append(held, s)
		}
	}
	return held
}

func (t *tenant) holds() bool { return len(t.held()) > 0 }

// rotated returns the shards, beginning with another one each time where a budget
// may not suffice for all.
func (t *tenant) rotated() []*shard {
	shards := t.shards()
	if t.cfg.Budget == nil || len(shards) == 1 {
		return shards
	}
	t.first = (t.first + 1) % len(shards)
	return slices.Concat(shards[t.first:], shards[:t.first])
}

// costs is how many calls a question about so many meetings takes.
func (t *Tenant) costs(meetings int) int {
	size := t.batchSize()
	return (meetings + size - 1) / size
}

func (t *Tenant) batchSize() int { return cmp.Or(max(t.BatchSize, 0), poller.DefaultBatchSize) }

// busy is how a tenant's last pass went.
type busy struct {
	asking atomic.Bool  // it was answered, and nothing holds the next one back
	took   atomic.Int64 // nanoseconds
}

// reset says that a pass begins about which nothing is known yet.
func (b *busy) reset() { b.asking.Store(false) }

func (b *busy) note(began time.Time, answered int, state string) {
	b.asking.Store(answered > 0 && state == poller.StateOK)
	b.took.Store(int64(time.Since(began)))
}

// again reports whether the next pass may begin at once. After one that found
// nothing to ask, or was refused, it may not: it would spin.
func (b *busy) again() bool { return b.asking.Load() }

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
