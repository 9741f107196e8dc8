package worker

import (
	"context"
	"time"
)

// loadFirst is for how long after the start nothing is asked while records are
// still to be read. The first answers write every record anew, and the reading
// of a hundred thousand others meanwhile would take four times as long.
const loadFirst = 5 * time.Second

// waitForLoad waits until this worker has read the records of all shards that it
// begins with, or has been trying for long enough, or ctx ends.
func (w *Worker) waitForLoad(ctx context.Context) {
	const look = 10 * time.Millisecond
	patience := loadFirst - time.Since(w.began)
	if patience <= 0 || !w.loads() {
		return
	}
	enough, tick := time.NewTimer(patience), time.NewTicker(look)
	defer enough.Stop()
	defer tick.Stop()
	for w.loads() {
		select {
		case <-tick.C:
		case <-enough.C:
			return
		case <-ctx.Done():
			return
		}
	}
}

// loads reports whether a shard that belongs to this worker is not held yet, or
// may do so: all of them hear it before any counts.
func (w *Worker) loads() bool {
	if !w.assigned.Load() {
		return true
	}
	for _, s := range w.shards() {
		if s.own.assigned.Load() && s.own.held() == nil {
			return true
		}
	}
	return false
}
