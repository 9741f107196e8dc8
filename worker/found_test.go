package worker_test

import (
	"testing"
	"time"

	"rollcall/internal/ledgertest"
	"rollcall/worker"
)

func TestFoundMeetingsAreTracked(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c, l := &counted{world: newWorld()}, ledgertest.NewMemory(names)
		c.world.set("a", "ann")
		c.world.set("b", "bob")
		one := start(t, "one", l, c.world, track("a"))
		elapse(time.Minute)
		if tracked, holding := one.worker.Busy("acme"); tracked != 1 || !holding {
			t.Errorf("busy with %d, %v", tracked, holding)
		}
		if _, holding := one.worker.Busy("other"); holding {
			t.Error("a tenant that is not there is held")
		}
		if err := one.worker.Found(t.Context(), "acme", "organization", []string{"a", "b", ""}, nil, true); err != nil {
			t.Fatal(err)
		}
		elapse(time.Second) // it is asked about before the next tick
		expect(t, l, "b", "meeting.started", "participant.joined bob")
		for id, source := range map[string]string{"a": "config", "b": "organization"} {
			if view, err := one.worker.Show(t.Context(), "acme", id); err != nil || view.Source != source || !view.Tracked {
				t.Errorf("%s is tracked because of %q, %v", id, view.Source, err)
			}
		}
		if err := one.worker.Found(t.Context(), "other", "organization", nil, nil, true); err == nil {
			t.Error("a tenant that is not there takes what was found")
		}
		one.stop(t)
	})
}

func TestWhatDropsOffTheListIsAskedAboutAtOnce(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, l := newWorld(), ledgertest.NewMemory(names)
		for _, id := range []string{"a", "b", "c"} {
			w.set(id, "ann")
		}
		one := start(t, "one", l, w, nil)
		elapse(time.Second)
		find := func(listed, gone []string, restarted bool) {
			t.Helper()
			if err := one.worker.Found(t.Context(), "acme", "organization", listed, gone, restarted); err != nil {
				t.Fatal(err)
			}
			elapse(time.Second)
		}
		find([]string{"a", "b", "c"}, nil, true)
		asked := w.asked()
		w.hide("a")
		find([]string{"b", "c"}, []string{"a", "unheard-of"}, false)
		expect(t, l, "a", "meeting.started", "participant.joined ann", "participant.left ann", "meeting.ended")
		if w.asked() != asked {
			t.Errorf("%d queries were made for it", w.asked()-asked)
		}
		// Lists lag behind: it does not come back.
		find([]string{"a", "b", "c"}, nil, false)
		if view, err := one.worker.Show(t.Context(), "acme", "a"); err != nil || view.Tracked {
			t.Errorf("it is tracked again, %v", err)
		}
		// After a restart what came from the list and is not in it is looked up.
		w.hide("b")
		find([]string{"c"}, nil, true)
		if view, err := one.worker.Show(t.Context(), "acme", "b"); err != nil || view.Tracked {
			t.Errorf("it is still tracked, %v", err)
		}
		if view, err := one.worker.Show(t.Context(), "acme", "c"); err != nil || !view.Tracked {
			t.Errorf("it is not tracked any more, %v", err)
		}
		one.stop(t)
	})
}

func TestEachWorkerFindsForItsShards(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, l := newWorld(), ledgertest.NewMemory(names)
		var ids []string
		for _, id := range []string{"a", "b", "c", "d", "e", "f", "g", "h"} {
			w.set(id, "ann")
			ids = append(ids, id)
		}
		shards := func(c *worker.Config) { c.Tenants[0].Shards = 4 }
		one, two := start(t, "one", l, w, shards), start(t, "two", l, w, shards)
		elapse(30 * time.Second)
		total := 0
		for _, p := range []*process{one, two} {
			if err := p.worker.Found(t.Context(), "acme", "organization", ids, nil, true); err != nil {
				t.Fatal(err)
			}
			tracked, _ := p.worker.Busy("acme")
			total += tracked
		}
		if total != len(ids) {
			t.Errorf("%d meetings are tracked of %d", total, len(ids))
		}
		one.stop(t)
		two.stop(t)
	})
}
