package worker

import (
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"

	"rollcall/wire"
)

// TestNoStatusIsPublishedOfWhatOthersHold: one that waited for its second while
// the tenant's shards went to another worker would take the place of a newer one.
func TestNoStatusIsPublishedOfWhatOthersHold(t *testing.T) {
	for _, held := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			s := newStatuses(nil, "acme", zap.NewNop(), func() bool { return held })
			s.put(wire.Status{State: "ok"})
			published := make(chan struct{})
			go func() {
				if _, ok := s.next(t.Context(), "ok", time.Now()); ok {
					close(published)
				}
			}()
			time.Sleep(2 * statusEvery)
			select {
			case <-published:
				if !held {
					t.Error("a status is published of shards that others hold")
				}
			default:
				if held {
					t.Error("the status is not published")
				}
				s.put(wire.Status{State: "away"}) // another state: at once
				<-published
			}
		})
	}
}
