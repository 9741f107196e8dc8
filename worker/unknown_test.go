package worker_test

import (
	"errors"
	"testing"
	"time"

	"go.uber.org/zap"

	"rollcall"
	"rollcall/internal/ledger"
	"rollcall/internal/ledgertest"
	"rollcall/worker"
)

// A meeting that DingTalk never knew has not ended. It is given up after three
// misses, each time it is tracked.
func TestNeverKnownIsUntracked(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, m := newWorld(), ledgertest.NewMemory(names)
		p := start(t, "w1", m, w, nil)
		elapse(time.Second)
		for epoch := 1; epoch <= 2; epoch++ {
			if _, err := p.worker.Track(t.Context(), "acme", "typo", "api"); err != nil {
				t.Fatal(err)
			}
			elapse(time.Second)
			if set := trackedSet(t, m); len(set) != 1 {
				t.Errorf("after one miss tracked is %v", set)
			}
			elapse(2 * time.Minute)
			all := events(t, m, "typo")
			if len(all) != epoch || all[epoch-1].Type != rollcall.MeetingUntracked || all[epoch-1].Reason != rollcall.ReasonUnknownMeeting {
				t.Fatalf("told is %+v", all)
			}
			if set := trackedSet(t, m); len(set) != 0 {
				t.Errorf("given up, and tracked is %v", set)
			}
		}
		asked := w.asked()
		elapse(5 * time.Hour)
		if w.asked() != asked {
			t.Error("it is asked about though it was given up")
		}
		lawful(t, m, "typo")
		p.stop(t)
	})
}

// The answer to the commit that gives a meeting up is lost: it is not asked about again.
func TestNeverKnownIsUntrackedThoughTheAnswerIsLost(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, m := newWorld(), ledgertest.NewMemory(names)
		p := start(t, "w1", m, w, func(c *worker.Config) { c.Tenants[0].MissingAfterPolls = 2 })
		elapse(time.Second)
		if _, err := p.worker.Track(t.Context(), "acme", "typo", "api"); err != nil {
			t.Fatal(err)
		}
		lost := false
		m.SetFail(func(op string) error {
			if op == "commit done" && !lost {
				lost = true
				return ledger.ErrUnknown
			}
			return nil
		})
		elapse(2 * time.Minute)
		asked := w.asked()
		elapse(time.Hour)
		if w.asked() != asked {
			t.Error("it is asked about though it was given up")
		}
		expect(t, m, "typo", "meeting.untracked")
		p.stop(t)
	})
}

// Whoever tracks a meeting that DingTalk does not know hears it at once, and the
// log tells it once when it is given up. A blank around an id is not taken.
func TestNeverKnownIsSaidAtOnce(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, m := newWorld(), ledgertest.NewMemory(names)
		p := start(t, "w1", m, w, nil)
		elapse(time.Second)
		view, err := p.worker.Track(t.Context(), "acme", "typo", "api")
		if err != nil || !view.Tracked || view.Trouble != "DingTalk does not know the meeting: is its id right?" {
			t.Errorf("track: %+v, %v", view, err)
		}
		elapse(20 * time.Second)
		if views, _, err := p.worker.List(t.Context(), "acme"); err != nil || len(views) != 1 || views[0].Trouble != view.Trouble {
			t.Errorf("list: %+v, %v", views, err)
		}
		elapse(time.Hour)
		if n := p.logs.FilterMessageSnippet("does not know a meeting").FilterField(zap.String("meeting", "typo")).Len(); n != 1 {
			t.Errorf("logged %d times", n)
		}
		for _, id := range []string{"typo ", " typo", "typo\n", "typo\u00a0", "\ttypo"} {
			if _, err := p.worker.Track(t.Context(), "acme", id, "api"); !errors.Is(err, worker.ErrBadID) {
				t.Errorf("track %q: %v", id, err)
			}
		}
		p.stop(t)
	})
}
