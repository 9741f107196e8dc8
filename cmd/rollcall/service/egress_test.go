package service

import (
	"context"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"rollcall"
	"rollcall/poller"
)

// hasty answers at once, or almost, and notes when it was asked.
type hasty struct {
	mu    sync.Mutex
	calls []time.Time
}

func (h *hasty) Query(context.Context, []string) (poller.Answers, error) {
	h.mu.Lock()
	h.calls = append(h.calls, time.Now())
	h.mu.Unlock()
	time.Sleep(rand.N(20 * time.Millisecond))
	return poller.Answers{Complete: true, Found: []poller.Found{{ConferenceID: "m", Raw: []byte("{}")}}}, nil
}

func (*hasty) Lookup(context.Context, string) (poller.Standing, error) {
	return poller.Standing{Status: rollcall.StatusStarted}, nil
}

func (*hasty) Decode([]byte) *rollcall.Answer { return &rollcall.Answer{} }

// TestNoAddressIsBlocked lets many tenants begin together after a rest, and ask
// as fast as they may, and counts what DingTalk counts.
func TestNoAddressIsBlocked(t *testing.T) {
	const window, most = 20 * time.Second, 10_000
	for _, qps := range []float64{1, 400, 480, 500} {
		synctest.Test(t, func(t *testing.T) {
			source := &hasty{}
			egress := &poller.Egress{Limiter: egressLimiter(qps)}
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			var tenants sync.WaitGroup
			for range 50 {
				tenants.Go(func() {
					askAll(ctx, &poller.Poller{Source: source, BatchSize: 1, Egress: egress, Limiter: poller.Evenly(500)})
				})
			}
			tenants.Wait()
			first := 0
			for i, at := range source.calls {
				for at.Sub(source.calls[first]) > window {
					first++
				}
				if n := i - first + 1; n > most {
					t.Fatalf("egress_qps %v: %d calls within 20 s", qps, n)
				}
			}
			if n := float64(len(source.calls)); n < 30*min(qps, 490) {
				t.Errorf("egress_qps %v: only %v calls in 30 s", qps, n)
			}
		})
	}
}

func askAll(ctx context.Context, p *poller.Poller) {
	ask := poller.Ask{
		IDs:  []string{"m"},
		Next: func() rollcall.Number { return rollcall.Number{} },
		Emit: func(context.Context, rollcall.Observation) error { return nil },
	}
	for ; ctx.Err() == nil; time.Sleep(time.Millisecond) {
		p.Pass(ctx, ask)
	}
}
