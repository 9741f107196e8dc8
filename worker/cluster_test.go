package worker_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"rollcall/internal/ledger"
	"rollcall/internal/ledgertest"
	"rollcall/worker"
)

// lagging is a ledger as one sees it whose reads of claims and members come
// from a follower that has stopped applying (its writes go to the leader).
type lagging struct {
	*ledgertest.Memory
	lag     atomic.Bool
	claim   atomic.Pointer[ledger.Claim]
	members atomic.Pointer[[]ledger.Member]
}

func (l *lagging) Holder(ctx context.Context, tenant string, shard int) (ledger.Claim, error) {
	if l.lag.Load() {
		return *l.claim.Load(), nil
	}
	c, err := l.Memory.Holder(ctx, tenant, shard)
	l.claim.Store(&c)
	return c, err
}

func (l *lagging) Members(ctx context.Context) ([]ledger.Member, error) {
	if l.lag.Load() {
		return *l.members.Load(), nil
	}
	all, err := l.Memory.Members(ctx)
	l.members.Store(&all)
	return all, err
}

// Whoever lost the shard and reads so late tracks nothing that its holder does
// not hear of.
func TestTrackedUnderAClaimThatAFollowerStillShows(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, m := newWorld(), ledgertest.NewMemory(names)
		w.set("c1", "ann")
		a := &lagging{Memory: m}
		p1 := start(t, "w1", a, w, track("c1"))
		elapse(6 * time.Second)
		a.lag.Store(true) // w1's reads come from a follower that is behind
		p2 := start(t, "w2", &blind{m, "w2"}, w, track("c1"))
		elapse(8 * time.Second) // w2 has claimed and read the tracked set
		w.set("c2", "bob")
		if view, err := p1.worker.Track(t.Context(), "acme", "c2", "api"); !errors.Is(err, worker.ErrNotHeld) {
			t.Errorf("the old holder says tracked=%v, %v; want ErrNotHeld", view.Tracked, err)
		}
		if _, err := p2.worker.Track(t.Context(), "acme", "c2", "api"); err != nil {
			t.Fatal(err)
		}
		elapse(5 * time.Second)
		a.lag.Store(false) // the follower has caught up
		elapse(time.Minute)
		w.set("c2", "bob", "cid")
		elapse(time.Hour)
		expect(t, m, "c2", "meeting.started", "participant.joined bob", "participant.joined cid")
		p1.stop(t)
		p2.stop(t)
	})
}
