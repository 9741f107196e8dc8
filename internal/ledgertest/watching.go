package ledgertest

import (
	"errors"
	"testing"
	"time"

	"rollcall"
	"rollcall/internal/ledger"
	"rollcall/wire"
)

// watching: the state of a shard's watch is stored with the event that
// publishes it, once, and by the holder of the last claim alone.
func watching(t *testing.T, l Ledger, n wire.Names) {
	read := func() ledger.Watching {
		t.Helper()
		w, err := l.Watching(context1m(t), tenant)
		if err != nil {
			t.Fatal(err)
		}
		return w.Shards[0]
	}
	if w := read(); w != (ledger.Watching{}) {
		t.Errorf("of a shard of which nothing was told: %+v", w)
	}
	claim, err := l.Claim(context1m(t), tenant, 0, "w1")
	if err != nil {
		t.Fatal(err)
	}
	since := time.UnixMilli(1700000000000).UTC()
	next := ledger.Watching{Watching: wire.Watching{Epoch: 7, Sequence: 1, Lost: true, After: since, Reason: rollcall.ReasonQuota}}
	tell := func(next ledger.Watching, term uint64) error {
		msgs, err := ledger.WatchMessages(n, []rollcall.WatchEvent{{
			Tenant: tenant, Shard: 0, Shards: 1, Epoch: next.Epoch, Sequence: next.Sequence, Type: rollcall.WatchLost, Reason: next.Reason,
			Provenance: rollcall.ProvenanceObserved, Window: rollcall.Window{After: since, Before: since.Add(time.Minute)},
		}}, next, 0, term)
		if err != nil {
			t.Fatal(err)
		}
		_, err = l.Commit(context1m(t), msgs)
		return err
	}
	if err := tell(next, claim.Term); err != nil {
		t.Fatal(err)
	}
	if err := tell(next, claim.Term); !errors.Is(err, ledger.ErrStale) {
		t.Errorf("told twice: %v", err)
	}
	got := read()
	next.Revision = got.Revision
	if got != next || got.Revision == 0 {
		t.Errorf("read %+v, want %+v", got, next)
	}
	if _, err := l.Claim(context1m(t), tenant, 0, "w2"); err != nil {
		t.Fatal(err)
	}
	next.Sequence++
	if err := tell(next, claim.Term); !errors.Is(err, ledger.ErrStale) {
		t.Errorf("told under a claim that is not the last: %v", err)
	}
	if err := l.PutStatus(context1m(t), tenant, wire.Status{State: wire.StateOK, Pace: time.Second, Tracked: 5, At: time.Now()}); err != nil {
		t.Fatal(err)
	}
	all, err := l.Watching(context1m(t), tenant)
	if err != nil || len(all.Shards) != 1 || all.Status.Tracked != 5 {
		t.Errorf("the watch of the tenant: %+v, %v", all, err)
	}
	if other, err := l.Watching(context1m(t), "another"); err != nil || len(other.Shards) != 0 || other.Status.Tenant != "" {
		t.Errorf("the watch of another tenant: %+v, %v", other, err)
	}
}
