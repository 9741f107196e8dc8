package publisher_test

import (
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"rollcall/publisher"
)

func TestDelaysStayWithinTheirBounds(t *testing.T) {
	const first, most = 200 * time.Millisecond, 15 * time.Second
	rapid.Check(t, func(t *rapid.T) {
		b := publisher.NewBackOff()
		failures := 0
		for _, heal := range rapid.SliceOfN(rapid.Bool(), 1, 80).Draw(t, "heals") {
			if heal {
				b.Reset()
				failures = 0
			}
			delay := b.NextBackOff()
			if delay <= 0 || delay > most {
				t.Fatalf("delay %s after %d failures", delay, failures)
			}
			if failures == 0 && delay > 2*first {
				t.Fatalf("the first delay is %s", delay)
			}
			failures++
		}
	})
}

func TestDelaysReachTheCap(t *testing.T) {
	b := publisher.NewBackOff()
	longest := time.Duration(0)
	for range 200 {
		longest = max(longest, b.NextBackOff())
	}
	if longest != 15*time.Second {
		t.Errorf("the longest of 200 delays is %s", longest)
	}
}

func TestDelaysNeverEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := publisher.NewBackOff()
		for begin := time.Now(); time.Since(begin) < 24*time.Hour; {
			delay := b.NextBackOff()
			if delay <= 0 {
				t.Fatalf("delay %s after %s", delay, time.Since(begin))
			}
			<-time.After(delay)
		}
	})
}
