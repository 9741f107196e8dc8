package worker

import (
	"context"
	"time"

	"rollcall/worker/backlog"
)

// ahead is how many observations may wait for the ledger when the next question
// is asked: the last one is stored while the next answer is on its way. More
// would only make every event later.
const ahead = 1

// letSettle keeps the asking from running ahead of a ledger that works. It waits
// for nothing when the ledger fails or lags: then what is seen is kept until it
// is back.
func (s *shard) letSettle(ctx context.Context) {
	n, oldest := s.queue.Waiting()
	if n <= ahead {
		return
	}
	patience := time.NewTimer(min(backlog.Slow-time.Since(oldest), backlog.Slow))
	defer patience.Stop()
	for n > ahead && !s.w.backlog.Holding() {
		select {
		case <-s.queue.Moved():
		case <-patience.C:
			return
		case <-ctx.Done():
			return
		}
		n, _ = s.queue.Waiting()
	}
}
