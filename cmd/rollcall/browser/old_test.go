//go:build unix

package browser_test

import (
	"strings"
	"syscall"
	"testing"
	"time"

	"rollcall/simulator"
)

// marks tells, in the page, which numbers that are not marked as old there are,
// and when first there were none: by the page's own clock, and with the longest time
// for which that stood still.
const marks = `
window.numbers = () => [...document.querySelectorAll('.strip li, .meetings tbody tr, .fact, .count')].filter((n) => n.checkVisibility());
window.unmarked = () => numbers().filter((n) => !n.closest(n.matches('.count') ? '.stale' : '.old') || n.matches('tr') && !n.innerText.includes('as of'));
window.observe = () => {
  clearInterval(window.observing);
  let last = performance.now();
  window.seen = { from: last, marked: 0, still: 0 };
  window.observing = setInterval(() => {
    const now = performance.now();
    if (seen.marked) return;
    seen.still = Math.max(seen.still, now - last);
    last = now;
    if (!unmarked().length) seen.marked = now;
  }, 20);
};
true`

// promised is within what time, in ms, everything is marked as old. A machine
// that does other things besides may take slack more.
const promised, slack = 3000, 3000

func TestEveryNumberIsMarkedOldAndFreshAgain(t *testing.T) {
	b := startBrowser(t)
	s := play(t, simulator.Config{Seed: 5, Meetings: 4, People: 6, Rate: 2})
	tabs := map[string]*tab{
		"the overview": b.open(s.url), "a meeting": b.open(s.url + "meeting/acme/" + s.sim.ConferenceIDs()[0]), "the kiosk": b.open(s.url + "?kiosk"),
	}
	for _, v := range tabs {
		ask[bool](v, marks)
	}
	for _, c := range []struct {
		name         string
		cut, restore func()
	}{
		{"the stream is cut", func() { s.console.signal(syscall.SIGSTOP) }, func() { s.console.signal(syscall.SIGCONT) }},
		{"the console is killed", func() { s.console.kill() }, func() { s.serve(s.address()) }},
		{"NATS is cut", s.wire.Refuse, s.wire.Restore},
		{"NATS is silent", func() { s.wire.SetDelay(time.Hour) }, func() { s.wire.SetDelay(0); s.wire.Cut() }},
		{"the worker is killed", func() { s.worker.kill() }, s.work},
	} {
		for where, v := range tabs {
			v.until(where+" is up to date before "+c.name, `document.querySelector('.verdict.good') && numbers().length > 1 && unmarked().length === numbers().length`)
		}
		for _, v := range tabs {
			ask[bool](v, `observe(); true`)
		}
		c.cut()
		for where, v := range tabs {
			v.until("every number of "+where+" is old: "+c.name, `seen.marked && document.querySelector('.verdict.bad')`)
			v.picture(strings.ReplaceAll("old "+where+" "+c.name, " ", "-"))
			took, still := ask[float64](v, `seen.marked - seen.from`), ask[float64](v, `seen.still`)
			t.Logf("%s: %s marked it within %.0f ms", c.name, where, took)
			if took > promised+slack+still {
				t.Errorf("%s: %s marked it after %.0f ms only (its clock stood still for %.0f ms)", c.name, where, took, still)
			}
		}
		c.restore()
		for where, v := range tabs {
			v.until(where+" is fresh again after "+c.name, `document.querySelector('.verdict.good') && unmarked().length === numbers().length`)
		}
	}
}
