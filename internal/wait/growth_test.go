package wait

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestDelayStaysInItsBounds(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		first := time.Duration(rapid.Int64Range(1, int64(time.Hour)).Draw(rt, "first"))
		most := first + time.Duration(rapid.Int64Range(0, int64(24*time.Hour)).Draw(rt, "more"))
		n := rapid.IntRange(0, 1_000_000).Draw(rt, "n")
		g := Growth{first, most}
		d := g.Delay(n, rapid.Float64Range(0, 0.999999).Draw(rt, "random"))
		if d < first || d > most || d < g.Step(n) || d > g.Step(n+1) {
			rt.Fatalf("delay %v is not between %v and %v", d, first, most)
		}
		if g.Step(0) != first || g.Step(100) != most {
			rt.Fatalf("steps from %v to %v", g.Step(0), g.Step(100))
		}
	})
}

func TestBackOffBeginsAnewAfterASuccess(t *testing.T) {
	const first, most = 200 * time.Millisecond, 15 * time.Second
	rapid.Check(t, func(t *rapid.T) {
		b := Growth{first, most}.BackOff()
		failures := 0
		for _, heal := range rapid.SliceOfN(rapid.Bool(), 1, 80).Draw(t, "heals") {
			if heal {
				b.Reset()
				failures = 0
			}
			delay := b.NextBackOff()
			if delay < first || delay > most {
				t.Fatalf("delay %s after %d failures", delay, failures)
			}
			if failures == 0 && delay > 2*first {
				t.Fatalf("the first delay is %s", delay)
			}
			failures++
		}
	})
}

func TestBackOffReachesItsMostAndNeverEnds(t *testing.T) {
	const most = 15 * time.Second
	b := Growth{200 * time.Millisecond, most}.BackOff()
	for range 7 {
		b.NextBackOff()
	}
	for range 10_000 {
		if delay := b.NextBackOff(); delay != most {
			t.Fatalf("after all that the delay is %s", delay)
		}
	}
}
