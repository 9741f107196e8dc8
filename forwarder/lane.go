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
	templates streak.Log
}

// run works the lane whenever it is this process's, until ctx ends.
func (l *lane) run(ctx context.Context) {
	trouble := streak.Log{Logger: l.log, What: "forwarding"}
	pauses := wait.Growth{First: time.Second, Most: lease}.BackOff()
	for ctx.Err() == nil {
		err := l.acquire(ctx)
		if err == nil {
			l.metrics.held(l, true)
			l.metrics.place(l)
			err = l.work(ctx)
			l.metrics.held(l, false)
			pauses.Reset()
		}
		if ctx.Err() != nil {
			break
		}
		if errors.Is(err, errLost) {
			l.log.Info("route taken over by another process")
			continue
		}
		trouble.Note(err)
		wait.For(ctx, pauses.NextBackOff())
	}
	l.release(ctx)
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

// work reads and tells until something fails, the lane is lost, or ctx ends.
func (l *lane) work(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	l.queue, l.ready = newQueue(), false
	l.queue.read = l.place.Floor
	read := l.read(ctx)
	for {
		next, err := l.step(ctx)
		if err != nil {
			return err
		}
		if err := l.pause(ctx, read, next); err != nil {
			return err
		}
	}
}
