package budget_test

import (
	"slices"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"rollcall/poller/budget"
)

// TestAnAccountThatIsLost: what stands in the place of an account gives nobody
// his spent calls back, and stops nobody for ever.
func TestAnAccountThatIsLost(t *testing.T) {
	garbage := map[string]string{
		"garbage": "\x00{", "an empty object": "{}", "a text": `"x"`, "null": "null", "impossible": `{"schema":1,"granted":-5}`,
		"reset": `{"schema":1,"limit":5000,"granted":0,"credit":0,"at":"2026-11-01T00:00:00.000Z","spent":{},"leases":{}}`,
		"gone":  "",
	}
	for name, data := range garbage {
		for who, restarts := range map[string]bool{"known": false, "unknown": true} {
			if restarts && name == "reset" {
				continue // nothing tells it from an account that nobody has used
			}
			t.Run(name+", "+who, func(t *testing.T) {
				b := newBank(instant("2026-10-31T16:00:00Z"))
				core, logs := observer.New(zap.WarnLevel)
				w := beginLogged(t, b, 5000, "", zap.New(core))
				w.work(10*24*time.Hour, 5*time.Minute)
				key := "acme.2026-11"
				b.write(key, data, b.top(key).revision)
				b.write("acme."+budget.HoursKey, "\x00", b.top("acme."+budget.HoursKey).revision)
				before := w.made
				if restarts {
					w = beginLogged(t, b, 5000, "", zap.New(core))
				}
				w.work(20*24*time.Hour-2*time.Minute, 5*time.Minute)
				after := w.made
				if !restarts {
					after -= before
				}
				if after < 2500 || before+after > 5000 {
					t.Errorf("%d calls were made before it and %d after it, of 5000", before, after)
				}
				if n := logs.FilterMessageSnippet("is gone or cannot be read").Len(); n != 1 || w.Figures().Lost != 1 {
					t.Errorf("it is said %d times and counted as %d: %v", n, w.Figures().Lost, logs.All())
				}
			})
		}
	}
	for _, key := range []string{"2026-11", budget.HoursKey} {
		b := newBank(instant("2026-11-10T16:00:00Z"))
		b.write("acme."+key, `{"schema":2}`, 0)
		if w := begin(t, b, 5000, ""); func() bool { n, _ := w.Allow(t.Context(), 1, 0); return n > 0 }() {
			t.Error("a call is made though a newer version keeps the account")
		}
		if b.top("acme."+key).data != `{"schema":2}` {
			t.Error("what a newer version wrote is overwritten")
		}
	}
}

// TestAnOldReadingIsNoLoss: a follower that lags shows an account without what
// this worker has just written into it.
func TestAnOldReadingIsNoLoss(t *testing.T) {
	b := newBank(instant("2026-10-31T16:00:00Z"))
	w := begin(t, b, 5000, "")
	for range 2000 {
		b.plan = append(b.plan, slices.Repeat([]mishap{fine}, 3)...)
		b.plan = append(b.plan, lagging)
	}
	w.work(10*24*time.Hour, 5*time.Minute)
	if w.Figures().Lost != 0 || w.made < 1500 {
		t.Errorf("%d calls were made, and the account counts as lost %d times", w.made, w.Figures().Lost)
	}
}

// TestABucketThatIsLostWhileNobodyWorks: the note on the disk knows that calls
// were spent, and the account knows nothing.
func TestABucketThatIsLostWhileNobodyWorks(t *testing.T) {
	dir, b := t.TempDir(), newBank(instant("2026-10-31T16:00:00Z"))
	before := begin(t, b, 500, dir)
	before.work(10*24*time.Hour, time.Hour)
	b.entries = map[string][]entry{}
	after := begin(t, b, 500, dir)
	after.work(19*24*time.Hour, time.Hour)
	if n := before.made + after.made; n > 500 || after.made < 200 || after.Figures().Lost != 1 {
		t.Errorf("%d calls before it and %d after it are %d of 500; lost %d times", before.made, after.made, n, after.Figures().Lost)
	}
}
