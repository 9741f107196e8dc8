package forwarder

import (
	"context"
	"errors"
	"time"

	"go.uber.org/zap"

	"rollcall/internal/streak"
	"rollcall/internal/wait"
)

// lane is a route and one of its targets. It belongs to one goroutine.
type lane struct {
	metrics *metrics
	source  Source
	route   *Route
	*sender
	tenure
	health
	log *zap.Logger

	queue *queue
	ready bool // everything that was there has come
	// notBefore is when the robots are looked at again, which cannot be used now.
	notBefore time.Time
	// monthEnds is when messages may be sent again that the month has no more of.
	monthEnds time.Time
	templates streak.Log
	// goesOn: another lane of this process takes its place. Set before its turn ends.
	goesOn bool
}

// run works the lane whenever it is this process's, until its turn ends, or ctx,
// which cuts short what is under way.
func (l *lane) run(ctx, turn context.Context) {
	trouble := streak.Log{Logger: l.log, What: "forwarding"}
	pauses := wait.Growth{First: time.Second, Most: lease}.BackOff()
	for turn.Err() == nil {
		err := l.acquire(turn)
		if err == nil {
			l.metrics.held(l, true)
			l.metrics.place(l)
			err = l.work(ctx, turn)
			l.metrics.held(l, false)
			pauses.Reset()
		}
		if turn.Err() != nil {
			break
		}
		if errors.Is(err, errLost) {
			l.log.Info("route taken over by another process")
			continue
		}
		trouble.Note(err)
		wait.For(turn, pauses.NextBackOff())
	}
	if l.goesOn {
		return
	}
	if ctx.Err() == nil && l.queue.count > 0 {
		l.log.Warn("route taken out of the configuration while events wait that are told if it comes back", zap.Int("events", l.queue.count))
	}
	l.release(ctx)
	l.metrics.forget(l)
}

// save writes the place, with what waits.
func (l *lane) save(ctx context.Context) error {
	l.place.Lane.Waiting, l.place.Lane.Oldest = l.queue.count+len(l.place.Retries), l.queue.oldest()
	if err := l.tenure.save(ctx); err != nil {
		return err
	}
	l.metrics.place(l)
	return nil
}

// work reads and tells until something fails, the lane is lost, or its turn ends.
func (l *lane) work(ctx, turn context.Context) error {
	turn, cancel := context.WithCancel(turn)
	defer cancel()
	l.queue, l.ready = newQueue(), false
	l.queue.read = l.place.Floor
	read := l.read(turn)
	for turn.Err() == nil {
		next, err := l.step(ctx)
		if err != nil {
			return err
		}
		if err := l.pause(ctx, turn, read, next); err != nil {
			return err
		}
	}
	return turn.Err()
}
