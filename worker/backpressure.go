package worker

import (
	"context"
	"time"

	"rollcall/worker/backlog"
)

// maxInFlight is how many observations may wait for the ledger when the next
// question is asked: the last one is stored while the next answer is on its way.
// More would only make every event later.
const maxInFlight = 1

// waitForCommit keeps the asking from running ahead of a ledger that works. It
// waits for nothing when the ledger fails or lags: then what is seen is kept
// until it is back.
func (p *polling) waitForCommit(ctx context.Context) {
	n, oldest := p.queue.Waiting()
	if n <= maxInFlight {
		return
	}
	patience := time.NewTimer(min(backlog.Slow-time.Since(oldest), backlog.Slow))
	defer patience.Stop()
	for n > maxInFlight && !p.cfg.Backlog.Holding() {
		select {
		case <-p.queue.Moved():
		case <-patience.C:
			return
		case <-ctx.Done():
			return
		}
		n, _ = p.queue.Waiting()
	}
}

// maxWait is how long it waits for room at most, once nothing more is stored.
// It is the pace at which a tenant that asks continuously does so while NATS is
// away.
const maxWait = time.Second

// waitForLedger waits in the passes of a tenant that asks continuously until few
// observations wait to be stored. Nothing else would keep it from asking faster
// than the ledger stores: of many shards that share it, each may have to wait
// for long.
func (p *polling) waitForLedger(ctx context.Context) {
	for began := time.Now(); ctx.Err() == nil; {
		rest := maxWait - time.Since(later(began, p.cfg.Backlog.LastDone()))
		if n, _ := p.queue.Waiting(); n <= maxInFlight || rest <= 0 {
			return
		}
		waiting, cancel := context.WithTimeout(ctx, rest)
		p.queue.AwaitFewer(waiting, maxInFlight+1)
		cancel()
	}
}

// waitForOverlap has the next answer of a tenant that asks continuously come when the one
// before it is stored, where storing takes longer than asking: an answer that comes
// earlier grows old while it waits. Of several shards one is asked about while another's
// answer is stored, which needs no care.
func (p *polling) waitForOverlap(ctx context.Context, answered time.Time, call time.Duration) {
	early := p.storing.Now() - call - time.Since(answered)
	if p.of > 1 || early <= 0 {
		return
	}
	waiting, cancel := context.WithTimeout(ctx, min(early, maxWait))
	defer cancel()
	p.queue.AwaitFewer(waiting, 1)
}
