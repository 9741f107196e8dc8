package budget_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/zap"

	"rollcall/poller/budget"
)

// worker is one that asks whenever it may.
type worker struct {
	*budget.Budget
	t    *testing.T
	bank *bank
	made int64
}

// begin starts a worker on the machine, which is the only one of its tenant.
func begin(t *testing.T, b *bank, calls int64, dir string) *worker {
	t.Helper()
	return beginLogged(t, b, calls, dir, nil)
}

func beginLogged(t *testing.T, b *bank, calls int64, dir string, log *zap.Logger) *worker {
	t.Helper()
	cfg := budget.Config{
		Tenant: "acme", Calls: calls, Logger: log,
		Now:     func() time.Time { return b.now },
		Elapsed: func() time.Duration { return b.now.Sub(time.Time{}) },
	}
	var slip *budget.Slip
	if dir != "" {
		slip = budget.NewSlip(dir, "acme")
	}
	w := &worker{Budget: budget.New(cfg), t: t, bank: b}
	w.Attach(b, slip)
	return w
}

// work asks as often as it may, once a step, for as long.
func (w *worker) work(d, step time.Duration) {
	for end := w.bank.now.Add(d); w.bank.now.Before(end); w.bank.now = w.bank.now.Add(step) {
		w.pass()
	}
}

func (w *worker) pass() {
	calls, _ := w.Allow(w.t.Context(), 1, 0)
	for range calls {
		if err := w.Spend(w.t.Context(), "query"); err != nil {
			w.t.Fatalf("a call that was allowed is refused: %v", err)
		}
		w.made++
	}
}

func TestTheCallsLastTheMonth(t *testing.T) {
	b := newBank(instant("2026-10-31T16:00:00Z"))
	w := begin(t, b, 5000, "")
	w.work(10*24*time.Hour, time.Minute)
	if w.made < 1600 || w.made > 1670 {
		t.Errorf("%d of 5000 calls were made in a third of the month", w.made)
	}
	w.work(20*24*time.Hour, time.Minute)
	if w.made < 4950 || w.made > 5000 {
		t.Errorf("%d of 5000 calls were made in the month", w.made)
	}
	w.work(24*time.Hour, time.Minute)
	if spent := b.granted(t, "2026-12"); spent < 100 || spent > 200 {
		t.Errorf("%d calls were reserved on the first day of a month of 5000", spent)
	}
}

func TestWhatIsHeldGoesBack(t *testing.T) {
	for name, end := range map[string]func(w *worker, dir string){
		"at an orderly stop": func(w *worker, _ string) {
			if err := w.Close(t.Context()); err != nil {
				t.Error(err)
			}
		},
		"after a crash": func(w *worker, dir string) {
			begin(t, w.bank, 200_000, dir).pass()
			begin(t, w.bank, 200_000, dir).pass() // which crashes as well, before it asks
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir, b := t.TempDir(), newBank(instant("2026-11-10T00:00:00Z"))
			w := begin(t, b, 200_000, dir)
			w.work(time.Hour, 15*time.Second)
			if held := w.Figures().Held; held < 10 {
				t.Fatalf("%d calls are held: the test shows nothing", held)
			}
			end(w, dir)
			if granted := b.granted(t, "2026-11"); granted > w.made+2 {
				t.Errorf("%d calls are reserved, %d were made", granted, w.made)
			}
			if err := w.Close(t.Context()); err != nil {
				t.Error(err)
			}
			if err := w.Spend(t.Context(), "query"); !errors.Is(err, budget.ErrClosed) {
				t.Errorf("a closed budget gives %v", err)
			}
		})
	}
}

func TestACrashLoopDoesNotBurnTheMonth(t *testing.T) {
	for name, dir := range map[string]string{"with a disk": t.TempDir(), "without": ""} {
		t.Run(name, func(t *testing.T) {
			b, made := newBank(instant("2026-11-10T00:00:00Z")), int64(0)
			for range 24 * 60 {
				w := begin(t, b, 5000, dir)
				w.work(time.Minute, 15*time.Second)
				made += w.made
			}
			// A day's part of what is left is 5000/21.
			if granted := b.granted(t, "2026-11"); granted > 245 || made < 100 {
				t.Errorf("a day of crashes reserved %d calls and made %d", granted, made)
			}
		})
	}
}

func TestBlocksAreAQuarterOfAnHour(t *testing.T) {
	b := newBank(instant("2026-11-10T00:00:00Z"))
	w := begin(t, b, 200_000, "")
	for range 24 * 60 {
		w.work(time.Minute, 15*time.Second)
		if held, pace := w.Figures().Held, w.Figures().Pace; pace > 0 && time.Duration(held)*pace > 17*time.Minute {
			t.Fatalf("%d calls are held, at a pace of %s", held, pace)
		}
	}
	b.away = true
	before := w.made
	w.work(2*time.Hour, 15*time.Second)
	if made := w.made - before; made < 30 || made > 90 {
		t.Errorf("%d calls were made without the ledger", made)
	}
	if _, err := w.Allow(t.Context(), 1, 0); !errors.Is(err, budget.ErrUnreachable) {
		t.Errorf("it says %v", err)
	}
	b.away = false
	if w.pass(); w.made-before < 31 {
		t.Error("it does not go on with the ledger back")
	}
}

func TestWhenTheMonthIsSpentItSaysSo(t *testing.T) {
	b := newBank(instant("2026-11-30T14:00:00Z"))
	w := begin(t, b, 3, "")
	w.work(90*time.Minute, time.Minute)
	for w.Spend(t.Context(), "lookup") == nil {
		w.made++
	}
	if _, err := w.Allow(t.Context(), 1, 0); w.made != 3 || err != nil && !errors.Is(err, budget.ErrSpent) {
		t.Errorf("%d calls were made of 3, then %v", w.made, err)
	}
	if err := w.Spend(t.Context(), "query"); !errors.Is(err, budget.ErrSpent) {
		t.Errorf("it says %v", err)
	}
	b.now = instant("2026-11-30T15:59:30Z")
	if err := w.Spend(t.Context(), "query"); !errors.Is(err, budget.ErrTurning) {
		t.Errorf("at the turn it says %v", err)
	}
	b.now = instant("2026-11-30T16:02:00Z")
	if err := w.Spend(t.Context(), "query"); err != nil {
		t.Errorf("in the next month it says %v", err)
	}
}

// TestASleepOverTheTurn lets a machine sleep with calls in its hands until
// they are worth nothing any more.
func TestASleepOverTheTurn(t *testing.T) {
	b := newBank(instant("2026-11-30T12:00:00Z"))
	steady := time.Duration(0)
	w := begin(t, b, 5000, "")
	w.Budget = budget.New(budget.Config{
		Tenant: "acme", Calls: 5000, Now: func() time.Time { return b.now }, Elapsed: func() time.Duration { return steady },
	})
	w.Attach(b, nil)
	for range 20 {
		w.pass()
		b.now, steady = b.now.Add(time.Minute), steady+time.Minute
	}
	if w.Figures().Held < 2 {
		t.Fatal("nothing is held: the test shows nothing")
	}
	b.now = b.now.Add(6 * time.Hour)
	if err := w.Spend(t.Context(), "query"); err != nil {
		t.Fatal(err)
	}
	if granted := b.granted(t, "2026-12"); granted < 1 {
		t.Error("a call of December was taken out of November's")
	}
}

func TestTwoWorkersShareThePace(t *testing.T) {
	b := newBank(instant("2026-11-10T00:00:00Z"))
	one, two := begin(t, b, 200_000, ""), begin(t, b, 200_000, "")
	one.Share(3, 4)
	two.Share(1, 4)
	for range 24 * 60 {
		one.pass()
		two.pass()
		b.now = b.now.Add(time.Minute)
	}
	total := one.made + two.made
	if want := int64(200_000 / 21); total < want*9/10 || total > want*11/10 || one.made < 2*two.made || one.made > 4*two.made {
		t.Errorf("in a day with room for %d calls they made %d and %d", want, one.made, two.made)
	}
}

func TestATornSlipGivesNothingBack(t *testing.T) {
	for name, damage := range map[string]func([]byte) []byte{
		"cut":   func(text []byte) []byte { return text[:30] },
		"bent":  func(text []byte) []byte { text[60] ^= 1; return text },
		"empty": func([]byte) []byte { return nil },
	} {
		t.Run(name, func(t *testing.T) {
			dir, b := t.TempDir(), newBank(instant("2026-11-10T00:00:00Z"))
			w := begin(t, b, 200_000, dir)
			w.work(time.Hour, 15*time.Second)
			path := filepath.Join(dir, "budget-acme.slip")
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, damage(text), 0o600); err != nil {
				t.Fatal(err)
			}
			before := b.granted(t, "2026-11")
			next := begin(t, b, 200_000, dir)
			next.work(time.Minute, 15*time.Second)
			if after := b.granted(t, "2026-11"); after < before || next.made == 0 {
				t.Errorf("%d calls were reserved, then %d; %d were made", before, after, next.made)
			}
		})
	}
}
