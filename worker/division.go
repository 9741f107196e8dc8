package worker

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"go.uber.org/zap"

	"rollcall/internal/ledger"
	"rollcall/worker/membership"
)

// division is how the meetings of a tenant are divided. The ledger says into how
// many shards, so that workers of two configurations never divide them otherwise:
// a meeting would be asked about twice, or by nobody, where the record bears a
// later term than the claim of the shard that it belongs to.
type division struct {
	revision uint64 // stream sequence of what says it; 0: the configuration alone does
	shards   []*shard
}

// divided is the division of a tenant, and what is left of earlier ones.
type divided struct {
	now   atomic.Pointer[division]
	count membership.ShardCount // belongs to the heartbeat

	mu      sync.Mutex
	retired []*shard // of earlier divisions, that have something to process

	dividing sync.Mutex // held while the meetings are divided anew; guards what follows
	over     bool       // the shards are let go of, and there are no others
}

// end has the shards let go of for good, and reports whether this is the first call.
func (d *divided) end() bool {
	d.dividing.Lock()
	defer d.dividing.Unlock()
	first := !d.over
	d.over = true
	for _, s := range d.now.Load().shards {
		s.own.retired.Store(true)
		s.queue.Wake()
	}
	return first
}

func (d *divided) retire(shards []*shard) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.retired = append(d.retired, shards...)
}

// gone forgets a shard of an earlier division that has nothing left to process.
func (d *divided) gone(s *shard) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.retired = slices.DeleteFunc(d.retired, func(r *shard) bool { return r == s })
}

func (d *divided) left() []*shard {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.retired)
}

// shards are those that the tenant's meetings form now.
func (t *tenant) shards() []*shard { return t.division.now.Load().shards }

// Shards is how many shards the tenant's meetings form, for all workers; 0:
// there is no such tenant.
func (w *Worker) Shards(tenant string) int {
	if t := w.tenant(tenant); t != nil {
		return len(t.shards())
	}
	return 0
}

func (t *tenant) newShards(count int) []*shard {
	shards := make([]*shard, count)
	for n := range shards {
		shards[n] = newShard(t, n, count)
	}
	return shards
}

// divide follows what the ledger says of the numbers of shards. A worker that
// starts says its own, if it is another one.
func (w *Worker) divide(ctx context.Context) error {
	tenants := w.all()
	names := make([]string, len(tenants))
	for i, t := range tenants {
		names[i] = t.cfg.Name
	}
	era := w.ground.Replaced()
	all, err := w.cfg.Ledger.Shards(ctx, names)
	if err != nil {
		return err
	}
	for _, t := range tenants {
		said, changed, err := t.division.count.Say(ctx, w.cfg.Ledger, all[t.cfg.Name], len(t.shards()))
		if err != nil {
			return err
		}
		if changed {
			t.log.Info("number of shards changed in the ledger; all workers follow",
				zap.Int("shards", said.Count), zap.Int("before", all[t.cfg.Name].Count))
		}
		w.ground.Note(era, said.Revision)
		t.follow(said)
	}
	return nil
}

// follow divides the tenant's meetings as the ledger says. What is held under
// the division before is processed and given up; its claims no longer count.
func (t *tenant) follow(said ledger.Shards) {
	t.division.dividing.Lock()
	defer t.division.dividing.Unlock()
	now := t.division.now.Load()
	if t.division.over || !t.division.count.Follows(said.Revision, now.revision) {
		return
	}
	if now.revision == 0 && said.Count == len(now.shards) { // nothing was claimed yet
		t.division.now.Store(&division{said.Revision, now.shards})
		return
	}
	t.log.Info("meetings divided anew", zap.Int("shards", said.Count), zap.Int("before", len(now.shards)))
	next := t.newShards(said.Count)
	t.division.retire(now.shards)
	t.division.now.Store(&division{said.Revision, next})
	for _, s := range now.shards {
		s.own.retired.Store(true)
		s.assign(false, false)
	}
	for _, s := range next {
		t.spawn(s)
	}
	t.w.stir()
}

// errDivided says that a claim came too late to count.
var errDivided = errors.New("the number of shards has changed meanwhile")

// stillDivided makes sure after a claim that the division under which it was made
// is the last one. One that comes later brings claims with later terms.
func (s *shard) stillDivided(ctx context.Context) error {
	all, err := s.cfg.Ledger.Shards(ctx, []string{s.tenant.Name})
	if err != nil {
		return err
	}
	if s.own.retired.Load() || all[s.tenant.Name].Revision != s.parent.division.now.Load().revision {
		s.polling.stir()
		return fmt.Errorf("claim a shard of tenant %s: %w", s.tenant.Name, errDivided)
	}
	return nil
}
