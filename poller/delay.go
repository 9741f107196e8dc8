package poller

import "time"

// growth is a row of delays that doubles from first to most.
type growth struct{ first, most time.Duration }

// step is the n-th delay, counted from 0.
func (g growth) step(n int) time.Duration {
	d := g.first
	for ; n > 0 && d < g.most; n-- {
		d *= 2
	}
	return min(d, g.most)
}

// delay lies between the n-th step and the next, where random, in [0, 1),
// puts it: those who failed together do not come back together.
func (g growth) delay(n int, random float64) time.Duration {
	from, to := g.step(n), g.step(n+1)
	return from + time.Duration(random*float64(to-from))
}
