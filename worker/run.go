package worker

import (
	"context"
	"fmt"
	"sync"
	"time"

	"go.uber.org/zap"

	"rollcall/internal/ledger"
	"rollcall/worker/freshness"
)

// leaving bounds how long a stop tells NATS, which may hang, that the worker is gone.
const leaving = time.Second

// Run works until ctx ends, then stops in two phases: no new question is
// asked, and what is held is stored within StopTimeout. It returns nil after
// an orderly stop, and an error that says how many observations were not stored.
func (w *Worker) Run(ctx context.Context) error {
	w.began = time.Now()
	// What processes and what keeps the claims alive outlives ctx.
	held, release := context.WithCancel(context.WithoutCancel(ctx))
	defer release()
	var beating sync.WaitGroup
	w.begin(ctx, held)
	beating.Go(func() { w.keepMembership(held) })
	beating.Go(func() { w.backlog.Run(held) })
	beating.Go(func() { freshness.Every(held, w.sampleAges) })

	if len(w.all()) == 0 {
		w.log.Warn("no tenant is configured: nothing is asked")
	}
	<-ctx.Done()
	tenants := w.halt()
	for _, t := range tenants {
		t.asking.Wait()
	}

	left := w.drain(held)
	if left > 0 {
		w.backlog.Hold() // before what hangs, which may take longer than a stop
	}
	release()
	beating.Wait()
	for _, t := range tenants {
		t.processing.Wait()
	}
	last, end := context.WithTimeout(context.WithoutCancel(ctx), leaving)
	defer end()
	if left == 0 {
		w.release(last)
	}
	w.leave(last)
	if left > 0 && w.backlog.Kept() {
		w.log.Warn("observations wait in the journal for the next start", zap.Int("observations", left))
		return nil
	}
	if left > 0 {
		return fmt.Errorf("stop worker: %d observations could not be stored within %s", left, w.cfg.StopTimeout)
	}
	return nil
}

// drain waits until every shard has processed what it holds, and returns the
// number of observations that still wait when the time is up.
func (w *Worker) drain(ctx context.Context) int {
	ctx, cancel := context.WithTimeout(ctx, w.cfg.StopTimeout)
	defer cancel()
	left := 0
	for _, s := range w.shards() {
		left += s.queue.Drain(ctx)
	}
	return left
}

// leave gives up the membership at once, so that others take over.
func (w *Worker) leave(ctx context.Context) {
	for _, t := range w.all() {
		t.publishAway(ctx)
	}
	if err := w.cfg.Ledger.Leave(ctx, w.cfg.ID); err != nil {
		w.log.Warn("leaving the members failed; the membership runs out by itself",
			zap.Duration("after", w.cfg.MemberTTL), zap.Error(err))
	}
}

// release says of the shards that are held that nobody holds them: the next
// claimant need not wait for this worker to come back.
func (w *Worker) release(ctx context.Context) {
	for _, s := range w.shards() {
		h := s.own.held()
		if h == nil {
			continue
		}
		msg, err := ledger.ReleaseMessage(w.cfg.Names, s.tenant.Name, s.number, h.term)
		if err == nil {
			_, err = w.cfg.Committer.Commit(ctx, []ledger.Message{msg})
		}
		if err != nil {
			s.log.Debug("could not release the shard; others wait for a moment", zap.Error(err))
		}
	}
}
