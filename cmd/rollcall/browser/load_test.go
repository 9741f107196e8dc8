//go:build unix

package browser_test

import (
	"os"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/heapprofiler"
	"github.com/chromedp/cdproto/performance"

	"rollcall/simulator"
)

// measures are sums of a tab: seconds of the main thread's own time, and what
// it holds.
func (v *tab) measures() map[string]float64 {
	v.t.Helper()
	tell(v, heapprofiler.CollectGarbage, cdp.Empty{})
	all := map[string]float64{}
	for _, m := range tell(v, performance.GetMetrics, cdp.Empty{}).Metrics {
		all[m.Name] = m.Value
	}
	return all
}

// With ROLLCALL_LONG=1 it takes ten minutes, otherwise one.
func TestAThousandMeetingsKeepThePageCalm(t *testing.T) {
	b := startBrowser(t)
	s := play(t, simulator.Config{Seed: 11, Meetings: 1000, People: 20, Rate: 50, Keep: 20_000})
	v := b.open(s.url, screen(1360, 900))
	tell(v, performance.Enable, performance.EnableParams{TimeDomain: performance.EnableTimeDomainThreadTicks})
	v.until("all meetings are shown", `document.querySelectorAll('.meetings tbody tr').length === 1000 && document.querySelector('.verdict.good')`)
	span := time.Minute
	if os.Getenv("ROLLCALL_LONG") != "" {
		span = 10 * time.Minute
	}
	lasts(t, 15*time.Second) // the feed fills up
	before, from := v.measures(), time.Now()
	lasts(t, span)
	after, took := v.measures(), time.Since(from)
	busy := (after["TaskDuration"] - before["TaskDuration"]) / took.Seconds()
	t.Logf("main thread busy %.1f %%; heap %.1f to %.1f MB, nodes %.0f to %.0f, listeners %.0f to %.0f", 100*busy,
		before["JSHeapUsedSize"]/1e6, after["JSHeapUsedSize"]/1e6, before["Nodes"], after["Nodes"], before["JSEventListeners"], after["JSEventListeners"])
	if busy > 0.20 {
		t.Errorf("the main thread is busy for %.0f %% of the time, allowed are 20 %%", 100*busy)
	}
	for name, spare := range map[string]float64{"JSHeapUsedSize": 4e6, "Nodes": 500, "JSEventListeners": 100} {
		if grown := after[name] - before[name]; grown > 0.1*before[name]+spare {
			t.Errorf("%s grew from %.0f to %.0f", name, before[name], after[name])
		}
	}
	v.until("the page is still up to date", `document.querySelector('.verdict.good')`)
}

// lasts lets the time pass over which something is measured.
func lasts(t testing.TB, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-t.Context().Done():
	}
}
