package worker_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"rollcall/internal/ledgertest"
)

// deaf hangs in a heartbeat without heeding its time, while hung is not closed.
type deaf struct {
	*ledgertest.Memory
	hung chan struct{}
}

func (d deaf) Heartbeat(ctx context.Context, id string, info []byte, ttl time.Duration) error {
	<-d.hung
	return d.Memory.Heartbeat(ctx, id, info, ttl)
}

// The loop of a worker moves whatever NATS does, and stands still where it hangs itself.
func TestALoopThatStandsStillIsSeen(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld()
		away := &wrapped{Memory: ledgertest.NewMemory(names)}
		one := start(t, "a", away, w, nil)
		elapse(time.Minute)
		away.fail(errors.New("NATS is away"))
		elapse(10 * time.Minute)
		if still := time.Since(one.worker.Turned()); still > 10*time.Second {
			t.Errorf("while NATS is away the loop has not moved for %s", still)
		}
		away.fail(nil)
		one.stop(t)

		hangs := deaf{ledgertest.NewMemory(names), make(chan struct{})}
		two := start(t, "b", hangs, w, nil)
		elapse(10 * time.Minute)
		if still := time.Since(two.worker.Turned()); still < 9*time.Minute {
			t.Errorf("though it hangs the loop has moved %s ago", still)
		}
		close(hangs.hung)
		elapse(time.Minute)
		if still := time.Since(two.worker.Turned()); still > 10*time.Second {
			t.Errorf("though it hangs no more the loop has not moved for %s", still)
		}
		two.stop(t)
	})
}
