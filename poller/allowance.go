package poller

import (
	"context"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Evenly gives a limiter that spaces so many calls a second evenly. DingTalk
// counts the calls of any second: a burst at its beginning and the calls of its
// course would be twice as many.
func Evenly(qps float64) *rate.Limiter {
	return rate.NewLimiter(rate.Limit(qps), max(1, int(qps*spell.Seconds())))
}

// allowance is calls that a limiter has allowed already. Where it allows
// hundreds a second they are taken some at a time: to wait a millisecond for
// each costs more than to make the call. The zero value holds none.
type allowance struct {
	mu    sync.Mutex
	left  int
	until time.Time
}

const (
	// spell is what calls that are taken together make up for.
	spell = 20 * time.Millisecond
	// allowanceLasts is for how long they may be made.
	allowanceLasts = 10 * spell
)

// take waits for one call; a limiter that is nil allows all.
func (a *allowance) take(ctx context.Context, limiter *rate.Limiter) error {
	if limiter == nil || a.one(time.Now()) {
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

func (a *allowance) one(now time.Time) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.left == 0 || now.After(a.until) {
		return false
	}
	a.left--
	return true
}

// together is how many calls are taken at a time.
func together(l *rate.Limiter) int {
	return max(1, int(min(float64(l.Limit())*spell.Seconds(), float64(l.Burst()))))
}

// await waits until the limiters allow a call.
func (p *Poller) await(ctx context.Context) error {
	if err := p.allowed.take(ctx, p.Limiter); err != nil {
		return err
	}
	return p.allowedOut.take(ctx, p.egress().Limiter)
}
