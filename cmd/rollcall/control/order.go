package control

import (
	"context"
	"errors"
	"time"

	"go.uber.org/zap"

	"rollcall/worker"
)

// source says in the tracked set that a meeting is tracked by request.
const source = "api"

// order is a call of the worker about one meeting.
type order func(ctx context.Context) (worker.View, error)

// local has the order done by this process's worker; held is false when the
// worker does not hold the meeting's shard.
func (e *endpoint) local(ctx context.Context, wanted request) (answer reply, held bool) {
	id := wanted.ConferenceID
	ctx, cancel := context.WithTimeout(ctx, limit(e.verb))
	defer cancel()
	begun := time.Now()
	view, err := e.obeyed(ctx, wanted)
	if errors.Is(err, worker.ErrNotHeld) {
		return reply{}, false
	}
	e.note(begun, view, err)
	if e.verb == verbTrack && errors.Is(err, worker.ErrNotAnswered) {
		return unanswered(id, view.Trouble, err).reply(), true
	}
	if err != nil {
		return problemOf(err, e.tenant.Name, e.verb, id).reply(), true
	}
	if e.verb == verbTrack && view.Record != nil && unseen(view.Record) {
		return unknownTo(id).reply(), true
	}
	return encoded(meeting(e.tenant.Name, view)), true
}

func (e *endpoint) obeyed(ctx context.Context, wanted request) (worker.View, error) {
	w, tenant, id := e.service.worker, e.tenant.Name, wanted.ConferenceID
	show := func(ctx context.Context) (worker.View, error) { return w.Show(ctx, tenant, id) }
	switch e.verb {
	case verbTrack:
		return e.tracked(ctx, wanted, show)
	case verbUntrack:
		return bounded(ctx, e, func(ctx context.Context) (worker.View, error) { return w.Untrack(ctx, tenant, id) })
	}
	return bounded(ctx, e, show)
}

// tracked tracks a meeting and, when DingTalk does not answer in time, reports
// whether it is tracked all the same.
func (e *endpoint) tracked(ctx context.Context, wanted request, show order) (worker.View, error) {
	asking, cancel := context.WithTimeout(ctx, limit(verbTrack)-limit(verbShow))
	defer cancel()
	view, err := bounded(asking, e, func(ctx context.Context) (worker.View, error) {
		return e.service.worker.TrackAs(ctx, e.tenant.Name, wanted.ConferenceID, source, wanted.labels())
	})
	if !errors.Is(err, context.DeadlineExceeded) {
		return view, err
	}
	if view, showErr := bounded(ctx, e, show); showErr == nil && view.Tracked {
		view.Trouble = "no answer in time"
		return view, worker.ErrNotAnswered
	}
	return worker.View{}, err
}

// bounded returns the outcome of an order, or that of ctx when the worker does
// not come back: an order may wait for a pass that does not know of ctx.
func bounded[T any](ctx context.Context, e *endpoint, do func(context.Context) (T, error)) (none T, err error) {
	type outcome struct {
		answer T
		err    error
	}
	done := make(chan outcome, 1)
	e.service.running.Go(func() {
		answer, err := do(ctx)
		done <- outcome{answer, err}
	})
	select {
	case o := <-done:
		return o.answer, o.err
	case <-ctx.Done():
		return none, context.Cause(ctx)
	}
}

// note logs an order that has changed the tracked set.
func (e *endpoint) note(begun time.Time, view worker.View, err error) {
	done := err == nil || errors.Is(err, worker.ErrNotAnswered)
	changed := e.verb == verbUntrack || e.verb == verbTrack && view.Since.After(begun)
	if done && changed {
		e.service.log.Info("meeting "+e.verb+"ed by request",
			zap.String("tenant", e.tenant.Name), zap.String("meeting", view.ConferenceID))
	}
}
