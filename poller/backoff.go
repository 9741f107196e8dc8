package poller

import "time"

// backoffRange is a sequence of delays that doubles from first to most.
type backoffRange struct{ first, most time.Duration }

// step returns the n-th delay, counted from 0.
func (r backoffRange) step(n int) time.Duration {
	d := r.first
	for ; n > 0 && d < r.most; n-- {
		d *= 2
	}
	return min(d, r.most)
}

// delay returns a delay between the n-th step and the next. random, in [0, 1),
// spreads those who failed together, so that they do not come back together.
func (r backoffRange) delay(n int, random float64) time.Duration {
	from, to := r.step(n), r.step(n+1)
	return from + time.Duration(random*float64(to-from))
}
