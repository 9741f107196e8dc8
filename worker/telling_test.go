package worker

import (
	"testing"
	"testing/synctest"
	"time"

	"rollcall/wire"
)

// TestNoStatusIsToldOfWhatOthersHold: one that waited for its second while the
// tenant's shards went to another worker would take the place of a newer one.
func TestNoStatusIsToldOfWhatOthersHold(t *testing.T) {
	for _, held := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			s := &shard{}
			s.plan.Store(&plan{})
			if held {
				s.held.Store(&hold{})
			}
			tn := &tenant{tell: make(chan wire.Status, 1)}
			tn.division.now.Store(&division{shards: []*shard{s}})
			tn.tell <- wire.Status{State: "ok"}
			told := make(chan struct{})
			go func() {
				if _, worth := tn.worthTelling(t.Context(), "ok", time.Now()); worth {
					close(told)
				}
			}()
			time.Sleep(2 * statusEvery)
			select {
			case <-told:
				if !held {
					t.Error("a status is told of shards that others hold")
				}
			default:
				if held {
					t.Error("the status is not told")
				}
				tn.tell <- wire.Status{State: "away"} // another state: at once
				<-told
			}
		})
	}
}
