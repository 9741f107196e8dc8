package worker_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"rollcall"
	"rollcall/internal/ledgertest"
	"rollcall/poller"
	"rollcall/worker"
)

// hourly lets nobody be asked but for a reason.
func hourly(t *testing.T, hints *worker.Hints, more func(*worker.Config)) func(*worker.Config) {
	t.Helper()
	schedule, err := poller.ParseSchedule("@every 1h", "UTC")
	if err != nil {
		t.Fatal(err)
	}
	return func(cfg *worker.Config) {
		cfg.Tenants[0].Schedule, cfg.Tenants[0].Hints = schedule, hints
		if more != nil {
			more(cfg)
		}
	}
}

// TestManyHintsAreOneQuestion has a meeting asked about a second after the first of
// many hints, once, and tells what that question shows.
func TestManyHintsAreOneQuestion(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, l, hints := newWorld(), ledgertest.NewMemory(names), worker.NewHints()
		w.set("a", "ann")
		one := start(t, "one", l, w, hourly(t, hints, track("a")))
		elapse(time.Hour + time.Minute)
		w.set("a", "ann", "bob")
		asked := w.asked()
		for range 50 {
			hints.Take([]string{"a", "unheard-of", ""}, true)
			elapse(10 * time.Millisecond)
		}
		elapse(time.Minute)
		if n := w.asked() - asked; n != 1 {
			t.Errorf("%d questions were asked", n)
		}
		expect(t, l, "a", "meeting.started", "participant.joined ann", "participant.joined bob")
		// A hint at nothing new is no event, one at what is not tracked no question.
		hints.Take([]string{"a"}, true)
		hints.Take([]string{"unheard-of"}, true)
		elapse(time.Minute)
		if n := w.asked() - asked; n != 2 {
			t.Errorf("%d questions were asked", n)
		}
		expect(t, l, "a", "meeting.started", "participant.joined ann", "participant.joined bob")
		one.stop(t)
	})
}

// TestAHintIsNotForgottenWhereTheQuestionFails has it asked again soon, and what is
// no longer tracked never.
func TestAHintIsNotForgottenWhereTheQuestionFails(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, l, hints := newWorld(), ledgertest.NewMemory(names), worker.NewHints()
		w.set("a", "ann")
		w.set("b", "bob")
		one := start(t, "one", l, w, hourly(t, hints, func(cfg *worker.Config) { cfg.Tenants[0].Conferences = []string{"a", "b"} }))
		elapse(time.Hour + time.Minute)
		w.fail(errors.New("no answer"))
		w.set("a")
		hints.Take([]string{"a"}, true)
		elapse(time.Minute)
		w.fail(nil)
		elapse(2 * time.Minute)
		expect(t, l, "a", "meeting.started", "participant.joined ann", "participant.left ann")
		w.fail(errors.New("no answer"))
		hints.Take([]string{"b"}, true)
		elapse(2 * time.Second)
		if _, err := one.worker.Untrack(t.Context(), "acme", "b"); err != nil {
			t.Fatal(err)
		}
		asked := w.asked()
		elapse(20 * time.Minute)
		if n := w.asked() - asked; n > 0 {
			t.Errorf("%d questions were asked because of what is not tracked", n)
		}
		one.stop(t)
	})
}

// TestAHintIsOneShardsOwn has the others ask nothing.
func TestAHintIsOneShardsOwn(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, l, hints := newWorld(), ledgertest.NewMemory(names), worker.NewHints()
		var ids []string
		for n := range 16 {
			ids = append(ids, fmt.Sprintf("m%02d", n))
			w.set(ids[n], "ann")
		}
		one := start(t, "one", l, w, hourly(t, hints, func(cfg *worker.Config) {
			cfg.Tenants[0].Conferences, cfg.Tenants[0].Shards = ids, 4
		}))
		elapse(time.Hour + time.Minute)
		asked := w.asked()
		hints.Take([]string{"m07"}, true)
		elapse(time.Minute)
		if n := w.asked() - asked; n != 1 {
			t.Errorf("%d questions were asked", n)
		}
		one.stop(t)
	})
}

// saved is a budget that always has so many calls.
type saved int

func (s saved) Allow(context.Context, int, int) (int, error) { return int(s), nil }
func (saved) Pace() time.Duration                            { return 0 }

// TestACallIsKeptForTheNextHint while pushes are healthy: the schedule takes the
// last one only where they are not.
func TestACallIsKeptForTheNextHint(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, l, hints := newWorld(), ledgertest.NewMemory(names), worker.NewHints()
		w.set("a", "ann")
		one := start(t, "one", l, w, func(cfg *worker.Config) {
			hinted(hints)(cfg)
			cfg.Tenants[0].Budget = saved(1)
		})
		elapse(time.Minute)
		hints.Take(nil, true)
		asked := w.asked()
		elapse(29 * time.Second)
		if n := w.asked() - asked; n != 0 {
			t.Errorf("the schedule took the last call %d times", n)
		}
		w.set("a", "ann", "bob")
		hints.Take([]string{"a"}, true)
		elapse(2 * time.Second)
		expect(t, l, "a", "meeting.started", "participant.joined ann", "participant.joined bob")
		hints.Take(nil, false)
		asked = w.asked()
		elapse(time.Minute)
		if n := w.asked() - asked; n < 3 {
			t.Errorf("without pushes the schedule asked %d times in a minute", n)
		}
		one.stop(t)
	})
}

// TestAHintAsksAboutItsOwn has few of many meetings asked about, first those that
// are hinted at.
func TestAHintAsksAboutItsOwn(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, l, hints := newWorld(), ledgertest.NewMemory(names), worker.NewHints()
		var ids []string
		for n := range 30 {
			ids = append(ids, fmt.Sprintf("m%02d", n))
			w.set(ids[n], "ann")
		}
		one := start(t, "one", l, w, hourly(t, hints, func(cfg *worker.Config) {
			cfg.Tenants[0].Conferences, cfg.Tenants[0].BatchSize = ids, 5
		}))
		elapse(time.Hour + time.Minute)
		w.set("m17", "ann", "bob")
		w.set("m29", "ann", "bob")
		asked := w.asked()
		hints.Take([]string{"m29", "m17"}, true)
		elapse(time.Minute)
		for _, id := range []string{"m17", "m29"} {
			expect(t, l, id, "meeting.started", "participant.joined ann", "participant.joined bob")
		}
		if n := w.asked() - asked; n != 1 {
			t.Errorf("%d questions were asked", n)
		}
		one.stop(t)
	})
}

// TestSleepingMeetingsAreAskedAboutRarelyWherePushesAreHealthy, and as the schedule
// has it once pushes are not, or a hint says that one has started.
func TestSleepingMeetingsAreAskedAboutRarelyWherePushesAreHealthy(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, l, hints := newWorld(), ledgertest.NewMemory(names), worker.NewHints()
		w.put("a", &meeting{Title: "Meeting a", Status: rollcall.StatusInitialized})
		one := start(t, "one", l, w, hinted(hints))
		during := func(d time.Duration, healthy bool) int {
			asked := w.asked()
			for range int(d / (10 * time.Second)) {
				hints.Take(nil, healthy)
				elapse(10 * time.Second)
			}
			return w.asked() - asked
		}
		elapse(time.Minute)
		if n := during(time.Hour, true); n < 3 || n > 7 {
			t.Errorf("with pushes it was asked about %d times in an hour", n)
		}
		if n := during(10*time.Minute, false); n < 30 {
			t.Errorf("without pushes it was asked about %d times in ten minutes", n)
		}
		during(time.Minute, true)
		w.set("a", "ann")
		hints.Take([]string{"a"}, true)
		elapse(2 * time.Second)
		expect(t, l, "a", "meeting.initialized", "meeting.started", "participant.joined ann")
		if n := during(10*time.Minute, true); n < 30 {
			t.Errorf("once it goes on it was asked about %d times in ten minutes", n)
		}
		one.stop(t)
	})
}

// hinted tracks a meeting on the usual schedule.
func hinted(hints *worker.Hints) func(*worker.Config) {
	return func(cfg *worker.Config) {
		track("a")(cfg)
		cfg.Tenants[0].Hints = hints
	}
}
