package budget_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"rollcall/poller/budget"
)

// pushing makes counts of pushes for a limit on a bank whose clock follows the test's.
func pushing(t *testing.T, b *bank, limit int64) (*budget.Pushes, *observer.ObservedLogs) {
	t.Helper()
	core, logs := observer.New(zap.ErrorLevel)
	p := budget.NewPushes("acme", limit, zap.New(core))
	p.Attach(b)
	return p, logs
}

// used reads the account as anybody can.
func used(t *testing.T, b *bank, m budget.Month) int64 {
	t.Helper()
	data, _, _, err := b.ReadBudget(t.Context(), "acme", budget.PushesKey(m))
	if err != nil {
		t.Fatal(err)
	}
	read, err := budget.ReadPushes(m, data)
	if err != nil {
		t.Fatal(err)
	}
	return read.Used
}

// TestPushesEndBeforeTheyAreUsedUp counts over workers and restarts, stops before
// the number, says so once, and begins anew with the next month of China.
func TestPushesEndBeforeTheyAreUsedUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Date(2026, 11, 29, 0, 0, 0, 0, time.UTC)
		b := newBank(start)
		began := time.Now()
		const limit = 1000
		heard := int64(0)
		p, logs := pushing(t, b, limit)
		var err error
		for n := 0; err == nil; n++ {
			if err = p.Take(t.Context(), 0); err != nil {
				break
			}
			err = p.Take(t.Context(), 1)
			heard++
			switch {
			case n%100 == 99: // an orderly restart
				if err := p.Close(t.Context()); err != nil {
					t.Fatal(err)
				}
				if got := used(t, b, "2026-11"); got < heard {
					t.Fatalf("%d were heard, and %d are used", heard, got)
				}
				p, logs = pushing(t, b, limit)
			case n%250 == 17: // a crash
				p, logs = pushing(t, b, limit)
			}
		}
		if !errors.Is(err, budget.ErrPushesSpent) || heard > limit-limit/100 || heard < limit-limit/100-5*30 {
			t.Errorf("%d were heard, then %v", heard, err)
		}
		for range 3 {
			if err := p.Take(t.Context(), 0); !errors.Is(err, budget.ErrPushesSpent) {
				t.Error(err)
			}
		}
		if logs.Len() != 1 {
			t.Errorf("it was said %d times", logs.Len())
		}
		time.Sleep(41 * time.Hour) // past 16:00 UTC of the 30th
		b.now = start.Add(time.Since(began))
		if err := p.Take(t.Context(), 0); err != nil {
			t.Errorf("in the next month: %v", err)
		}
		if f := p.Figures(); f.Month != "2026-12" || f.Used != 0 || f.Limit != limit {
			t.Errorf("figures are %+v", f)
		}
	})
}

// TestPushesThatCannotBeCountedAreNotHeard: what is reserved is heard, no more.
func TestPushesThatCannotBeCountedAreNotHeard(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBank(time.Date(2026, 11, 10, 0, 0, 0, 0, time.UTC))
		p, _ := pushing(t, b, 3000)
		if err := p.Take(t.Context(), 0); err != nil {
			t.Fatal(err)
		}
		b.away = true
		n := 0
		for ; p.Take(t.Context(), 1) == nil; n++ {
		}
		if n > 30 || !errors.Is(p.Take(t.Context(), 0), budget.ErrPushesUncounted) {
			t.Errorf("%d were heard", n)
		}
		b.away = false
		if err := p.Take(t.Context(), 0); err != nil {
			t.Error(err)
		}
		if err := p.Close(t.Context()); err != nil {
			t.Error(err)
		}
		if got := used(t, b, "2026-11"); got != int64(n)+1 {
			t.Errorf("%d were heard, and %d are used", n+1, got)
		}
	})
}

func TestUnlimitedPushesAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBank(time.Date(2026, 11, 10, 0, 0, 0, 0, time.UTC))
		p, _ := pushing(t, b, 0)
		for range 100 {
			if err := p.Take(t.Context(), 7); err != nil {
				t.Fatal(err)
			}
		}
		if f := p.Figures(); f.Used != 700 || f.Limit != 0 {
			t.Errorf("figures are %+v", f)
		}
	})
}
