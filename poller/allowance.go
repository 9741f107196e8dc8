package poller

import (
	"context"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Evenly returns a limiter that spaces so many calls a second evenly. DingTalk
// counts the calls of any second: a burst at its beginning and the calls in the
// course of it would be twice as many. From 100 a second on some are taken together,
// so that a second may hold a fiftieth more.
func Evenly(qps float64) *rate.Limiter {
	return rate.NewLimiter(rate.Limit(qps), max(1, int(qps*refillWindow.Seconds())))
}

// allowance is calls that a limiter has allowed already, for all who wait for
// that limiter. Where it allows hundreds a second they are taken some at a time:
// to wait a millisecond for each costs more than to make the call. The zero
// value holds none.
type allowance struct {
	mu    sync.Mutex
	left  int
	until time.Time
	turn  chan struct{} // holds one while somebody waits for the limiter; nil before
}

const (
	// refillWindow is the time whose calls are taken together.
	refillWindow = 20 * time.Millisecond
	// allowanceLasts is for how long they may be made.
	allowanceLasts = 10 * refillWindow
)

// take waits for one call; a limiter that is nil allows all. One waits for the
// limiter at a time: otherwise each of many would take several and need one.
func (a *allowance) take(ctx context.Context, limiter *rate.Limiter) error {
	if limiter == nil || a.one() {
		return nil
	}
	turn := a.turns()
	select {
	case turn <- struct{}{}:
		defer func() { <-turn }()
	case <-ctx.Done():
		return ctx.Err()
	}
	if a.one() { // the caller that waited before has taken more than one
		return nil
	}
	n := together(limiter)
	if err := limiter.WaitN(ctx, n); err != nil {
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.left, a.until = n-1, time.Now().Add(allowanceLasts)
	return nil
}

func (a *allowance) one() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.left == 0 || time.Now().After(a.until) {
		return false
	}
	a.left--
	return true
}

func (a *allowance) turns() chan struct{} {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.turn == nil {
		a.turn = make(chan struct{}, 1)
	}
	return a.turn
}

// together is how many calls are taken at a time.
func together(l *rate.Limiter) int {
	return max(1, int(min(float64(l.Limit())*refillWindow.Seconds(), float64(l.Burst()))))
}
