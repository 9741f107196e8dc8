package worker

import (
	"context"
	"sync/atomic"
	"time"

	"rollcall/poller"
)

// breath is how long it waits for room at most, once nothing is settled any
// more. It is the pace at which such a tenant asks while NATS is away.
const breath = time.Second

// busy is how a tenant's last pass went.
type busy struct {
	asking atomic.Bool  // it was answered, and nothing holds the next one back
	took   atomic.Int64 // nanoseconds
}

// rest says that a pass begins of which nothing is known yet.
func (b *busy) rest() { b.asking.Store(false) }

func (b *busy) note(began time.Time, answered int, state string) {
	b.asking.Store(answered > 0 && state == poller.StateOK)
	b.took.Store(int64(time.Since(began)))
}

// again reports whether the next pass may begin at once. After one that found
// nothing to ask, or was refused, it may not: it would spin.
func (t *tenant) again() bool { return t.busy.asking.Load() }

// breathe waits in the passes of a tenant that asks continuously until few
// observations wait to be stored. Nothing else would keep it from asking faster
// than the ledger stores.
func (s *shard) breathe(ctx context.Context) {
	if !s.tenant.cfg.Schedule.Continuous() {
		return
	}
	for began := time.Now(); ctx.Err() == nil; {
		rest := breath - time.Since(later(began, instant(&s.w.settled)))
		if n, _ := s.queue.Waiting(); n <= ahead || rest <= 0 {
			return
		}
		waiting, cancel := context.WithTimeout(ctx, rest)
		s.queue.AwaitFewer(waiting, ahead+1)
		cancel()
	}
}

// noteSettled says that the ledger takes what was observed: of many shards that
// share it, each may have to wait for long.
func (w *Worker) noteSettled() {
	now := time.Now()
	w.settled.Store(&now)
}
