package poller

import "time"

// batchLimit is a batch size learned from refusals. It is forgotten after a
// while, so that one odd answer does not double the calls for good. The zero
// value has learned nothing. It is guarded by the gate's lock.
type batchLimit struct {
	size  int
	until time.Time
}

const learnedLasts = 6 * time.Hour

// now returns the size to use instead of full.
func (l *batchLimit) now(now time.Time, full int) int {
	if l.size == 0 || !now.Before(l.until) {
		return full
	}
	return min(l.size, full)
}

// learn takes a size that was accepted where a larger one was not, and reports
// whether that is new.
func (l *batchLimit) learn(now time.Time, size int) bool {
	if now.Before(l.until) && l.size <= size {
		return false
	}
	l.size, l.until = size, now.Add(learnedLasts)
	return true
}
