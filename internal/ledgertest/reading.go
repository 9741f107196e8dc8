package ledgertest

import (
	"errors"
	"testing"

	"rollcall/internal/ledger"
	"rollcall/wire"
)

func loadTracking(t *testing.T, l Ledger, n wire.Names) {
	first := commit(t, l, record(t, n, "a", 0, true), track(t, n, "b"), record(t, n, "both", 0, true), track(t, n, "both"), track(t, n, "gone"))
	commit(t, l, ledger.UntrackMessage(n, tenant, "gone"))
	got, err := l.Load(context1m(t), tenant, []string{"a", "b", "both", "gone", "none"})
	if err != nil || len(got) != 3 {
		t.Fatalf("loaded %d of 3, %v", len(got), err)
	}
	if a := got["a"]; a.Record == nil || a.Revision != first || a.Tracking != nil {
		t.Errorf("a meeting that is not tracked: %+v", a)
	}
	if b := got["b"]; b.ConferenceID != "b" || b.Record != nil || b.Revision != 0 || b.Tracking == nil || b.Tracking.Revision != first+1 {
		t.Errorf("a meeting without a record: %+v", b)
	}
	if both := got["both"]; both.Record == nil || both.Revision != first+2 || both.Tracking == nil || both.Tracking.ConferenceID != "both" {
		t.Errorf("a tracked meeting with a record: %+v", both)
	}
}

func shards(t *testing.T, l Ledger, _ wire.Names) {
	ctx := context1m(t)
	set := func(count int, expect uint64) ledger.Shards {
		t.Helper()
		got, err := l.SetShards(ctx, tenant, count, "w1", expect)
		if err != nil || got.Count != count {
			t.Fatalf("set %d after %d: %+v, %v", count, expect, got, err)
		}
		return got
	}
	last := set(4, set(1, 0).Revision)
	for _, expect := range []uint64{0, last.Revision - 1} {
		if _, err := l.SetShards(ctx, tenant, 9, "w2", expect); !errors.Is(err, ledger.ErrStale) {
			t.Errorf("set after %d: %v, want ErrStale", expect, err)
		}
	}
	all, err := l.Shards(ctx, []string{"other", tenant})
	if err != nil || len(all) != 1 || all[tenant] != last {
		t.Errorf("read %+v, %v, want %+v", all, err, last)
	}
}
