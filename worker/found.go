package worker

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"go.uber.org/zap"

	"rollcall"
	"rollcall/internal/ledger"
	"rollcall/poller"
)

// overFor is for how long a meeting that has ended is not tracked again because
// a list still names it: lists lag behind.
const overFor = 10 * time.Minute

// Busy counts the meetings of the tenant that this worker tracks, and tells
// whether it looks for others: of all workers only the holder of the tenant's
// first shard does, once it holds all that it is to hold. There is no other
// way to look than for all shards together.
func (w *Worker) Busy(tenant string) (tracked int, looks bool) {
	t := w.tenant(tenant)
	if t == nil {
		return 0, false
	}
	tracked, _, _ = t.sizes()
	for _, s := range t.shards() {
		if s.assigned.Load() && s.held.Load() == nil {
			return tracked, false
		}
	}
	return tracked, t.shards()[0].held.Load() != nil
}

// Found takes what a list of ongoing meetings tells about the shards that this
// worker holds: those listed are tracked from now on, with the list as their
// source, and asked about with the next pass; those gone from it are looked up
// at once, if they are tracked. After a restart, when nobody knows what the
// list held before, all that it once brought and does not name are gone.
func (w *Worker) Found(ctx context.Context, tenant, source string, listed, gone []string, restarted bool) error {
	t := w.tenant(tenant)
	if t == nil {
		return fmt.Errorf("take what was found: %w: %s", ErrNoTenant, tenant)
	}
	fresh := 0
	for _, s := range t.shards() {
		if s.held.Load() == nil {
			continue
		}
		n, err := s.found(ctx, source, listed)
		if errors.Is(err, ErrNotHeld) {
			continue // whoever holds it now is told as well
		}
		if err != nil {
			return fmt.Errorf("take what was found: %w", err)
		}
		fresh += n
	}
	if fresh > 0 {
		t.log.Info("meetings were found", zap.String("source", source), zap.Int("meetings", fresh))
		t.hurry()
	}
	return t.lookUp(ctx, source, listed, gone, restarted)
}

// found tracks the listed meetings of the shard that are not tracked yet, and
// gives how many these are.
func (s *shard) found(ctx context.Context, source string, listed []string) (fresh int, err error) {
	return obey(ctx, s, func(ctx context.Context) (int, error) {
		ids, err := s.choice(ctx, listed)
		if err != nil || len(ids) == 0 {
			return 0, err
		}
		for part := range slices.Chunk(ids, ledger.MaxBatchMessages) {
			if err := s.trackAll(ctx, source, part); err != nil {
				return 0, err
			}
		}
		return len(ids), nil
	})
}

// declinedFor is for how long no list may have named a meeting that an operator
// declined until that is forgotten.
const declinedFor = 24 * time.Hour

// choice gives the listed meetings of the shard that are to be tracked and are
// not. What became of those of which nothing is known here is read first.
func (s *shard) choice(ctx context.Context, listed []string) (ids []string, err error) {
	var unheard []*rollcall.Sighting
	for _, id := range listed {
		if s.mine(id) && s.entries[id] == nil && id != "" && len(id) <= rollcall.MaxID {
			unheard = append(unheard, &rollcall.Sighting{ConferenceID: id})
		}
	}
	if err := s.load(ctx, unheard); err != nil {
		return nil, err
	}
	for _, sighting := range unheard {
		if e := s.entries[sighting.ConferenceID]; e != nil && !s.wants(sighting.ConferenceID, e) {
			delete(s.entries, sighting.ConferenceID)
		}
	}
	for _, id := range listed {
		if e := s.entries[id]; s.mine(id) && e != nil && s.wants(id, e) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids), nil
}

// wants reports whether a listed meeting is to be tracked that is not. One that
// an operator took off the tracked set while it went on is not, for as long as
// its record is kept; one that had not started in time is, once it goes on.
func (s *shard) wants(id string, e *entry) bool {
	switch {
	case e.tracked:
		return false
	case !s.declined[id].IsZero():
		s.declined[id] = time.Now()
		return false
	case !e.record.Over():
		return true
	case e.record.Untracked():
		return s.freed[id] || e.record.Status() < rollcall.StatusStarted
	}
	return time.Since(e.record.Whole().ObservedAt) >= overFor
}

func (s *shard) trackAll(ctx context.Context, source string, ids []string) error {
	now, labels := time.Now().UTC(), s.tenant.cfg.FoundLabels[source]
	var wanted []ledger.Tracking
	for _, id := range ids {
		wanted = append(wanted, ledger.Tracking{ConferenceID: id, Source: source, Since: now, Labels: labels})
	}
	if err := s.storeTracked(ctx, wanted); err != nil {
		s.unsureOf(err, ids...)
		return err
	}
	for _, id := range ids {
		s.entries[id].record.Void() // the next answer counts, also one that is known already
	}
	s.replan()
	return nil
}

// lookUp asks about the meetings that are gone from a list, between two passes
// and after what these brought is settled: it may be known already.
func (t *tenant) lookUp(ctx context.Context, source string, listed, gone []string, restarted bool) error {
	if len(gone) == 0 && !restarted {
		return nil
	}
	for _, s := range t.shards() {
		err := s.lookUpGone(ctx, func(ctx context.Context) ([]string, error) {
			return s.missing(ctx, source, listed, gone, restarted)
		})
		if err != nil {
			return fmt.Errorf("look up what is no longer listed: %w", err)
		}
	}
	return nil
}

// lookUpGone looks up the meetings that find gives, once what was asked before
// is settled. For as long as that takes passes go on.
func (s *shard) lookUpGone(ctx context.Context, find func(context.Context) ([]string, error)) error {
	for done := false; !done && s.held.Load() != nil; {
		if s.queue.Drain(ctx) > 0 {
			return ctx.Err()
		}
		var err error
		if done, err = s.lookUpBetween(ctx, find); err != nil {
			return err
		}
	}
	return nil
}

// settledSoon is for how long a pass waits until what was asked before it is settled.
const settledSoon = time.Second

// lookUpBetween looks meetings up between two passes, unless what the pass before
// has brought is not settled soon: NATS may be away.
func (s *shard) lookUpBetween(ctx context.Context, find func(context.Context) ([]string, error)) (done bool, err error) {
	if !s.tenant.begin(ctx) {
		return false, ctx.Err()
	}
	defer s.tenant.finish()
	soon, cancel := context.WithTimeout(ctx, settledSoon)
	defer cancel()
	if s.queue.Drain(soon) > 0 {
		return false, ctx.Err()
	}
	ids, err := find(soon)
	hold := s.held.Load()
	switch {
	case hold == nil || errors.Is(err, ErrNotHeld):
		return true, nil
	case soon.Err() != nil && err != nil:
		return false, ctx.Err()
	case err == nil && len(ids) > 0:
		s.ask(ctx, hold, poller.Ask{Shard: aside, Lookups: ids})
	}
	return true, err
}

// missing gives the tracked meetings of the shard that are gone from a list.
func (s *shard) missing(ctx context.Context, source string, listed, gone []string, restarted bool) ([]string, error) {
	known := make(map[string]bool, len(listed))
	for _, id := range listed {
		known[id] = true
	}
	return obey(ctx, s, func(context.Context) (ids []string, _ error) {
		for _, id := range gone {
			if e := s.entries[id]; e != nil && e.tracked {
				ids = append(ids, id)
			}
		}
		for id, e := range s.entries {
			if restarted && e.tracked && e.tracking.Source == source && !known[id] {
				ids = append(ids, id)
			}
		}
		slices.Sort(ids)
		return slices.Compact(ids), nil
	})
}
