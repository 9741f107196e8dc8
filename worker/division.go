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
	said  bool // this worker has told the ledger its own number; belongs to the heartbeat
	older int  // how often in a row the ledger showed an earlier division; belongs to the heartbeat

	mu      sync.Mutex
	retired []*shard // of earlier divisions, that have something to settle
}

func (d *divided) retire(shards []*shard) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.retired = append(d.retired, shards...)
}

// gone forgets a shard of an earlier division that has nothing left to settle.
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
	names := make([]string, len(w.tenants))
	for i, t := range w.tenants {
		names[i] = t.cfg.Name
	}
	all, err := w.cfg.Ledger.Shards(ctx, names)
	if err != nil {
		return err
	}
	for _, t := range w.tenants {
		said, err := t.sayDivision(ctx, all[t.cfg.Name])
		if err != nil {
			return err
		}
		t.follow(said)
	}
	return nil
}

// sayDivision tells the ledger the number of the configuration, once, and the
// number in force where the ledger has lost it.
func (t *tenant) sayDivision(ctx context.Context, said ledger.Shards) (ledger.Shards, error) {
	count := t.cfg.Shards
	if t.division.said {
		count = len(t.shards())
	}
	if said.Count == count || t.division.said && said.Count != 0 {
		t.division.said = true
		return said, nil
	}
	now, err := t.w.cfg.Ledger.SetShards(ctx, t.cfg.Name, count, t.w.cfg.ID, said.Revision)
	if err != nil {
		return said, fmt.Errorf("say the number of shards: %w", err)
	}
	t.division.said = true
	if said.Count != 0 {
		t.log.Info("the number of shards was another one; all workers follow", zap.Int("shards", count), zap.Int("before", said.Count))
	}
	return now, nil
}

// follow divides the tenant's meetings as the ledger says. What is held under
// the division before is settled and given up; its claims do not count any more.
func (t *tenant) follow(said ledger.Shards) {
	now := t.division.now.Load()
	if said.Revision == now.revision {
		t.division.older = 0
		return
	}
	// An earlier one is what a lagging follower shows. Only another ledger goes on.
	if t.division.older++; said.Revision < now.revision && t.division.older < 3 {
		return
	}
	t.division.older = 0
	if now.revision == 0 && said.Count == len(now.shards) { // nothing was claimed yet
		t.division.now.Store(&division{said.Revision, now.shards})
		return
	}
	t.log.Info("the meetings are divided anew", zap.Int("shards", said.Count), zap.Int("before", len(now.shards)))
	next := t.newShards(said.Count)
	t.division.retire(now.shards)
	t.division.now.Store(&division{said.Revision, next})
	for _, s := range now.shards {
		s.retired.Store(true)
		s.want(false, false)
	}
	for _, s := range next {
		t.w.spawn(s)
	}
	t.w.stir()
}

// errDivided says that a claim came too late to count.
var errDivided = errors.New("the number of shards has changed meanwhile")

// stillDivided makes sure after a claim that the division under which it was made
// is the last one. One that comes later brings claims with later terms.
func (s *shard) stillDivided(ctx context.Context) error {
	t := s.tenant
	all, err := t.w.cfg.Ledger.Shards(ctx, []string{t.cfg.Name})
	if err != nil {
		return err
	}
	if s.retired.Load() || all[t.cfg.Name].Revision != t.division.now.Load().revision {
		t.w.stir()
		return fmt.Errorf("claim a shard of tenant %s: %w", t.cfg.Name, errDivided)
	}
	return nil
}
