package worker

import (
	"context"
	"testing"

	"rollcall"
	"rollcall/internal/ledgertest"
	"rollcall/poller"
	"rollcall/wire"
)

// asker notes what it is asked.
type asker struct{ asked int }

func (a *asker) Pass(context.Context, poller.Ask) poller.Report {
	a.asked++
	return poller.Report{}
}

// The queue of a shard that was let go may be closed: what is still under way
// under its lease must not ask, as nobody would take the answer.
func TestNothingIsAskedUnderALeaseThatIsOver(t *testing.T) {
	names := wire.Names{Stream: "MEETINGS", Prefix: "meetings"}
	a, l := &asker{}, ledgertest.NewMemory(names)
	w, err := New(Config{ID: "w1", Names: names, Ledger: l, Committer: l, Tenants: []Tenant{{Name: "acme", Asker: a}}})
	if err != nil {
		t.Fatal(err)
	}
	s := w.tenants[0].shards()[0]
	over, next := &lease{term: 1}, &lease{term: 2}
	s.own.hold(over)
	if _, asked := s.polling.pass(t.Context(), over, 1); !asked || a.asked != 1 {
		t.Fatalf("in its lease it asked %d times", a.asked)
	}
	for _, now := range []*lease{nil, next} {
		s.own.hold(now)
		if _, asked := s.polling.pass(t.Context(), over, 1); asked || a.asked != 1 {
			t.Errorf("after its lease it asked")
		}
		if _, asked := s.polling.pollOne(t.Context(), over, "c1"); asked || a.asked != 1 || s.leaves() {
			t.Errorf("after its lease it asked, or goes on asking: %v", s.leaves())
		}
	}
}

// Others wait for a shard that is let go of for as long as it comes on: what was
// processed because a request had to come after it counts, too.
func TestWhatARequestCatchesUpWithCounts(t *testing.T) {
	names := wire.Names{Stream: "MEETINGS", Prefix: "meetings"}
	l := ledgertest.NewMemory(names)
	w, err := New(Config{ID: "w1", Names: names, Ledger: l, Committer: l, Tenants: []Tenant{{Name: "acme"}}})
	if err != nil {
		t.Fatal(err)
	}
	s := w.tenants[0].shards()[0]
	for range 3 {
		s.queue.Push(&rollcall.Observation{Tenant: "acme"})
	}
	s.tracker.catchUp(t.Context())
	if n := s.queue.Stored(); n != 3 || s.waits() != 0 {
		t.Errorf("%d were processed and %d wait, want 3 and 0", n, s.waits())
	}
}
