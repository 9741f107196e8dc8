package poller

import (
	"context"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/time/rate"

	"rollcall"
)

// TestEverySecondIsKept makes calls as fast as they are allowed, each of which
// takes a moment, and counts those of any second.
func TestEverySecondIsKept(t *testing.T) {
	const second = time.Second - time.Microsecond // the limiter rounds
	for _, qps := range []int{1, 20, 49, 100, 500} {
		synctest.Test(t, func(t *testing.T) {
			p := &Poller{Limiter: Evenly(float64(qps))}
			extra := together(p.Limiter) - 1
			time.Sleep(time.Hour) // idle: nothing is saved up
			var calls []time.Time
			for range 10 * qps {
				if err := p.gate().await(t.Context()); err != nil {
					t.Fatal(err)
				}
				if n := len(calls); n >= qps+extra && time.Since(calls[n-qps-extra]) < second {
					t.Fatalf("qps %d: call %d comes %v after the %dth before it", qps, n, time.Since(calls[n-qps-extra]), qps+extra)
				}
				calls = append(calls, time.Now())
				time.Sleep(rand.N(time.Second / time.Duration(4*qps)))
			}
			if took := time.Since(calls[0]); took > 10*time.Second+refillWindow {
				t.Errorf("qps %d: %d calls took %v", qps, len(calls), took)
			}
		})
	}
}

func TestCallsAreTakenTogetherWhereManyAreAllowed(t *testing.T) {
	for _, c := range []struct {
		limiter *rate.Limiter
		want    int
	}{
		{Evenly(0.1), 1},
		{Evenly(20), 1},
		{Evenly(100), 2},
		{Evenly(500), 10},
		{rate.NewLimiter(500, 500), 10},
		{rate.NewLimiter(500, 3), 3},
		{rate.NewLimiter(rate.Inf, 1), 1},
	} {
		if got := together(c.limiter); got != c.want {
			t.Errorf("%v a second, burst %d: %d together, want %d", c.limiter.Limit(), c.limiter.Burst(), got, c.want)
		}
	}
}

// TestAllowancesPass: what was allowed and not used is no licence for later.
func TestAllowancesPass(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &Poller{Limiter: Evenly(500)}
		if err := p.gate().await(t.Context()); err != nil {
			t.Fatal(err)
		}
		p.Limiter.SetLimit(1)
		p.Limiter.SetBurst(1)
		time.Sleep(allowanceLasts + time.Millisecond)
		for range 3 {
			if err := p.gate().await(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		if err := p.gate().await(ended); err == nil {
			t.Error("a call is allowed to a pass that is over")
		}
	})
}

// quick answers at once about whatever it is asked.
type quick struct{}

func (quick) Query(_ context.Context, ids []string) (Answers, error) {
	answers := Answers{Complete: true}
	for _, id := range ids {
		answers.Found = append(answers.Found, Found{ConferenceID: id, Raw: []byte("{}")})
	}
	return answers, nil
}

func (quick) Lookup(context.Context, string) (Standing, error) { return Standing{}, nil }

func (quick) Decode([]byte) *rollcall.Answer { return &rollcall.Answer{} }

// TestManyTenantsShareTheAddress: a thousand of one call each every 15 s are
// within what the address may, and none waits long for what others took.
func TestManyTenantsShareTheAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		egress := &Egress{Limiter: rate.NewLimiter(400, 400)}
		time.Sleep(time.Hour)
		var tenants sync.WaitGroup
		var mu sync.Mutex
		var worst time.Duration
		for range 1000 {
			tenants.Go(func() {
				p := &Poller{Source: quick{}, Egress: egress, Limiter: Evenly(20)}
				for range 4 {
					began := time.Now()
					p.Pass(t.Context(), Ask{
						IDs: []string{"m"}, Next: func() rollcall.Number { return rollcall.Number{} },
						Emit: func(context.Context, rollcall.Observation) error { return nil },
					})
					took := time.Since(began)
					mu.Lock()
					worst = max(worst, took)
					mu.Unlock()
					time.Sleep(15*time.Second - took)
				}
			})
		}
		tenants.Wait()
		if worst > 3*time.Second {
			t.Errorf("a call has waited for %v", worst)
		}
	})
}
