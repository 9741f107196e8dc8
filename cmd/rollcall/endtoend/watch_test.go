//go:build unix

package endtoend_test

import (
	"testing"
	"time"

	"rollcall"
	"rollcall/wire"
)

// TestLongBlindness takes DingTalk away for as long as it takes to be told, stops a
// worker and starts it again, and expects exactly one loss and one return.
func TestLongBlindness(t *testing.T) {
	long(t)
	t.Parallel()
	w := newWorld(t, "--meetings", "3", "--people", "12", "--rate", "20")
	site := w.site("a", w.proxy.URL())
	first := site.start()
	w.listen()
	w.polled(3)
	first.stop()
	second := site.start()
	w.polled(3)
	from := time.Now()
	w.witness.hooks(func(string) bool { return true }, nil)
	second.lasts(90 * time.Second)
	until := time.Now()
	w.witness.hooks(nil, nil)
	w.polled(3)
	told := func() []stored { return below(w.live.messages(), "meetings.watch.") }
	eventually(t, "the return is told", func() bool { return len(told()) >= 2 })
	w.verdict().report(t)
	events := told()
	if len(events) != 2 {
		t.Fatalf("%d watch events, want 2", len(events))
	}
	for i, want := range []rollcall.Type{rollcall.WatchLost, rollcall.WatchResumed} {
		e, err := wire.DecodeWatch(events[i].data)
		if err != nil || e.Type != want || e.Reason != rollcall.ReasonUnreachable || e.Provenance != rollcall.ProvenanceObserved || e.Sequence != uint64(i+1) {
			t.Errorf("%+v (%v), want %s", e, err, want)
		}
		if e.Window.After.After(from) || want == rollcall.WatchResumed && e.Window.Before.Before(until.Truncate(time.Millisecond)) {
			t.Errorf("blind from %v until %v, told as %+v", from, until, e.Window)
		}
	}
}
