package worker_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"rollcall"
	"rollcall/internal/ledgertest"
	"rollcall/simulator"
	"rollcall/worker"
)

// What nobody saw is told afterwards, as far as DingTalk still knows it.

// act makes things happen in a meeting: "join ann", "end".
func (d *dingTalk) act(t *testing.T, id string, verbs ...string) {
	t.Helper()
	for _, words := range verbs {
		a := simulator.Act{ConferenceID: id}
		_, _ = fmt.Sscan(words, &a.Verb, &a.UserID)
		if _, err := d.Act(a); err != nil {
			t.Fatal(err)
		}
	}
}

// hold lets a meeting take place: people come and go for 25 minutes, one for a few
// seconds and one twice, until it ends.
func (d *dingTalk) hold(t *testing.T, id string) {
	t.Helper()
	d.act(t, id, "join ann", "invite bob")
	elapse(4*time.Minute + 321*time.Millisecond)
	d.act(t, id, "join bob", "mic_on bob", "join eve")
	elapse(7 * time.Second)
	d.act(t, id, "leave eve", "join dan")
	elapse(10 * time.Minute)
	d.act(t, id, "leave ann", "kick dan")
	elapse(time.Minute)
	d.act(t, id, "join ann")
	elapse(10*time.Minute + 77*time.Millisecond)
	d.act(t, id, "end")
}

// turns are when a meeting truly started and ended, the last time.
func (d *dingTalk) turns(id string) (started, ended time.Time) {
	for _, f := range d.Happened() {
		switch {
		case f.ConferenceID != id:
		case f.Type == rollcall.MeetingStarted:
			started = f.At.Truncate(time.Millisecond)
		case f.Type == rollcall.MeetingEnded:
			ended = f.At.Truncate(time.Millisecond)
		}
	}
	return started, ended
}

// tellHow gives events as words with their provenance, and times that are exact as
// seconds since then.
func tellHow(all []rollcall.Event, since time.Time) (words []string) {
	for i, word := range tell(all) {
		word += " " + string(all[i].Provenance)
		if all[i].Exact {
			word += fmt.Sprint(" ", all[i].Time.Sub(since).Seconds())
		}
		words = append(words, word)
	}
	return words
}

// visitsEqual holds the visits of a meeting's summary against the truth, each exact.
func visitsEqual(t *testing.T, d *dingTalk, m *ledgertest.Memory, id string) {
	t.Helper()
	s, got := summaryOf(t, m, id), map[string][]span{}
	for who, all := range toldBy(s) {
		for _, v := range all {
			got[who] = append(got[who], span{v.Joined.At, v.Left.At})
		}
	}
	if diff := gocmp.Diff(truly(d.Happened(), id), got, gocmp.AllowUnexported(span{})); diff != "" || !s.Complete {
		t.Errorf("%s: complete is %v, the visits are (-truth +told):\n%s", id, s.Complete, diff)
	}
	started, ended := d.turns(id)
	if !s.StartedAt.At.Equal(started) || !s.EndedAt.At.Equal(ended) {
		t.Errorf("%s: told from %+v to %+v, true is %v to %v", id, s.StartedAt, s.EndedAt, started, ended)
	}
}

// worlds are the ways in which DingTalk may show what has not begun and what is over.
func worlds(t *testing.T, try func(t *testing.T, cfg simulator.Config)) {
	for _, style := range []simulator.EndStyle{simulator.EndStatus, simulator.EndOmitted, simulator.EndResourceClosed} {
		for _, hidden := range []bool{false, true} {
			t.Run(fmt.Sprint(style, ", those that have not begun are left out: ", hidden), func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					try(t, simulator.Config{Seed: 4, Meetings: 3, Empty: true, EndStyle: style, HideUnstarted: hidden})
				})
			})
		}
	}
}

// A worker that was off for the whole of tracked meetings tells of each its start, its
// end, and every visit.
func TestWhatTookPlaceUnseenIsTold(t *testing.T) {
	worlds(t, func(t *testing.T, cfg simulator.Config) {
		d, m := newDingTalk(t, cfg), ledgertest.NewMemory(names)
		ids := d.ConferenceIDs()
		ctx, cancel := context.WithCancel(t.Context())
		var living sync.WaitGroup
		living.Go(func() { _ = d.Run(ctx) })
		defer living.Wait()
		defer cancel()
		employ := func(id string) (stop func()) {
			p, client := d.employ(t, id, m, func(c *worker.Config) { summarizing(c, m) }, ids...)
			return func() { p.stop(t); client.Close() }
		}
		stop := employ("w1")
		elapse(time.Minute)
		stop()
		began := time.Now()
		for _, id := range ids {
			elapse(time.Hour)
			d.hold(t, id)
		}
		elapse(time.Hour)
		stop = employ("w2")
		elapse(5 * time.Minute)
		stop()
		d.wire.Close()
		for _, id := range ids {
			lawful(t, m, id)
			started, ended := d.turns(id)
			want := []string{
				"meeting.initialized baseline",
				fmt.Sprint("meeting.started reconciled ", started.Sub(began).Seconds()),
				"meeting.start_time_changed reconciled",
				fmt.Sprint("meeting.ended reconciled ", ended.Sub(began).Seconds()),
				"meeting.summarized reconciled",
			}
			if cfg.HideUnstarted {
				want = slices.Delete(want[1:], 1, 2)
			}
			if diff := gocmp.Diff(want, tellHow(events(t, m, id), began)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", id, diff)
			}
			visitsEqual(t, d, m, id)
			for _, p := range summaryOf(t, m, id).People {
				if slices.ContainsFunc(p.Visits, func(v rollcall.Visit) bool { return v.Provenance != rollcall.ProvenanceReconciled }) {
					t.Errorf("%s: nobody saw %+v", id, p)
				}
			}
		}
		wantWatched(t, m, "watch.lost stopped inferred", "watch.resumed stopped inferred")
	})
}
