package worker_test

import (
	"testing"
	"time"

	"rollcall"
	"rollcall/internal/ledger"
	"rollcall/store"
	"rollcall/worker"
)

// A meeting that DingTalk never knew has not ended. It is given up after three
// misses, each time it is tracked.
func TestNeverKnownIsUntracked(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, m := newWorld(), store.NewMemory(names)
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
		w, m := newWorld(), store.NewMemory(names)
		p := start(t, "w1", m, w, func(c *worker.Config) { c.Tenants[0].MissingAfter = 2 })
		elapse(time.Second)
		if _, err := p.worker.Track(t.Context(), "acme", "typo", "api"); err != nil {
			t.Fatal(err)
		}
		lost := false
		m.Fail = func(op string) error {
			if op == "commit done" && !lost {
				lost = true
				return ledger.ErrUnknown
			}
			return nil
		}
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
