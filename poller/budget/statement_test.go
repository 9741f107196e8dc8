package budget_test

import (
	"maps"
	"testing"
	"time"

	"rollcall/poller/budget"
)

// read gives the statement of a month as the bank has it.
func read(t *testing.T, b *bank, m budget.Month) budget.Statement {
	t.Helper()
	s, err := budget.ReadStatement(m, []byte(b.top("acme."+string(m)).data), []byte(b.top("acme."+budget.HoursKey).data), b.now)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestAStatementTellsSpentFromReserved(t *testing.T) {
	b := newBank(instant("2026-11-10T00:00:00Z"))
	w := begin(t, b, 200_000, "")
	w.work(time.Hour, 15*time.Second)
	held := w.Figures().Held
	s := read(t, b, "2026-11")
	if s.Limit != 200_000 || s.Total()+s.Reserved+s.Left != s.Limit {
		t.Errorf("%d spent, %d reserved and %d left are not %d", s.Total(), s.Reserved, s.Left, s.Limit)
	}
	// What was spent since the last reservation is not told yet.
	if s.Total() > w.made || s.Total()+s.Reserved != w.made+held || s.Total() < w.made/2 {
		t.Errorf("%d spent and %d reserved, where %d were made and %d are held", s.Total(), s.Reserved, w.made, held)
	}
	if err := w.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	s = read(t, b, "2026-11")
	if want := map[string]int64{"query": w.made}; !maps.Equal(s.Spent, want) || s.Reserved != 0 || s.Left != 200_000-w.made {
		t.Errorf("after a stop %v are spent, %d reserved, %d left; %d were made", s.Spent, s.Reserved, s.Left, w.made)
	}
	if next := read(t, b, "2026-12"); next.Limit != 0 || next.Total() != 0 || next.Pace != 0 {
		t.Errorf("of a month that nobody has begun it is said: %+v", next)
	}
}

func TestAStatementHasTheWorkersPace(t *testing.T) {
	for name, after := range map[string]time.Duration{"soon": time.Hour, "later": 8 * 24 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			b := newBank(instant("2026-11-02T01:00:00Z"))
			w := begin(t, b, 50_000, "")
			w.work(after, 15*time.Second)
			own, told := w.Figures().Pace, read(t, b, "2026-11").Pace
			if own == 0 || (told-own).Abs() > own/7 {
				t.Errorf("the pace is told as %s; the worker keeps %s", told, own)
			}
			b.now = instant("2026-12-02T00:00:00Z")
			if over := read(t, b, "2026-11"); over.Pace != 0 {
				t.Errorf("a month that is over has the pace %s", over.Pace)
			}
		})
	}
}

// TestAPaceIsNotRoundedToNone is of the last afternoon of a month, when what is
// left suffices for many calls a second: no pace would say that none is allowed.
func TestAPaceIsNotRoundedToNone(t *testing.T) {
	for calls, want := range map[int64]time.Duration{1_000_000: 35 * time.Millisecond, 1_000_000_000: time.Millisecond} {
		b := newBank(instant("2026-11-30T07:00:00Z"))
		w := begin(t, b, calls, "")
		w.pass()
		own, told := w.Figures().Pace, read(t, b, "2026-11").Pace
		if own != told || told < want/2 || told > want*2 {
			t.Errorf("of %d calls the worker keeps a pace of %s, and %s is told; about %s is right", calls, own, told, want)
		}
	}
}

func TestAStatementRefusesWhatItCannotRead(t *testing.T) {
	now := instant("2026-11-10T00:00:00Z")
	for name, read := range map[string]func() (budget.Statement, error){
		"no account": func() (budget.Statement, error) { return budget.ReadStatement("2026-11", []byte("{"), nil, now) },
		"a newer one": func() (budget.Statement, error) {
			return budget.ReadStatement("2026-11", []byte(`{"schema":2}`), nil, now)
		},
		"no hours": func() (budget.Statement, error) { return budget.ReadStatement("2026-11", nil, []byte("["), now) },
		"no month": func() (budget.Statement, error) { return budget.ReadStatement("2026-13", nil, nil, now) },
	} {
		if s, err := read(); err == nil {
			t.Errorf("%s is read as %+v", name, s)
		}
	}
}

// TestAnOutlookComesTrue holds what is foretold against a month of 8 hours on
// each working day, from the third week on.
func TestAnOutlookComesTrue(t *testing.T) {
	for _, calls := range []int64{5000, 50_000} {
		b := newBank(instant("2026-08-31T16:00:00Z")) // Tuesday, September 1, 0:00 in China
		w := begin(t, b, calls, "")
		busy := func() bool {
			local := b.now.Add(8 * time.Hour)
			return local.Weekday()%6 != 0 && local.Hour() >= 9 && local.Hour() < 17
		}
		live := func(d time.Duration) (made int64, working time.Duration) {
			before := w.made
			for end := b.now.Add(d); b.now.Before(end); b.now = b.now.Add(15 * time.Second) {
				if busy() {
					w.pass()
					working += 15 * time.Second
				} else if b.now.Second() == 0 {
					_, _ = w.Allow(t.Context(), 0, 0) // nothing is tracked
				}
			}
			return w.made - before, working
		}
		live(30 * 24 * time.Hour) // a month to learn the hours in
		live(7 * 24 * time.Hour)
		made, working := live(14 * 24 * time.Hour)
		pace := working / time.Duration(max(made, 1))
		// October has 22 working days; nothing but passes is made here, whereas
		// the outlook leaves some calls for ends.
		want := budget.Outlook{Calls: calls, Length: 31 * 24 * time.Hour, Meetings: 22 * 8 * time.Hour}.Pace()
		if pace < want*80/100 || pace > want*105/100 {
			t.Errorf("of %d calls one was made every %s; foretold was %s", calls, pace, want)
		}
	}
	clock := budget.Outlook{Calls: 5000, Length: 31 * 24 * time.Hour, Meetings: 31 * 24 * time.Hour}
	if pace := clock.Pace(); pace < 536*time.Second || pace > 600*time.Second {
		t.Errorf("around the clock 5000 calls are one every %s", pace)
	}
	clock.Finds = true
	if pace := clock.Pace(); pace < 760*time.Second || pace > 860*time.Second {
		t.Errorf("around the clock and with lists 5000 calls are one every %s", pace)
	}
	if pace := (budget.Outlook{}).Pace(); pace != 0 {
		t.Errorf("no calls are one every %s", pace)
	}
}
