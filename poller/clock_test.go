package poller

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
	"unsafe"

	"rollcall/internal/wait"
)

// clock is a machine's clock that can be set. Its monotonic part goes on; the
// times of a bubble have none.
type clock struct {
	monotonic, began time.Time
	ahead            atomic.Int64
}

// newClock is to be called in a bubble, with an instant from outside.
func newClock(outside time.Time) *clock {
	c := &clock{monotonic: outside, began: time.Now()}
	c.set(c.began.Sub(outside).Truncate(time.Second))
	return c
}

func (c *clock) set(by time.Duration) { c.ahead.Add(int64(by)) }

func (c *clock) now() time.Time {
	return shifted(c.monotonic.Add(time.Since(c.began)), time.Duration(c.ahead.Load()))
}

// shifted gives an instant as a clock shows it that was set by d, which nobody
// can do with the methods of [time.Time].
func shifted(at time.Time, d time.Duration) time.Time {
	const second = 1 << 30 // of the wall part: 33 bits of seconds above 30 of nanoseconds
	parts := (*struct {
		wall uint64
		ext  int64
		loc  *time.Location
	})(unsafe.Pointer(&at))
	parts.wall += uint64(int64(d/time.Second) * second)
	return at
}

func TestAClockThatIsSet(t *testing.T) {
	at := time.Now()
	for _, d := range []time.Duration{8 * time.Hour, -8 * time.Hour} {
		if set := shifted(at, d); set.Sub(at) != 0 || set.Round(0).Sub(at.Round(0)) != d {
			t.Fatalf("%v set by %v is %v", at, d, set)
		}
	}
}

// TestHoldsOutlastNoClock sets the clock by hours while something holds the
// tenant, a meeting or the address: it ends when it would have ended.
func TestHoldsOutlastNoClock(t *testing.T) {
	for name, c := range map[string]struct {
		class Class
		lasts time.Duration // at most
	}{
		"throttle":   {ClassThrottled, 2 * time.Second},
		"token":      {ClassToken, 2 * time.Second},
		"permission": {ClassPermission, 30 * time.Second},
		"block":      {ClassBlocked, blockLasts},
		"quarantine": {ClassBadRequest, time.Minute},
	} {
		for _, by := range []time.Duration{-8 * time.Hour, 8 * time.Hour} {
			t.Run(name+" "+by.String(), func(t *testing.T) {
				outside := time.Now()
				synctest.Test(t, func(t *testing.T) {
					source, ids := healthy(1)
					source.script = []error{fault{class: c.class}}
					machine := newClock(outside)
					p, b := &Poller{Source: source, clock: machine.now}, &book{}
					p.Pass(t.Context(), b.ask(ids...))
					machine.set(by)
					report := p.Pass(t.Context(), b.ask(ids...))
					if report.Answered != 0 || report.Calls != 0 {
						t.Errorf("the clock ends it: %+v", report)
					}
					if until := report.Until.Sub(machine.now()); c.class != ClassBadRequest && (until <= 0 || until > c.lasts) {
						t.Errorf("it ends in %v", until)
					}
					wait.For(t.Context(), c.lasts)
					if report := p.Pass(t.Context(), b.ask(ids...)); report.Answered != 1 {
						t.Errorf("after %v it is in force: %+v", c.lasts, report)
					}
				})
			})
		}
	}
}

// TestQuotaKeepsTheCalendar: it ends with the month that the clock shows, also
// when the clock was wrong.
func TestQuotaKeepsTheCalendar(t *testing.T) {
	outside := time.Now()
	synctest.Test(t, func(t *testing.T) { // a bubble begins at 2000-01-01T00:00:00Z
		source, ids := healthy(1)
		source.script = []error{fault{class: ClassQuota}}
		machine := newClock(outside)
		p, b := &Poller{Source: source, clock: machine.now}, &book{}
		p.Pass(t.Context(), b.ask(ids...))
		machine.set(30 * 24 * time.Hour)
		if report := p.Pass(t.Context(), b.ask(ids...)); report.State != StateQuota {
			t.Errorf("in January: %+v", report)
		}
		machine.set(24 * time.Hour)
		if report := p.Pass(t.Context(), b.ask(ids...)); report.Answered != 1 {
			t.Errorf("in February: %+v", report)
		}
	})
}

// TestOneEndpointIsBlocked holds back all who call the endpoint that blocks, and
// nobody else; what only looks like a block holds back whom it met.
func TestOneEndpointIsBlocked(t *testing.T) {
	for _, c := range []struct {
		err              error
		sister, stranger bool // held back, too
	}{
		{fault{class: ClassBlocked}, true, false},
		{doubtful{fault{class: ClassBlocked}}, false, false},
	} {
		synctest.Test(t, func(t *testing.T) {
			var address Egress
			at := func(endpoint string) (*Poller, *fakeSource) {
				source, _ := healthy(1)
				return &Poller{Source: source, Egress: &address, Endpoint: endpoint}, source
			}
			first, source := at("https://a")
			sister, _ := at("https://a")
			stranger, _ := at("https://b")
			source.script = []error{c.err}
			if report := first.Pass(t.Context(), (&book{}).ask("m000")); report.State != StateThrottled {
				t.Errorf("report %+v", report)
			}
			expectSilence(t, first, source, []string{"m000"}, ClassBlocked)
			for p, held := range map[*Poller]bool{sister: c.sister, stranger: c.stranger} {
				if report := p.Pass(t.Context(), (&book{}).ask("m000")); (report.Answered == 0) != held {
					t.Errorf("%v: at %s: %+v", c.err, p.Endpoint, report)
				}
			}
			wait.For(t.Context(), blockLasts)
			if report := first.Pass(t.Context(), (&book{}).ask("m000")); report.Answered != 1 {
				t.Errorf("report %+v", report)
			}
		})
	}
}

// doubtful is a block that is only likely.
type doubtful struct{ fault }

func (doubtful) Doubtful() bool { return true }
