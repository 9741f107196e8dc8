package budget_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"pgregory.net/rapid"

	"rollcall/poller/budget"
)

// machine is a computer on which one worker after the other runs.
type machine struct {
	skew   time.Duration // of its wall clock
	steady time.Duration // which rests while the machine sleeps
	dir    string
	calls  int64
	finds  bool
	budget *budget.Budget
	bank   *bank
}

// loseDisk gives the machine an empty disk.
func (m *machine) loseDisk(t *rapid.T) {
	if err := errors.Join(os.RemoveAll(m.dir), os.Mkdir(m.dir, 0o700)); err != nil {
		t.Fatal(err)
	}
}

func (m *machine) start() {
	m.budget = budget.New(budget.Config{
		Tenant: "acme", Calls: m.calls, Finds: m.finds,
		Now:     func() time.Time { return m.bank.now.Add(m.skew) },
		Elapsed: func() time.Duration { return m.steady },
	})
	m.budget.Attach(m.bank, budget.NewSlip(m.dir, "acme"))
}

// months counts calls by the month in which they were really made.
type months map[budget.Month]int64

func (c months) call(t *rapid.T, m *machine, op string) bool {
	spend := m.budget.Spend
	if op == "find" {
		spend = m.budget.SpendFind
	}
	if spend(t.Context(), op) != nil {
		return false
	}
	// The call takes a while, and DingTalk's clock is not the ledger's.
	apart := time.Duration(rapid.IntRange(-45, 45).Draw(t, "seconds")) * time.Second
	c[budget.MonthOf(m.bank.now.Add(apart))]++
	return true
}

// turn is when November ends in China.
var turn = instant("2026-11-30T16:00:00Z")

// TestTheMonthIsNeverOverspent holds the promise against every interleaving of
// workers, reservations, lost answers, crashes, restarts and clocks.
func TestTheMonthIsNeverOverspent(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		limit, finds := rapid.Int64Range(1, 300).Draw(t, "limit"), rapid.Bool().Draw(t, "finds")
		b := newBank(turn.Add(-time.Duration(rapid.IntRange(1, 1000).Draw(t, "minutes before")) * time.Minute))
		spent := months{}
		var all []*machine
		for i := range 3 {
			m := &machine{dir: filepath.Join(dir, string(rune('a'+i))), calls: limit, finds: finds, bank: b}
			m.loseDisk(t)
			m.start()
			all = append(all, m)
		}
		one := func(t *rapid.T) *machine { return all[rapid.IntRange(0, len(all)-1).Draw(t, "machine")] }
		pass := func(d time.Duration, asleep *machine) {
			b.now = b.now.Add(d)
			for _, m := range all {
				if m != asleep {
					m.steady += d
				}
			}
		}
		t.Repeat(map[string]func(*rapid.T){
			"ask": func(t *rapid.T) {
				m := one(t)
				calls, _ := m.budget.Allow(t.Context(), 3, 0)
				for range calls {
					spent.call(t, m, "query")
				}
			},
			"look for meetings": func(t *rapid.T) {
				m := one(t)
				calls, _ := m.budget.AllowFind(t.Context(), rapid.Bool().Draw(t, "busy"))
				pages := rapid.IntRange(0, 8).Draw(t, "pages") // a list may be longer than what is allowed
				for range calls + pages {
					spent.call(t, m, "find")
				}
			},
			"spend without asking": func(t *rapid.T) {
				m := one(t)
				for range rapid.IntRange(1, 30).Draw(t, "calls") {
					spent.call(t, m, "lookup")
				}
			},
			"minutes pass": func(t *rapid.T) { pass(time.Duration(rapid.IntRange(1, 90).Draw(t, "minutes"))*time.Minute, nil) },
			"seconds pass": func(t *rapid.T) { pass(time.Duration(rapid.IntRange(1, 60).Draw(t, "seconds"))*time.Second, nil) },
			"hours pass":   func(t *rapid.T) { pass(time.Duration(rapid.IntRange(1, 100).Draw(t, "hours"))*time.Hour, nil) },
			"the month is about to turn": func(t *rapid.T) {
				if d := turn.Add(-40 * time.Second).Sub(b.now); d > 0 {
					pass(d, nil)
				}
			},
			"a machine sleeps": func(t *rapid.T) {
				m := one(t)
				pass(time.Duration(rapid.IntRange(1, 30).Draw(t, "hours"))*time.Hour, m)
			},
			"a clock is set forward": func(t *rapid.T) {
				one(t).skew += time.Duration(rapid.IntRange(1, 1000).Draw(t, "hours")) * time.Hour
			},
			"a clock is set back": func(t *rapid.T) {
				// One that sleeps and is set back unseen would deceive anybody.
				m := one(t)
				_, _ = m.budget.Allow(t.Context(), 0, 0)
				m.skew -= time.Duration(rapid.IntRange(0, 1000).Draw(t, "hours")) * time.Hour
				_, _ = m.budget.Allow(t.Context(), 0, 0)
			},
			"crash":              func(t *rapid.T) { one(t).start() },
			"crash without disk": func(t *rapid.T) { m := one(t); m.loseDisk(t); m.start() },
			"stop and start":     func(t *rapid.T) { m := one(t); _ = m.budget.Close(t.Context()); m.start() },
			"mishaps": func(t *rapid.T) {
				b.plan = rapid.SliceOfN(rapid.Map(rapid.IntRange(0, 4), func(i int) mishap { return mishap(i) }), 1, 6).Draw(t, "plan")
			},
			"late writes arrive":        func(*rapid.T) { b.arrive() },
			"the ledger goes and comes": func(*rapid.T) { b.away = !b.away },
			"": func(t *rapid.T) {
				for month, calls := range spent {
					if granted := b.granted(t, month); calls > granted || granted > limit {
						t.Fatalf("%d calls were made in %s, %d were granted, with a budget of %d", calls, month, granted, limit)
					}
				}
			},
		})
	})
}
