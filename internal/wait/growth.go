package wait

import (
	"math/rand/v2"
	"time"
)

// Growth is a sequence of delays that doubles from First to Most. It holds no
// state: a deadline that is kept for one of many meetings needs but a count.
type Growth struct{ First, Most time.Duration }

// Step returns the n-th delay, counted from 0.
func (g Growth) Step(n int) time.Duration {
	d := g.First
	for ; n > 0 && d < g.Most; n-- {
		d *= 2
	}
	return min(d, g.Most)
}

// Delay returns a delay between the n-th step and the next. random, in [0, 1),
// spreads those who failed together, so that they do not come back together.
func (g Growth) Delay(n int, random float64) time.Duration {
	from, to := g.Step(n), g.Step(n+1)
	return from + time.Duration(random*float64(to-from))
}

// BackOff returns the pauses of a loop that tries for as long as it takes.
func (g Growth) BackOff() *BackOff { return &BackOff{growth: g} }

// BackOff counts the failures of a loop. It is a backoff.BackOff of
// github.com/cenkalti/backoff that never gives up, and whose delays stay below
// the longest one with the jitter included. It is not safe for concurrent use.
type BackOff struct {
	growth   Growth
	failures int
}

// NextBackOff returns how long to wait after one more failure.
func (b *BackOff) NextBackOff() time.Duration {
	b.failures++
	return b.growth.Delay(b.failures-1, rand.Float64())
}

// Reset begins anew, after a success.
func (b *BackOff) Reset() { b.failures = 0 }
