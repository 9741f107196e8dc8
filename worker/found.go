package worker

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"
)

// Busy counts the meetings of the tenant that this worker tracks, and reports
// whether it looks for others: of all workers only the holder of the tenant's
// first shard does, once it holds all that it is to hold. There is no other
// way to look than for all shards together.
func (w *Worker) Busy(tenant string) (tracked int, looks bool) {
	t := w.tenant(tenant)
	if t == nil {
		return 0, false
	}
	tracked, _ = t.sizes()
	for _, s := range t.shards() {
		if s.own.assigned.Load() && s.own.held() == nil {
			return tracked, false
		}
	}
	return tracked, t.shards()[0].own.held() != nil
}

// Found takes what a list of ongoing meetings says about the shards that this
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
	for _, s := range t.held() {
		n, err := run(ctx, s, func(ctx context.Context) (int, error) { return s.tracker.trackListed(ctx, source, listed) })
		if errors.Is(err, ErrNotHeld) {
			continue // its holder hears of it as well
		}
		if err != nil {
			return fmt.Errorf("take what was found: %w", err)
		}
		fresh += n
	}
	if fresh > 0 {
		t.log.Info("meetings found", zap.String("source", source), zap.Int("meetings", fresh))
		t.hurry()
	}
	return t.lookUp(ctx, source, listed, gone, restarted)
}

// lookUp asks about the meetings that are gone from a list, between two passes
// and after what these brought is processed: it may be known already.
func (t *tenant) lookUp(ctx context.Context, source string, listed, gone []string, restarted bool) error {
	if len(gone) == 0 && !restarted {
		return nil
	}
	for _, s := range t.shards() {
		err := s.lookUpGone(ctx, func(ctx context.Context) ([]string, error) {
			return run(ctx, s, func(context.Context) ([]string, error) {
				return s.tracker.missing(source, listed, gone, restarted), nil
			})
		})
		if err != nil {
			return fmt.Errorf("look up what is no longer listed: %w", err)
		}
	}
	return nil
}

// lookUpGone looks up the meetings that find returns, once what was asked before
// is processed. For as long as that takes passes go on.
func (s *shard) lookUpGone(ctx context.Context, find func(context.Context) ([]string, error)) error {
	for done := false; !done && s.own.held() != nil; {
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

// processedSoon is for how long a pass waits until what was asked before it is
// processed.
const processedSoon = time.Second

// lookUpBetween looks meetings up between two passes, unless what the pass before
// has brought is not processed soon: NATS may be away.
func (s *shard) lookUpBetween(ctx context.Context, find func(context.Context) ([]string, error)) (done bool, err error) {
	if !s.parent.turns.begin(ctx) {
		return false, ctx.Err()
	}
	defer s.parent.turns.finish()
	soon, cancel := context.WithTimeout(ctx, processedSoon)
	defer cancel()
	if s.queue.Drain(soon) > 0 {
		return false, ctx.Err()
	}
	ids, err := find(soon)
	l := s.own.held()
	switch {
	case l == nil || errors.Is(err, ErrNotHeld):
		return true, nil
	case soon.Err() != nil && err != nil:
		return false, ctx.Err()
	case err == nil && len(ids) > 0:
		s.polling.lookUp(ctx, l, ids)
	}
	return true, err
}
