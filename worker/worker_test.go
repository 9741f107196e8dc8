package worker_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"rollcall"
	"rollcall/internal/ledger"
	"rollcall/internal/ledgertest"
	"rollcall/poller"
	"rollcall/wire"
	"rollcall/worker"
	"rollcall/worker/backlog"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestPeopleComeAndGo(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, m := newWorld(), ledgertest.NewMemory(names)
		w.set("c1", "ann", "bob*")
		p := start(t, "w1", m, w, track("c1"))
		elapse(time.Second)
		w.set("c1", "ann*")
		elapse(15 * time.Second)
		w.status("c1", rollcall.StatusEnded)
		elapse(15 * time.Second)
		p.stop(t)
		expect(t, m, "c1", "meeting.started", "participant.joined ann", "participant.joined bob", "participant.mic_opened bob",
			"participant.mic_closed bob", "participant.left bob", "participant.mic_opened ann",
			"participant.mic_closed ann", "participant.left ann", "meeting.ended")
		lawful(t, m, "c1")
		if set := trackedSet(t, m); len(set) != 0 {
			t.Errorf("after the end %v is still tracked", set)
		}
	})
}

func TestUnchangedWritesNothing(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, m := newWorld(), ledgertest.NewMemory(names)
		w.set("c1", "ann")
		p := start(t, "w1", m, w, track("c1"))
		elapse(time.Second)
		before := count(m, names.State("acme", "c1"))
		elapse(time.Hour)
		if after := count(m, names.State("acme", "c1")); after != before || before != 1 {
			t.Errorf("%d records were written at first and %d more in an hour without a change", before, after-before)
		}
		w.set("c1", "ann", "bob")
		elapse(15 * time.Second)
		all := events(t, m, "c1")
		window := all[len(all)-1].Window
		if d := window.Before.Sub(window.After); d > 15*time.Second {
			t.Errorf("bob came within %s, though every 15 s somebody looked", d)
		}
		p.stop(t)
	})
}

func count(m *ledgertest.Memory, subject string) (n int) {
	for _, msg := range m.Messages() {
		if msg.Subject == subject {
			n++
		}
	}
	return n
}

func TestLedgerAwayLosesNothing(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, m := newWorld(), ledgertest.NewMemory(names)
		l := &wrapped{Memory: m}
		w.set("c1", "ann")
		p := start(t, "w1", l, w, track("c1"))
		elapse(time.Second)
		l.fail(errors.New("no responders"))
		for i := range 20 { // five minutes
			w.set("c1", "ann", fmt.Sprint("guest", i))
			elapse(15 * time.Second)
		}
		l.fail(nil)
		elapse(20 * time.Second)
		lawful(t, m, "c1")
		joined := map[string]bool{}
		for _, word := range tell(events(t, m, "c1")) {
			joined[word] = true
		}
		for i := range 20 {
			if !joined[fmt.Sprint("participant.joined guest", i)] || i < 19 && !joined[fmt.Sprint("participant.left guest", i)] {
				t.Errorf("guest %d was seen while the ledger was away, and is not told", i)
			}
		}
		p.stop(t)
	})
}

func TestLostAcknowledgementRepeatsNothing(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, m := newWorld(), ledgertest.NewMemory(names)
		var mu sync.Mutex
		lose := 0
		m.Fail = func(op string) error {
			mu.Lock()
			defer mu.Unlock()
			if op == "commit done" {
				if lose++; lose%2 == 0 {
					return ledger.ErrUnknown
				}
			}
			return nil
		}
		w.set("c1", "ann")
		p := start(t, "w1", m, w, track("c1"))
		for i := range 30 {
			w.set("c1", "ann", fmt.Sprint("guest", i))
			elapse(15 * time.Second)
		}
		p.stop(t)
		lawful(t, m, "c1")
		if n := len(events(t, m, "c1")); n != 2+30+29 && n != 2+29+28 {
			t.Errorf("%d events", n)
		}
	})
}

func TestRestartFencesAndInventsNothing(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, m := newWorld(), ledgertest.NewMemory(names)
		w.set("c1", "ann")
		w.set("c2", "eve")
		p := start(t, "w1", m, w, track("c1", "c2"))
		elapse(time.Minute)
		p.stop(t)
		first := record(t, m, "c1").Number.Term
		w.set("c1", "ann", "bob")
		p = start(t, "w2", m, w, track("c1", "c2"))
		elapse(time.Minute)
		p.stop(t)
		expect(t, m, "c1", "meeting.started", "participant.joined ann", "participant.joined bob")
		expect(t, m, "c2", "meeting.started", "participant.joined eve")
		for _, id := range []string{"c1", "c2"} {
			lawful(t, m, id)
			if term := record(t, m, id).Number.Term; term <= first {
				t.Errorf("%s: the first poll of the new term did not write the record anew: its term is %d", id, term)
			}
		}
	})
}

func TestFrozenWorkerPublishesNothingOld(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, m := newWorld(), ledgertest.NewMemory(names)
		frozen := &wrapped{Memory: m}
		w.set("c1", "ann")
		p1 := start(t, "w1", frozen, w, track("c1"))
		elapse(time.Second)

		// The first worker gets an answer without ann and freezes with it in hand.
		w.set("c1", "zoe")
		wake := make(chan struct{})
		frozen.intercept(func(context.Context, []ledger.Message) error { <-wake; return nil })
		elapse(15 * time.Second)
		frozen.fail(errors.New("frozen"))

		w.set("c1", "ann", "bob")
		p2 := start(t, "w2", m, w, track("c1"))
		elapse(time.Minute)
		w.set("c1", "ann", "bob", "cid")
		elapse(time.Minute)

		frozen.fail(nil)
		frozen.intercept(nil)
		close(wake)
		elapse(5 * time.Minute)
		expect(t, m, "c1", "meeting.started", "participant.joined ann", "participant.joined bob", "participant.joined cid")
		lawful(t, m, "c1")
		p1.stop(t)
		p2.stop(t)
	})
}

func TestTwoWorkersOneAsks(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, m := newWorld(), ledgertest.NewMemory(names)
		w.set("c1", "ann")
		p1 := start(t, "w1", m, w, track("c1"))
		p2 := start(t, "w2", m, w, track("c1"))
		elapse(time.Minute)
		before := w.asked()
		elapse(10 * time.Minute)
		if n := w.asked() - before; n < 39 || n > 41 {
			t.Errorf("two workers asked %d times in 10 minutes, want 40", n)
		}
		p1.stop(t)
		elapse(time.Minute)
		before = w.asked()
		elapse(10 * time.Minute)
		if n := w.asked() - before; n < 39 || n > 41 {
			t.Errorf("the worker that is left asked %d times in 10 minutes, want 40", n)
		}
		p2.stop(t)
		expect(t, m, "c1", "meeting.started", "participant.joined ann")
	})
}

func TestMeetingLargerThanABatch(t *testing.T) {
	for _, dies := range []bool{false, true} {
		t.Run(fmt.Sprint("dies between slices ", dies), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w, m := newWorld(), ledgertest.NewMemory(names)
				l := &wrapped{Memory: m}
				var people []string
				for i := range 1500 {
					people = append(people, fmt.Sprintf("p%04d*", i))
				}
				w.set("big", people...)
				w.set("small", "ann")
				batches := 0
				if dies {
					l.intercept(func(_ context.Context, msgs []ledger.Message) error {
						if len(msgs) > 500 {
							if batches++; batches == 2 {
								l.fail(errors.New("the process is gone"))
							}
						}
						return nil
					})
				}
				p := start(t, "w1", l, w, track("big", "small"))
				elapse(time.Second)
				if dies {
					p.kill()
					<-p.ended
					if r := record(t, m, "big"); r == nil || r.Partial == nil {
						t.Fatal("the record between two slices is not marked as one")
					}
					p = start(t, "w2", m, w, track("big", "small"))
					elapse(time.Minute)
				}
				p.stop(t)
				lawful(t, m, "big")
				expect(t, m, "small", "meeting.started", "participant.joined ann")
				all := events(t, m, "big")
				if len(all) != 1+2*1500 {
					t.Errorf("%d events, want %d", len(all), 1+2*1500)
				}
				for _, e := range all {
					if e.Provenance != rollcall.ProvenanceBaseline || !e.Window.After.IsZero() {
						t.Fatalf("event %d is %s, after %v; all are of the first poll", e.Sequence, e.Provenance, e.Window.After)
					}
				}
				if record(t, m, "big").Partial != nil {
					t.Error("the last record is still marked as a slice")
				}
			})
		})
	}
}

func TestRefusedMeetingIsSetAside(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, m := newWorld(), ledgertest.NewMemory(names)
		l := &wrapped{Memory: m}
		l.intercept(func(_ context.Context, msgs []ledger.Message) error {
			for _, msg := range msgs {
				if msg.Subject == names.State("acme", "bad") {
					return fmt.Errorf("%w: it is cursed", ledger.ErrRefused)
				}
			}
			return nil
		})
		w.set("bad", "eve")
		w.set("good", "ann")
		figures := prometheus.NewRegistry()
		p := start(t, "w1", l, w, func(c *worker.Config) {
			track("bad", "good")(c)
			c.Registry = figures
		})
		elapse(time.Minute)
		w.set("good", "ann", "bob")
		elapse(time.Minute)
		expect(t, m, "good", "meeting.started", "participant.joined ann", "participant.joined bob")
		expect(t, m, "bad")
		if n := p.logs.FilterMessageSnippet("set aside").Len(); n < 1 || n > 3 {
			t.Errorf("it was logged %d times in two minutes", n)
		}
		aside := func() (said int, named []string, measured float64) {
			return status(t, m).SetAside, p.worker.Health()[0].Aside, shown(t, figures, "rollcall_set_aside_meetings")
		}
		if said, named, measured := aside(); said != 1 || len(named) != 1 || named[0] != "bad" || measured != 1 {
			t.Errorf("of one meeting that is set aside the status says %d, the health %q, the gauge %v", said, named, measured)
		}
		l.intercept(nil)
		elapse(2 * time.Hour)
		if said, named, measured := aside(); said+len(named) != 0 || measured != 0 {
			t.Errorf("it is stored again, and the status says %d, the health %q, the gauge %v", said, named, measured)
		}
		expect(t, m, "bad", "meeting.started", "participant.joined eve")
		p.stop(t)
	})
}

// shown is what a gauge shows of the only tenant.
func shown(t *testing.T, r *prometheus.Registry, name string) float64 {
	t.Helper()
	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		if family.GetName() == name {
			return family.GetMetric()[0].GetGauge().GetValue()
		}
	}
	return -1
}

func TestUnreadableRecordIsLeftAlone(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, m := newWorld(), ledgertest.NewMemory(names)
		state := ledger.Message{Subject: names.State("acme", "new"), Data: []byte(`{"schema":2,"future":true}`), Rollup: true, TTL: "never"}
		if _, err := m.Commit(t.Context(), []ledger.Message{state}); err != nil {
			t.Fatal(err)
		}
		w.set("new", "eve")
		w.set("good", "ann")
		p := start(t, "w1", m, w, track("new", "good"))
		elapse(10 * time.Minute)
		p.stop(t)
		expect(t, m, "good", "meeting.started", "participant.joined ann")
		expect(t, m, "new")
		if n := count(m, state.Subject); n != 1 {
			t.Errorf("the record of a newer schema was overwritten %d times", n-1)
		}
		if p.logs.FilterMessageSnippet("set aside").Len() == 0 {
			t.Error("nothing was said of it")
		}
	})
}

func TestConfigurationDecidesWhatIsTracked(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, m := newWorld(), ledgertest.NewMemory(names)
		w.set("a", "ann")
		w.set("b", "bob")
		p := start(t, "w1", m, w, track("a", "b", "never-heard-of"))
		elapse(10 * time.Second)
		p.stop(t)
		p = start(t, "w1", m, w, track("a"))
		elapse(10 * time.Second)
		p.stop(t)
		expect(t, m, "b", "meeting.started", "participant.joined bob", "meeting.untracked")
		if reason := events(t, m, "b")[2].Reason; reason != rollcall.ReasonOperator {
			t.Errorf("it is untracked because of %q", reason)
		}
		lawful(t, m, "b")
		if set := trackedSet(t, m); !slices.Equal(set, []string{"a"}) {
			t.Errorf("tracked is %v, want a alone", set)
		}
		p = start(t, "w1", m, w, track("a", "b"))
		elapse(10 * time.Second)
		p.stop(t)
		all := events(t, m, "b")
		if len(all) != 5 || all[3].Epoch <= all[0].Epoch || all[3].Sequence != 1 {
			t.Errorf("tracked again, b begins no new epoch: %v", tell(all))
		}
		lawful(t, m, "b")
	})
}

func TestEndedMeetingIsNotAskedAboutAgain(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, m := newWorld(), ledgertest.NewMemory(names)
		m.Retention = 7 * 24 * time.Hour
		w.set("c1", "ann")
		p := start(t, "w1", m, w, track("c1"))
		elapse(20 * time.Second)
		w.status("c1", rollcall.StatusEnded)
		elapse(20 * time.Second)
		asked := w.asked()
		elapse(time.Hour)
		p.stop(t)
		elapse(30 * 24 * time.Hour)
		p = start(t, "w1", m, w, track("c1"))
		elapse(time.Hour)
		p.stop(t)
		if n := w.asked() - asked; n != 0 {
			t.Errorf("DingTalk was asked %d times about a meeting that is over", n)
		}
		if record(t, m, "c1") == nil {
			t.Error("the record of a meeting that the configuration names has aged out")
		}
	})
}

func TestVanishedMeetingEndsAfterMissesAndMayReopen(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, m := newWorld(), ledgertest.NewMemory(names)
		w.set("c1", "ann")
		p := start(t, "w1", m, w, track("c1"))
		elapse(time.Second)
		w.forget("c1")
		elapse(30 * time.Second)
		expect(t, m, "c1", "meeting.started", "participant.joined ann")
		elapse(30 * time.Second)
		expect(t, m, "c1", "meeting.started", "participant.joined ann", "participant.left ann", "meeting.ended")
		if reason := events(t, m, "c1")[3].Reason; reason != rollcall.ReasonVanished {
			t.Errorf("it ended because of %q", reason)
		}
		asked := w.asked()
		elapse(5 * time.Hour)
		if n := w.asked() - asked; n < 10 || n > 35 {
			t.Errorf("a vanished meeting was asked about %d times in 5 h", n)
		}
		w.set("c1", "ann")
		elapse(time.Hour)
		words := tell(events(t, m, "c1"))
		if len(words) != 6 || words[4] != "meeting.started" || words[5] != "participant.joined ann" {
			t.Errorf("it came back, and what is told is %v", words)
		}
		if set := trackedSet(t, m); !slices.Equal(set, []string{"c1"}) {
			t.Errorf("tracked is %v after it came back", set)
		}
		lawful(t, m, "c1")
		p.stop(t)
	})
}

func TestTrackedAgainAndNeverSeenVanishes(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, m := newWorld(), ledgertest.NewMemory(names)
		w.set("c1", "ann")
		p := start(t, "w1", m, w, nil)
		elapse(time.Second)
		if _, err := p.worker.Track(t.Context(), "acme", "c1", "api"); err != nil {
			t.Fatal(err)
		}
		if _, err := p.worker.Untrack(t.Context(), "acme", "c1"); err != nil {
			t.Fatal(err)
		}
		w.forget("c1")
		if _, err := p.worker.Track(t.Context(), "acme", "c1", "api"); err != nil {
			t.Fatal(err)
		}
		if set := trackedSet(t, m); !slices.Equal(set, []string{"c1"}) {
			t.Errorf("after one miss tracked is %v", set)
		}
		elapse(2 * time.Minute)
		expect(t, m, "c1", "meeting.started", "participant.joined ann", "meeting.untracked", "meeting.ended")
		if set := trackedSet(t, m); len(set) != 0 {
			t.Errorf("after the end tracked is %v", set)
		}
		lawful(t, m, "c1")
		p.stop(t)
	})
}

func TestVanishedMeetingIsLetGoAfterADay(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, m := newWorld(), ledgertest.NewMemory(names)
		w.set("c1", "ann")
		w.set("c2", "bob")
		p := start(t, "w1", m, w, track("c1", "c2"))
		elapse(time.Second)
		w.forget("c1")
		elapse(25 * time.Hour)
		w.set("c1", "ann")
		elapse(2 * time.Hour)
		expect(t, m, "c1", "meeting.started", "participant.joined ann", "participant.left ann", "meeting.ended")
		p.stop(t)
	})
}

func TestVendorAwayChangesNothing(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, m := newWorld(), ledgertest.NewMemory(names)
		w.set("c1", "ann")
		p := start(t, "w1", m, w, track("c1"))
		elapse(time.Second)
		w.fail(errors.New("connection refused"))
		elapse(time.Hour)
		expect(t, m, "c1", "meeting.started", "participant.joined ann")
		h := p.worker.Health()[0]
		if h.SinceGood < 59*time.Minute || h.Held != 1 || !h.Member {
			t.Errorf("after an hour without an answer the health is %+v", h)
		}
		if n := p.logs.Len(); n > 30 {
			t.Errorf("an hour of one and the same failure made %d log lines", n)
		}
		w.fail(nil)
		w.set("c1", "bob")
		elapse(5 * time.Minute)
		expect(t, m, "c1", "meeting.started", "participant.joined ann", "participant.left ann", "participant.joined bob")
		p.stop(t)
	})
}

func TestUnstartedMeetingExpires(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, m := newWorld(), ledgertest.NewMemory(names)
		w.set("c1")
		w.status("c1", rollcall.StatusInitialized)
		w.set("c2", "ann")
		p := start(t, "w1", m, w, func(c *worker.Config) {
			c.Tenants[0].Conferences = []string{"c1", "c2"}
			c.Tenants[0].ExpireUnstarted = time.Hour
		})
		elapse(59 * time.Minute)
		expect(t, m, "c1", "meeting.initialized")
		elapse(3 * time.Minute)
		expect(t, m, "c1", "meeting.initialized", "meeting.untracked")
		if reason := events(t, m, "c1")[1].Reason; reason != rollcall.ReasonExpired {
			t.Errorf("it is untracked because of %q", reason)
		}
		expect(t, m, "c2", "meeting.started", "participant.joined ann")
		p.stop(t)
	})
}

func TestNicksAreOmitted(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, m := newWorld(), ledgertest.NewMemory(names)
		w.set("c1", "ann")
		p := start(t, "w1", m, w, func(c *worker.Config) {
			c.Tenants[0].Conferences = []string{"c1"}
			c.Tenants[0].OmitNicks = true
		})
		elapse(time.Second)
		p.stop(t)
		expect(t, m, "c1", "meeting.started", "participant.joined ann")
		for _, msg := range m.Messages() {
			if strings.Contains(string(msg.Data), "ANN") {
				t.Errorf("the name of a person stands in %s", msg.Data)
			}
		}
	})
}

func TestPollingPausesWhenTooMuchWaits(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, m := newWorld(), ledgertest.NewMemory(names)
		l := &wrapped{Memory: m}
		w.set("c1", "ann")
		p := start(t, "w1", l, w, func(c *worker.Config) {
			c.Tenants[0].Conferences = []string{"c1"}
			c.Backlog = backlog.InMemory(4 << 10)
		})
		elapse(time.Second)
		l.fail(errors.New("no responders"))
		for i := range 100 {
			w.set("c1", "ann", fmt.Sprint("guest", i))
			elapse(15 * time.Second)
		}
		if n := w.asked(); n > 20 {
			t.Errorf("%d questions were asked though there was no room for the answers", n)
		}
		if n := p.logs.FilterMessageSnippet("polling pauses").Len(); n != 1 {
			t.Errorf("the pause was logged %d times", n)
		}
		if h := p.worker.Health()[0]; h.Waiting == 0 || h.Oldest < 20*time.Minute {
			t.Errorf("the health does not show what waits: %+v", h)
		}
		l.fail(nil)
		elapse(2 * time.Minute)
		lawful(t, m, "c1")
		if r := record(t, m, "c1"); len(r.Roster) != 2 || r.Roster[1].Key != "guest99" {
			t.Errorf("after the pause the roster is %v", r.Roster)
		}
		p.stop(t)
	})
}

func TestStopStoresWhatIsHeld(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, m := newWorld(), ledgertest.NewMemory(names)
		l := &wrapped{Memory: m}
		w.set("c1", "ann")
		p := start(t, "w1", l, w, track("c1"))
		elapse(time.Second)
		l.fail(errors.New("no responders"))
		w.set("c1", "bob")
		elapse(15 * time.Second)
		p.kill()
		elapse(5 * time.Second)
		l.fail(nil)
		if err := <-p.ended; err != nil {
			t.Errorf("the worker stopped with %v", err)
		}
		expect(t, m, "c1", "meeting.started", "participant.joined ann", "participant.left ann", "participant.joined bob")
		if members, _ := m.Members(t.Context()); len(members) != 0 {
			t.Errorf("after the stop %d members are left", len(members))
		}
	})
}

func TestStopSaysWhatIsLost(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, m := newWorld(), ledgertest.NewMemory(names)
		l := &wrapped{Memory: m}
		w.set("c1", "ann")
		p := start(t, "w1", l, w, track("c1"))
		elapse(time.Second)
		l.fail(errors.New("no responders"))
		w.set("c1", "bob")
		elapse(30 * time.Second)
		p.kill()
		if err := <-p.ended; err == nil || !strings.Contains(err.Error(), "2 observations") {
			t.Errorf("the worker stopped with %v", err)
		}
	})
}

func TestStatusIsTold(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, m := newWorld(), ledgertest.NewMemory(names)
		w.set("c1", "ann")
		p := start(t, "w1", m, w, track("c1"))
		elapse(time.Second)
		if s := status(t, m); s.State != poller.StateOK || s.Tracked != 1 || s.Pace != 15*time.Second || s.LastGoodPoll.IsZero() {
			t.Errorf("the status is %+v", s)
		}
		p.stop(t)
		if s := status(t, m); s.State != poller.StateAway {
			t.Errorf("after the stop the status is %+v", s)
		}
	})
}

func status(t *testing.T, m *ledgertest.Memory) (s wire.Status) {
	t.Helper()
	all := m.Messages()
	for i := len(all) - 1; i >= 0; i-- {
		if all[i].Subject == names.Status("acme") {
			if err := s.UnmarshalJSON(all[i].Data); err != nil {
				t.Fatal(err)
			}
			return s
		}
	}
	t.Fatal("no status was told")
	return s
}
