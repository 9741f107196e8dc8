package budget_test

import (
	"testing"
	"time"

	"rollcall/poller/budget"
)

// office reports whether meetings go on: from 9 to 17 in China, Monday to Friday.
func office(at time.Time) bool {
	at = at.In(time.FixedZone("UTC+8", 8*60*60))
	return at.Weekday() != time.Saturday && at.Weekday() != time.Sunday && at.Hour() >= 9 && at.Hour() < 17
}

func TestCallsAreSpentWhenMeetingsAreSeen(t *testing.T) {
	b := newBank(instant("2026-10-31T16:00:00Z"))
	w := begin(t, b, 5000, "")
	made, busy := make([]int64, 5), make([]time.Duration, 5)
	for week := range 4 {
		for end := b.now.Add(7 * 24 * time.Hour); b.now.Before(end); b.now = b.now.Add(time.Minute) {
			tracked := 0
			if office(b.now) {
				tracked, busy[week] = 3, busy[week]+time.Minute
			}
			calls, err := w.Allow(t.Context(), tracked, 0)
			if err != nil {
				t.Fatal(err)
			}
			if tracked == 0 && calls > 0 {
				t.Fatalf("%d calls are allowed while nothing is tracked", calls)
			}
			for range calls {
				if err := w.Spend(t.Context(), "query"); err != nil {
					t.Fatal(err)
				}
				made[week]++
			}
		}
	}
	for week := 1; week < 4; week++ {
		if pace := busy[week] / time.Duration(made[week]); pace > 130*time.Second {
			t.Errorf("in week %d a call is made every %s of meetings", week+1, pace)
		}
	}
	if total := b.granted(t, "2026-11"); total > 5000 {
		t.Errorf("%d calls were reserved", total)
	}
}

// TestAMeetingAtNightIsAskedAbout holds that an hour in which nobody expected
// a meeting gets a pace that is of use.
func TestAMeetingAtNightIsAskedAbout(t *testing.T) {
	b := newBank(instant("2026-10-31T16:00:00Z"))
	w := begin(t, b, 5000, "")
	for end := b.now.Add(14 * 24 * time.Hour); b.now.Before(end); b.now = b.now.Add(time.Minute) {
		tracked := 0
		if office(b.now) {
			tracked = 1
		}
		calls, _ := w.Allow(t.Context(), tracked, 0)
		for range calls {
			if err := w.Spend(t.Context(), "query"); err != nil {
				t.Fatal(err)
			}
		}
	}
	before := w.made
	w.work(time.Hour, time.Minute) // Sunday, 0:00
	if made := w.made - before; made < 10 || made > 50 {
		t.Errorf("%d calls were made in an hour", made)
	}
}

func TestMonthsAreThoseOfChina(t *testing.T) {
	for at, want := range map[string]budget.Month{
		"2026-11-30T15:59:59Z": "2026-11", "2026-11-30T16:00:00Z": "2026-12", "2026-12-31T16:00:00Z": "2027-01",
	} {
		if got := budget.MonthOf(instant(at)); got != want {
			t.Errorf("%s is in %s, want %s", at, got, want)
		}
	}
	if end := budget.Month("2026-12").End(); !end.Equal(instant("2026-12-31T16:00:00Z")) {
		t.Errorf("December ends at %s", end)
	}
}
