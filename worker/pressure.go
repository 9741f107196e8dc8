package worker

import (
	"context"
	"time"
)

// ahead is how many observations may wait for the ledger when the next question
// is asked: the last one is stored while the next answer is on its way. More
// would only make every event later.
const ahead = 1

// letSettle keeps the asking from running ahead of a ledger that works. It waits
// for nothing when the ledger fails or lags: then what is seen is kept until it
// is back.
func (s *shard) letSettle(ctx context.Context) {
	n, _, oldest := s.queue.weight()
	if n <= ahead {
		return
	}
	patience := time.NewTimer(min(slow-time.Since(oldest), slow))
	defer patience.Stop()
	for n > ahead && !s.w.keeper.isOn() {
		select {
		case <-s.queue.moved:
		case <-patience.C:
			return
		case <-ctx.Done():
			return
		}
		n, _, _ = s.queue.weight()
	}
}
