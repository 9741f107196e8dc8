package worker_test

import (
	"testing"
	"time"

	"rollcall"
	"rollcall/internal/ledgertest"
	"rollcall/worker"
)

// offer tells what a list says, and reports whether a meeting is tracked after it.
func offer(t *testing.T, p *process, id string) (source string) {
	t.Helper()
	if err := p.worker.Found(t.Context(), "acme", "organization", []string{id}, nil, false); err != nil {
		t.Fatal(err)
	}
	elapse(time.Second)
	if view, err := p.worker.Show(t.Context(), "acme", id); err == nil && view.Tracked {
		return view.Source
	}
	return ""
}

// TestAListBringsBackNothingThatWasUntracked offers what an operator took off
// the tracked set again and again, also to the next process.
func TestAListBringsBackNothingThatWasUntracked(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, l := newWorld(), ledgertest.NewMemory(names)
		w.set("a", "ann")
		one := start(t, "one", l, w, nil)
		elapse(time.Second)
		for _, id := range []string{"a", "unanswered"} {
			if got := offer(t, one, id); got != "organization" {
				t.Errorf("%s is tracked because of %q", id, got)
			}
			if _, err := one.worker.Untrack(t.Context(), "acme", id); err != nil {
				t.Fatal(err)
			}
		}
		for range 20 {
			elapse(5 * time.Minute)
			if got := offer(t, one, "a") + offer(t, one, "unanswered"); got != "" {
				t.Fatalf("one is tracked again because of %q", got)
			}
		}
		one.stop(t)
		two := start(t, "two", l, w, nil)
		elapse(time.Minute)
		if got := offer(t, two, "a"); got != "" {
			t.Errorf("the next process tracks it because of %q", got)
		}
		// An operator may change their mind.
		if view, err := two.worker.Track(t.Context(), "acme", "a", "api"); err != nil || !view.Tracked {
			t.Errorf("it is not tracked by order: %v", err)
		}
		if got := offer(t, two, "a"); got != "api" {
			t.Errorf("it is tracked because of %q", got)
		}
		two.stop(t)
	})
}

// TestAListBringsBackWhatNobodyDeclined offers meetings that left the tracked
// set without an order.
func TestAListBringsBackWhatNobodyDeclined(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, l := newWorld(), ledgertest.NewMemory(names)
		w.set("a", "ann")
		one := start(t, "one", l, w, track("a"))
		elapse(time.Minute)
		one.stop(t)
		two := start(t, "two", l, w, nil) // the configuration names it no longer
		elapse(5 * time.Minute)
		if got := offer(t, two, "a"); got != "organization" {
			t.Errorf("it is tracked because of %q", got)
		}
		w.hide("a")
		elapse(time.Minute)
		if got := offer(t, two, "a"); got != "" {
			t.Errorf("a list that lags behind brings back what has ended, for %q", got)
		}
		w.set("a", "ann")
		elapse(11 * time.Minute)
		if got := offer(t, two, "a"); got != "organization" {
			t.Errorf("what goes on again is tracked because of %q", got)
		}
		two.stop(t)
	})
}

func TestAListBringsBackWhatStartsLate(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, l := newWorld(), ledgertest.NewMemory(names)
		w.set("a")
		w.status("a", rollcall.StatusInitialized)
		one := start(t, "one", l, w, func(cfg *worker.Config) {
			track("a")(cfg)
			cfg.Tenants[0].ExpireUnstarted = time.Hour
		})
		elapse(2 * time.Hour)
		if view, err := one.worker.Show(t.Context(), "acme", "a"); err != nil || view.Tracked || !view.Record.Untracked {
			t.Fatalf("it has not expired: %+v, %v", view, err)
		}
		if got := offer(t, one, "a"); got != "organization" {
			t.Errorf("it is tracked because of %q", got)
		}
		one.stop(t)
	})
}
