package worker

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"rollcall/internal/ledger"
	"rollcall/internal/streak"
	"rollcall/worker/ground"
	"rollcall/worker/membership"
)

// keepMembership beats three times a TTL, and whenever a shard was taken or
// given up, and hands each shard to the live worker it belongs to.
func (w *Worker) keepMembership(ctx context.Context) {
	ticker := time.NewTicker(w.cfg.MemberTTL / 3)
	defer ticker.Stop()
	trouble := streak.Log{Logger: w.log, What: "membership"}
	ticks := 0
	for beat := uint64(1); ; beat++ {
		now := time.Now()
		w.turned.Store(&now)
		if err := w.beatOnce(ctx, beat); ctx.Err() == nil {
			trouble.Note(err)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			// Once a TTL; but workers that start together claim the same shards for a moment.
			if ticks++; ticks <= 3 || ticks%3 == 0 {
				for _, s := range w.shards() {
					s.recheckLease()
				}
			}
		case <-w.changed:
		}
	}
}

func (w *Worker) beatOnce(ctx context.Context, beat uint64) error {
	ctx, cancel := context.WithTimeout(ctx, w.cfg.MemberTTL/2)
	defer cancel()
	sent := time.Now()
	if err := w.register(ctx, beat); err != nil {
		return err
	}
	if err := w.ground.Look(ctx); err != nil {
		return err
	}
	w.heart.Confirm(sent)
	if err := w.divide(ctx); err != nil {
		return err
	}
	members, err := w.cfg.Ledger.Members(ctx)
	if err != nil {
		return err
	}
	if err := w.peers.Meet(members, beat); err != nil {
		return err
	}
	w.assign()
	return nil
}

// register says that this worker lives, and what it holds.
func (w *Worker) register(ctx context.Context, beat uint64) error {
	data, err := json.Marshal(w.info(beat))
	if err != nil {
		return fmt.Errorf("say what this worker holds: %w", err)
	}
	err = w.cfg.Ledger.Heartbeat(ctx, w.cfg.ID, data, w.cfg.MemberTTL)
	if errors.Is(err, ledger.ErrGone) {
		return cmp.Or(w.ground.Renew(ctx, ground.Members, err), err)
	}
	if err == nil {
		w.ground.Right(ground.Members)
	}
	return err
}

// assign informs every shard whether it belongs to this worker. Nothing is
// asked before each of them has heard it.
func (w *Worker) assign() {
	for _, t := range w.all() {
		for _, s := range t.shards() {
			mine := w.peers.Owns(t.cfg.Name, s.number)
			s.assign(mine, mine && s.own.held() == nil && s.blocked())
		}
	}
	w.assigned.Store(true)
}

// info is what the worker says of itself.
func (w *Worker) info(beat uint64) membership.Info {
	info := membership.Info{
		Schema: membership.InfoSchema, Version: w.cfg.Version, Shards: []membership.Held{}, Tenants: make(map[string]membership.TenantReport), Knows: []string{}, Beat: beat,
	}
	for _, t := range w.all() {
		info.Knows = append(info.Knows, t.cfg.Name)
		if t.holds() {
			info.Tenants[t.cfg.Name] = membership.TenantReport{Unlimited: t.cfg.Budget == nil, Ages: t.ages.Recent()}
		}
	}
	for _, s := range w.shards() {
		name := s.tenant.Name
		if h := s.own.held(); h != nil {
			info.Shards = append(info.Shards, membership.Held{
				Tenant: name, Shard: s.number, Of: s.of, Term: h.term,
				Tracked: len(s.meetings.plan().ids), LastGood: s.polling.lastGood().Truncate(time.Millisecond), State: s.polling.state(),
				LookedAt: s.watch.lookedAt().Truncate(time.Millisecond),
				Waiting:  s.waits(), Settled: s.queue.Stored(),
			})
		} else if s.leaves() {
			info.Leaving = append(info.Leaving, membership.Leaving{Tenant: name, Shard: s.number, Of: s.of, Waiting: s.waits(), Settled: s.queue.Stored()})
		}
	}
	return info
}
