package worker

import (
	"context"
	"errors"
	"fmt"

	"go.uber.org/zap"

	"rollcall/poller"
)

// errStopped is why no tenant is replaced any more.
var errStopped = errors.New("the worker does not run")

// Replace puts what next returns in the place of the tenant with this name, adds it
// where there is none, or with nil takes that one out. All other tenants go on
// meanwhile. The one that was there asks nothing more, stores what it holds, and lets
// go of its shards; then next is called, and the tenant that it returns claims them
// under a new term. While NATS is away this waits, and before [Worker.Run] until that
// was called. It is an error when ctx ends before that, or the worker stops: the tenant
// then asks nothing any more, and Replace may be called again.
func (w *Worker) Replace(ctx context.Context, name string, next func() *Tenant) error {
	w.replacing.Lock()
	defer w.replacing.Unlock()
	select {
	case <-w.begun:
	case <-ctx.Done():
		return fmt.Errorf("replace tenant %s: wait until the worker runs: %w", name, context.Cause(ctx))
	}
	old := w.tenant(name)
	looked := old != nil && old.holds() && len(old.others()) == 0
	if old != nil {
		if err := old.retire(ctx); err != nil {
			return fmt.Errorf("replace tenant %s: %w", name, err)
		}
	}
	var t *tenant
	if cfg := next(); cfg != nil {
		t = newTenant(w, *cfg)
	}
	if !w.swap(old, t) {
		return fmt.Errorf("replace tenant %s: %w", name, errStopped)
	}
	w.stir()
	if t != nil || old == nil {
		return nil
	}
	w.metrics.forget(name)
	if looked {
		if err := w.cfg.Committer.PutStatus(ctx, name, old.status(poller.StateAway)); err != nil {
			old.log.Warn("publishing the last status failed", zap.Error(err))
		}
	}
	return nil
}

// retire ends the tenant: it asks nothing more, and its shards are let go of once
// what they hold is stored.
func (t *tenant) retire(ctx context.Context) error {
	t.stop()
	if t.division.end() {
		close(t.turns.over)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		t.asking.Wait()
		t.processing.Wait()
	}()
	select {
	case <-ended:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("wait until what it holds is stored: %w", context.Cause(ctx))
	}
}
