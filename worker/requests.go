package worker

import (
	"context"
	"fmt"
	"time"

	"github.com/cenkalti/backoff/v4"

	"rollcall/internal/streak"
	"rollcall/publisher"
	"rollcall/worker/membership"
)

// request is something that is to be done by a shard's goroutine.
type request func(ctx context.Context)

// requests are what others want done between two observations.
type requests struct {
	changes chan request
	looks   chan request  // those that change nothing: they are not kept waiting by a back-off
	over    chan struct{} // closed once nobody serves them
}

func newRequests() *requests {
	return &requests{changes: make(chan request), looks: make(chan request), over: make(chan struct{})}
}

// serve does one that waits; the observations must not starve it.
func (r *requests) serve(ctx context.Context) {
	select {
	case do := <-r.changes:
		do(ctx)
	case do := <-r.looks:
		do(ctx)
	default:
	}
}

// await serves a request, unless ready comes first or ctx ends.
func (r *requests) await(ctx context.Context, ready <-chan struct{}) {
	select {
	case <-ready:
	case do := <-r.changes:
		do(ctx)
	case do := <-r.looks:
		do(ctx)
	case <-ctx.Done():
	}
}

// run lets the shard's goroutine do something, once it holds the shard, and
// returns what came of it. The caller may be gone by then: what do finds goes
// through the channel, and do writes to nothing of the caller's.
func run[T any](ctx context.Context, s *shard, do func(ctx context.Context) (T, error)) (T, error) {
	return submit(ctx, s, s.requests.changes, do)
}

// look is run for what changes nothing: it does not wait behind what is tried
// again and again.
func look[T any](ctx context.Context, s *shard, do func(ctx context.Context) (T, error)) (T, error) {
	return submit(ctx, s, s.requests.looks, do)
}

func submit[T any](ctx context.Context, s *shard, to chan<- request, do func(ctx context.Context) (T, error)) (found T, err error) {
	if s.own.held() == nil {
		return found, ErrNotHeld
	}
	type outcome struct {
		found T
		err   error
	}
	done := make(chan outcome, 1)
	select {
	case to <- func(ctx context.Context) {
		o := outcome{err: ErrNotHeld} // it was lost while the request waited for its turn
		if s.own.held() != nil {
			o.found, o.err = do(ctx)
		}
		s.meetings.makePlan()
		done <- o
	}:
	case <-s.requests.over:
		return found, ErrNotHeld // the meetings are divided otherwise now
	case <-ctx.Done():
		return found, fmt.Errorf("wait for the shard's turn: %w", context.Cause(ctx))
	}
	select {
	case o := <-done:
		return o.found, o.err
	case <-ctx.Done():
		return found, fmt.Errorf("wait for the request to be done: %w", context.Cause(ctx))
	}
}

// retrier waits between two attempts at the ledger. It belongs to the shard's
// goroutine.
type retrier struct {
	pause backoff.BackOff
	heart *membership.Heartbeat
	looks <-chan request // served meanwhile
}

func newRetrier(heart *membership.Heartbeat, looks <-chan request) *retrier {
	return &retrier{pause: publisher.NewBackOff(), heart: heart, looks: looks}
}

// wait lets the time of the back-off pass, or less: where the ledger has taken
// something of any shard, or a heartbeat after a lapse, it is worth trying now.
func (r *retrier) wait(ctx context.Context) {
	timer := time.NewTimer(r.pause.NextBackOff())
	defer timer.Stop()
	back := r.heart.Back()
	for {
		select {
		case <-timer.C:
		case <-back:
		case <-ctx.Done():
		case do := <-r.looks:
			do(ctx)
			continue
		}
		return
	}
}

// works notes that the ledger has taken something, and lets all know where it
// did not before.
func (r *retrier) works(t *streak.Log) {
	if t.Failing() {
		r.heart.Announce()
	}
	t.Note(nil)
	r.pause.Reset()
}
