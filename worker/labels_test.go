package worker_test

import (
	"maps"
	"testing"
	"time"

	"rollcall"
	"rollcall/internal/ledgertest"
	"rollcall/worker"
)

// labelled fails unless the record, the tracked set and each event from a sequence
// on have these labels.
func labelled(t *testing.T, m *ledgertest.Memory, id string, from uint64, want rollcall.Labels) {
	t.Helper()
	if got := record(t, m, id).Labels; !maps.Equal(got, want) {
		t.Errorf("the record of %s has the labels %v, want %v", id, got, want)
	}
	for _, e := range events(t, m, id) {
		if e.Sequence >= from && !maps.Equal(e.Labels, want) {
			t.Errorf("%s of %s has the labels %v, want %v", e.Type, id, e.Labels, want)
		}
	}
	tracked, err := m.Tracked(t.Context(), "acme")
	if err != nil {
		t.Fatal(err)
	}
	for _, tracking := range tracked {
		if tracking.ConferenceID == id && !maps.Equal(tracking.Labels, want) {
			t.Errorf("%s is tracked with the labels %v, want %v", id, tracking.Labels, want)
		}
	}
}

// Labels stand in every later event; others replace them, and no word about them
// leaves them. They outlive the process and a takeover.
func TestLabelsOfAnOrder(t *testing.T) {
	bubble(t, func(t *testing.T) {
		blue, red := rollcall.Labels{"team": "blue", "floor": "3"}, rollcall.Labels{"team": "red"}
		w, m := newWorld(), ledgertest.NewMemory(names)
		w.set("c1", "ann")
		p := start(t, "w1", m, w, nil)
		elapse(time.Second)
		track := func(labels rollcall.Labels) {
			t.Helper()
			view, err := p.worker.TrackAs(t.Context(), "acme", "c1", "api", labels)
			if err != nil || labels != nil && !maps.Equal(view.Labels, labels) {
				t.Fatalf("tracked with %v: %+v, %v", labels, view, err)
			}
		}
		track(blue)
		labelled(t, m, "c1", 1, blue)
		w.set("c1", "ann", "bob")
		elapse(15 * time.Second)
		labelled(t, m, "c1", 1, blue)

		track(red)
		next := record(t, m, "c1").Sequence + 1
		labelled(t, m, "c1", next, red)
		track(nil)
		w.set("c1", "bob")
		elapse(15 * time.Second)
		labelled(t, m, "c1", next, red)

		p.stop(t)
		p = start(t, "w2", m, w, nil)
		w.set("c1", "bob", "cid")
		elapse(2 * time.Minute)
		labelled(t, m, "c1", next, red)

		track(rollcall.Labels{})
		next = record(t, m, "c1").Sequence + 1
		w.status("c1", rollcall.StatusEnded)
		elapse(15 * time.Second)
		labelled(t, m, "c1", next, nil)
		lawful(t, m, "c1")
		p.stop(t)
	})
}

// A meeting that ends with labels still has them when it is reopened.
func TestLabelsOfAReopenedMeeting(t *testing.T) {
	bubble(t, func(t *testing.T) {
		blue := rollcall.Labels{"team": "blue"}
		w, m := newWorld(), ledgertest.NewMemory(names)
		w.set("c1", "ann")
		p := start(t, "w1", m, w, nil)
		elapse(time.Second)
		if _, err := p.worker.TrackAs(t.Context(), "acme", "c1", "api", blue); err != nil {
			t.Fatal(err)
		}
		w.forget("c1")
		elapse(time.Minute)
		p.stop(t)
		p = start(t, "w2", m, w, nil)
		w.set("c1", "ann")
		elapse(10 * time.Minute)
		expect(t, m, "c1", "meeting.started", "participant.joined ann", "participant.left ann", "meeting.ended",
			"meeting.started", "participant.joined ann")
		labelled(t, m, "c1", 1, blue)
		p.stop(t)
	})
}

// The labels of the configuration and of a list are those that it has now, but
// where an operator gave others.
func TestLabelsOfTheConfiguration(t *testing.T) {
	bubble(t, func(t *testing.T) {
		labels := func(team string) func(*worker.Config) {
			return func(c *worker.Config) {
				c.Tenants[0].Conferences = []string{"c1", "c2"}
				c.Tenants[0].Labels = map[string]rollcall.Labels{"c1": {"team": team}, "c2": {"team": team}}
				c.Tenants[0].FoundLabels = map[string]rollcall.Labels{"organization": {"found": team}}
			}
		}
		w, m := newWorld(), ledgertest.NewMemory(names)
		for _, id := range []string{"c1", "c2", "c3"} {
			w.set(id, "ann")
		}
		p := start(t, "w1", m, w, labels("blue"))
		elapse(time.Second)
		if err := p.worker.Found(t.Context(), "acme", "organization", []string{"c1", "c3"}, nil, false); err != nil {
			t.Fatal(err)
		}
		if _, err := p.worker.TrackAs(t.Context(), "acme", "c2", "api", rollcall.Labels{"mine": "yes"}); err != nil {
			t.Fatal(err)
		}
		elapse(15 * time.Second)
		labelled(t, m, "c1", 1, rollcall.Labels{"team": "blue"})
		labelled(t, m, "c3", 1, rollcall.Labels{"found": "blue"})
		p.stop(t)

		p = start(t, "w2", m, w, labels("red"))
		elapse(time.Minute)
		for id, want := range map[string]rollcall.Labels{"c1": {"team": "red"}, "c2": {"mine": "yes"}, "c3": {"found": "red"}} {
			labelled(t, m, id, record(t, m, id).Sequence+1, want)
		}
		p.stop(t)
	})
}
