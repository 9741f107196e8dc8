package ledgertest

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"testing"
	"time"

	"rollcall/internal/ledger"
	"rollcall/wire"
)

func readBudget(t *testing.T, l Ledger, key string) (data string, revision uint64, written time.Time) {
	t.Helper()
	raw, revision, written, err := l.ReadBudget(context1m(t), tenant, key)
	if err != nil {
		t.Fatalf("read budget: %v", err)
	}
	return string(raw), revision, written
}

func budgetGuard(t *testing.T, l Ledger, _ wire.Names) {
	ctx := context1m(t)
	if data, revision, written := readBudget(t, l, "2026-11"); data != "" || revision != 0 || !written.IsZero() {
		t.Fatalf("before any write: %q at %d, %s", data, revision, written)
	}
	first, err := l.WriteBudget(ctx, tenant, "2026-11", []byte("one"), 0)
	if err != nil || first == 0 {
		t.Fatalf("write: %d, %v", first, err)
	}
	for _, expect := range []uint64{0, first + 1} {
		if _, err := l.WriteBudget(ctx, tenant, "2026-11", []byte("wrong"), expect); !exactly(err, ledger.ErrStale) {
			t.Errorf("a write that expects %d at %d: %v, want ErrStale", expect, first, err)
		}
	}
	second, err := l.WriteBudget(ctx, tenant, "2026-11", []byte("two"), first)
	if err != nil || second <= first {
		t.Fatalf("write: %d after %d, %v", second, first, err)
	}
	if _, err := l.WriteBudget(ctx, tenant, "2026-12", []byte("other"), 0); err != nil {
		t.Errorf("another key: %v", err)
	}
	if _, err := l.WriteBudget(ctx, "other", "2026-11", []byte("other"), 0); err != nil {
		t.Errorf("another tenant: %v", err)
	}
	data, revision, written := readBudget(t, l, "2026-11")
	if data != "two" || revision != second || written.IsZero() || time.Since(written).Abs() > time.Hour {
		t.Errorf("read %q at %d, %s; want two at %d, now", data, revision, written, second)
	}
}

func budgetRace(t *testing.T, l Ledger, _ wire.Names) {
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 5 {
				addOne(t, l)
			}
		})
	}
	wg.Wait()
	if data, _, _ := readBudget(t, l, "count"); data != "40" {
		t.Errorf("8 writers that count to 5 each count to %s", data)
	}
}

// addOne adds one to a number, as often as it takes.
func addOne(t *testing.T, l Ledger) {
	ctx := context1m(t)
	for ctx.Err() == nil {
		data, revision, _, err := l.ReadBudget(ctx, tenant, "count")
		if err != nil {
			t.Errorf("read budget: %v", err)
			return
		}
		count, _ := strconv.Atoi(string(data))
		_, err = l.WriteBudget(ctx, tenant, "count", []byte(strconv.Itoa(count+1)), revision)
		if err == nil {
			return
		}
		if !errors.Is(err, ledger.ErrStale) {
			t.Errorf("write budget: %v", err)
			return
		}
	}
}

func budgetKeeping(t *testing.T, l Ledger, n wire.Names) {
	ctx, cancel := context.WithCancel(context1m(t))
	if _, err := l.WriteBudget(ctx, tenant, "2026-11", []byte("kept"), 0); err != nil {
		t.Fatal(err)
	}
	commit(t, l, record(t, n, "c", 0, false))
	eventually(t, "the record ages out", func() bool { return revision(t, l, "c") == 0 })
	if data, _, _ := readBudget(t, l, "2026-11"); data != "kept" {
		t.Errorf("read %q after the retention", data)
	}
	cancel()
	if _, err := l.WriteBudget(ctx, tenant, "2026-12", []byte("late"), 0); err == nil {
		t.Error("a cancelled context wrote")
	}
	if _, revision, _ := readBudget(t, l, "2026-12"); revision != 0 {
		t.Error("a cancelled context stored something")
	}
}

func budgetList(t *testing.T, l Ledger, _ wire.Names) {
	ctx := context1m(t)
	if all, err := l.Budgets(ctx, "2026-11"); err != nil || len(all) != 0 {
		t.Fatalf("before any write: %q, %v", all, err)
	}
	for _, e := range []struct{ tenant, key, data string }{
		{tenant, "2026-11", "one"}, {"other-1", "2026-11", "two"}, {"other-1", "hours", "no"}, {"third", "2026-12", "no"},
	} {
		if _, err := l.WriteBudget(ctx, e.tenant, e.key, []byte(e.data), 0); err != nil {
			t.Fatal(err)
		}
	}
	all, err := l.Budgets(ctx, "2026-11")
	if err != nil || len(all) != 2 || string(all[tenant]) != "one" || string(all["other-1"]) != "two" {
		t.Errorf("read %q, %v", all, err)
	}
}
