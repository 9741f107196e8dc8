package poller_test

import (
	"fmt"
	"testing"
	"time"

	"rollcall/poller"
)

// Tenants ask at instants of their own, at the distance of their schedule, and at
// the same ones in every process.
func TestEachTenantHasAPhase(t *testing.T) {
	at := time.Date(2026, 11, 29, 10, 0, 0, 123456789, time.UTC)
	for _, period := range []time.Duration{time.Second, 15 * time.Second, 7 * time.Minute} {
		every, err := poller.ParseSchedule(fmt.Sprintf("@every %s", period), "Asia/Shanghai")
		if err != nil {
			t.Fatal(err)
		}
		first, early := map[time.Time]int{}, 0
		for n := range 1000 {
			s := every.Of(fmt.Sprint("tenant-", n))
			next := s.Next(at)
			if after := next.Sub(at); after <= 0 || after > period {
				t.Fatalf("%s: the tick after %s is %s", period, at, next)
			}
			if again := s.Next(next); again.Sub(next) != period || s.Pace() != period {
				t.Errorf("%s: %s comes after %s", period, again, next)
			}
			if s.Next(next.Add(-1)) != next {
				t.Errorf("%s: the tick at %s is passed over", period, next)
			}
			first[next]++
			if next.Sub(at) <= period/2 {
				early++
			}
		}
		if len(first) < 500 || early < 400 || early > 600 {
			t.Errorf("%s: 1,000 tenants tick at %d instants, %d of them in the first half", period, len(first), early)
		}
	}
}

func TestThePhaseIsEverTheSame(t *testing.T) {
	every, err := poller.ParseSchedule("@every 15s", "UTC")
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 11, 29, 10, 0, 0, 0, time.UTC)
	if got := every.Of("acme").Next(at).Sub(at); got != 5087*time.Millisecond {
		t.Errorf("acme ticks %s after the grid", got)
	}
	if got := every.Next(at).Sub(at); got != 15*time.Second {
		t.Errorf("without a tenant the next tick comes after %s", got)
	}
	for _, expression := range []string{"*/15 * * * * *", "@hourly", poller.Continuous} {
		s, err := poller.ParseSchedule(expression, "UTC")
		if err != nil {
			t.Fatal(err)
		}
		if s.Of("acme").Next(at) != s.Next(at) {
			t.Errorf("%s: a tenant has other instants", expression)
		}
	}
}
