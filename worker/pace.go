package worker

import (
	"sync/atomic"
	"time"

	"rollcall/poller"
)

// busy is how a tenant's last pass went.
type busy struct {
	asking atomic.Bool  // it was answered, and nothing holds the next one back
	took   atomic.Int64 // nanoseconds
}

// reset says that a pass begins of which nothing is known yet.
func (b *busy) reset() { b.asking.Store(false) }

func (b *busy) note(began time.Time, answered int, state string) {
	b.asking.Store(answered > 0 && state == poller.StateOK)
	b.took.Store(int64(time.Since(began)))
}

// again reports whether the next pass may begin at once. After one that found
// nothing to ask, or was refused, it may not: it would spin.
func (b *busy) again() bool { return b.asking.Load() }

// pace is the time between two passes.
func (t *tenant) pace() time.Duration {
	pace := t.cfg.Schedule.Pace()
	if t.cfg.Schedule.Continuous() {
		pace = max(pace, time.Duration(t.busy.took.Load()))
	}
	if t.cfg.Budget != nil {
		pace = max(pace, t.cfg.Budget.Pace())
	}
	return pace
}
