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

// countChanges has the page count what is changed in it; not that rows are marked as
// old, since it is the worker that is late then.
const countChanges = `window.changes = 0, window.since = performance.now(), new MutationObserver((some) => {
	changes += some.filter((one) => one.attributeName !== 'class' || !one.target.matches('tr')).length;
}).observe(
	document, {subtree: true, childList: true, attributes: true, characterData: true}), true`

// The page changes no more than what has changed, and that together: how long it is busy
// with it is the machine's affair. With ROLLCALL_LONG=1 it takes ten minutes, otherwise one.
func TestAThousandMeetingsKeepThePageCalm(t *testing.T) {
	const rate, mostChanges, mostLayouts = 50, 10, 10
	b := startBrowser(t)
	s := play(t, simulator.Config{Seed: 11, Meetings: 1000, People: 20, Rate: rate, Keep: 20_000})
	v := b.open(s.url, screen(1360, 900))
	tell(v, performance.Enable, performance.EnableParams{TimeDomain: performance.EnableTimeDomainThreadTicks})
	v.until("all meetings are shown", `document.querySelectorAll('.meetings tbody tr').length === 1000 && document.querySelector('.verdict.good')`)
	span := time.Minute
	if os.Getenv("ROLLCALL_LONG") != "" {
		span = 10 * time.Minute
	}
	lasts(t, 15*time.Second) // the feed fills up
	ask[bool](v, countChanges)
	before, from := v.measures(), time.Now()
	lasts(t, span)
	after, took := v.measures(), time.Since(from).Seconds()
	changes := ask[float64](v, `changes / (performance.now() - since) * 1000`)
	layouts := (after["LayoutCount"] - before["LayoutCount"]) / took
	t.Logf("main thread busy %.1f %%; a second: %.0f changes, %.1f layouts; heap %.1f to %.1f MB, nodes %.0f to %.0f, listeners %.0f to %.0f",
		100*(after["TaskDuration"]-before["TaskDuration"])/took, changes, layouts,
		before["JSHeapUsedSize"]/1e6, after["JSHeapUsedSize"]/1e6, before["Nodes"], after["Nodes"], before["JSEventListeners"], after["JSEventListeners"])
	if changes == 0 || changes > mostChanges*rate {
		t.Errorf("the page changes %.0f things a second, where %d happen", changes, rate)
	}
	if layouts > mostLayouts {
		t.Errorf("the page is laid out %.1f times a second, where %d are enough", layouts, mostLayouts)
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
