package worker_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"rollcall"
	"rollcall/internal/ledger"
	"rollcall/internal/ledgertest"
	"rollcall/poller"
	"rollcall/worker"
)

func TestTrackAnswersWithTheState(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, m := newWorld(), ledgertest.NewMemory(names)
		w.set("c1", "ann", "bob")
		p := start(t, "w1", m, w, nil)
		elapse(time.Second)
		if n := w.asked(); n != 0 {
			t.Errorf("%d questions were asked though nothing is tracked", n)
		}
		view, err := p.worker.Track(t.Context(), "acme", "c1", "api")
		if err != nil {
			t.Fatal(err)
		}
		if !view.Tracked || view.Source != "api" || view.Record == nil || len(view.Record.Roster) != 2 {
			t.Errorf("the answer is %+v", view)
		}
		w.set("c1", "ann")
		elapse(15 * time.Second)
		views, shards, err := p.worker.List(t.Context(), "acme")
		if err != nil || len(views) != 1 || views[0].Record.Meeting.Present != 1 || !slices.Equal(shards, []int{0}) {
			t.Errorf("the list is %+v, %v, %v", views, shards, err)
		}
		p.stop(t)

		// What was tracked by an order outlives the process.
		p = start(t, "w2", m, w, nil)
		w.set("c1", "ann", "cid")
		elapse(15 * time.Second)
		if _, err := p.worker.Untrack(t.Context(), "acme", "c1"); err != nil {
			t.Fatal(err)
		}
		expect(t, m, "c1", "meeting.started", "participant.joined ann", "participant.joined bob",
			"participant.left bob", "participant.joined cid", "meeting.untracked")
		lawful(t, m, "c1")
		if _, err := p.worker.Untrack(t.Context(), "acme", "c1"); !errors.Is(err, worker.ErrNotTracked) {
			t.Errorf("untracked twice: %v", err)
		}
		p.stop(t)
	})
}

func TestTrackOfAnEndedMeetingAsksOnce(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, m := newWorld(), ledgertest.NewMemory(names)
		w.set("c1", "ann")
		w.status("c1", rollcall.StatusEnded)
		p := start(t, "w1", m, w, nil)
		elapse(time.Second)
		for range 2 {
			before := w.asked()
			view, err := p.worker.Track(t.Context(), "acme", "c1", "api")
			if err != nil || view.Tracked || view.Record == nil || view.Record.Meeting.Status != rollcall.StatusEnded {
				t.Errorf("the answer is %+v, %v", view, err)
			}
			elapse(time.Hour)
			if n := w.asked() - before; n != 1 {
				t.Errorf("it was asked about %d times", n)
			}
		}
		expect(t, m, "c1", "meeting.ended")
		p.stop(t)
	})
}

func TestTrackSaysWhyNothingIsKnown(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, m := newWorld(), ledgertest.NewMemory(names)
		p := start(t, "w1", m, w, nil)
		elapse(time.Second)
		w.fail(errors.New("connection refused"))
		view, err := p.worker.Track(t.Context(), "acme", "c1", "api")
		if !errors.Is(err, worker.ErrNotAnswered) || !view.Tracked || view.Trouble == "" {
			t.Errorf("the answer is %+v, %v", view, err)
		}
		for _, c := range []struct {
			tenant, id string
			want       error
		}{
			{"acme", "", worker.ErrBadID},
			{"acme", string(make([]byte, 257)), worker.ErrBadID},
			{"nobody", "c1", worker.ErrNoTenant},
		} {
			if _, err := p.worker.Track(t.Context(), c.tenant, c.id, "api"); !errors.Is(err, c.want) {
				t.Errorf("track %s/%q: %v, want %v", c.tenant, c.id, err, c.want)
			}
		}
		if _, err := p.worker.Show(t.Context(), "acme", "unheard-of"); !errors.Is(err, worker.ErrNotTracked) {
			t.Errorf("show of an unknown meeting: %v", err)
		}
		p.stop(t)
	})
}

// hung is a ledger that stores nothing and says nothing, for as long as a publisher waits.
type hung struct {
	*ledgertest.Memory
	hangs atomic.Bool
}

func (l *hung) Commit(ctx context.Context, msgs []ledger.Message) (uint64, error) {
	if l.hangs.Load() {
		<-time.After(5 * time.Second)
		return 0, ledger.ErrUnknown
	}
	return l.Memory.Commit(ctx, msgs)
}

// Where the ledger does not answer an order says so within seconds, and blames nobody else.
func TestTrackBesideALedgerThatHangs(t *testing.T) {
	for name, after := range map[string]bool{"before it is stored": false, "before its answer is": true} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w, l := newWorld(), &hung{Memory: ledgertest.NewMemory(names)}
				w.set("c1", "ann")
				p := start(t, "w1", l, w, nil)
				elapse(time.Second)
				l.hangs.Store(!after)
				if after {
					w.onQuery = func() { l.hangs.Store(true) }
				}
				began := time.Now()
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				_, err := p.worker.Track(ctx, "acme", "c1", "api")
				if took := time.Since(began); !errors.Is(err, worker.ErrNotStored) || errors.Is(err, worker.ErrNotAnswered) != after || took > 20*time.Second {
					t.Errorf("after %s: %v", took, err)
				}
				l.hangs.Store(false)
				elapse(time.Minute)
				p.stop(t)
			})
		})
	}
}

func TestOrdersNeedTheShard(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, m := newWorld(), ledgertest.NewMemory(names)
		p1 := start(t, "w1", m, w, nil)
		p2 := start(t, "w2", m, w, nil)
		elapse(10 * time.Second)
		var refused int
		for _, p := range []*process{p1, p2} {
			if _, err := p.worker.Track(t.Context(), "acme", "c1", "api"); errors.Is(err, worker.ErrNotHeld) {
				refused++
			}
		}
		if refused != 1 {
			t.Errorf("%d of two workers refused", refused)
		}
		p1.stop(t)
		p2.stop(t)
	})
}

// stuck never answers until the context ends.
type stuck struct{}

func (stuck) Pass(ctx context.Context, _ poller.Ask) poller.Report {
	<-ctx.Done()
	return poller.Report{State: poller.StateAway, Err: ctx.Err()}
}

func TestOrderWaitsNoLongerThanItsContext(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, m := newWorld(), ledgertest.NewMemory(names)
		p := start(t, "w1", m, w, func(c *worker.Config) {
			c.Tenants[0].Asker = &stuck{}
		})
		elapse(time.Second)
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		if _, _, err := p.worker.List(ctx, "acme"); err != nil {
			t.Errorf("the list waits for the source: %v", err)
		}
		p.stop(t)
	})
}

// What stands in the tracked set says that its meeting is tracked, also where it
// cannot be read: it is written anew, and the meeting is asked about.
func TestUnreadableTrackedEntryIsWrittenAnew(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, m := newWorld(), ledgertest.NewMemory(names)
		bad := ledger.Message{Subject: names.Tracked("acme", "odd"), Data: []byte("{"), Rollup: true, TTL: "never"}
		if _, err := m.Commit(t.Context(), []ledger.Message{bad}); err != nil {
			t.Fatal(err)
		}
		w.set("c1", "ann")
		w.set("odd", "bob")
		p := start(t, "w1", m, w, track("c1"))
		elapse(time.Minute)
		p.stop(t)
		expect(t, m, "c1", "meeting.started", "participant.joined ann")
		expect(t, m, "odd", "meeting.started", "participant.joined bob")
		tracked, err := m.Tracked(t.Context(), "acme")
		if err != nil || len(tracked) != 2 || tracked[0].Err != nil || tracked[1].Err != nil {
			t.Errorf("tracked is %+v, %v", tracked, err)
		}
		if p.logs.FilterMessageSnippet("cannot be read").Len() == 0 {
			t.Error("nothing was said of it")
		}
	})
}

// TestAnOrderOutlivesWhoeverGaveIt ends the context of an order while it is
// being done: with -race, nothing that it finds may be written to its caller.
func TestAnOrderOutlivesWhoeverGaveIt(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, l := newWorld(), &wrapped{Memory: ledgertest.NewMemory(names)}
		w.set("c1", "ann")
		read := &given{wrapped: l}
		p := start(t, "w1", read, w, nil)
		elapse(time.Second)
		for round := range 20 {
			if _, err := p.worker.Track(t.Context(), "acme", "c1", "api"); err != nil {
				t.Fatal(err)
			}
			for name, order := range map[string]func(ctx context.Context) error{
				"untrack": func(ctx context.Context) error { _, err := p.worker.Untrack(ctx, "acme", "c1"); return err },
				"found": func(ctx context.Context) error {
					return p.worker.Found(ctx, "acme", "organization", []string{fmt.Sprint("new ", round)}, nil, false)
				},
				"show": func(ctx context.Context) error { _, err := p.worker.Show(ctx, "acme", "unheard-of"); return err },
			} {
				ctx, cancel := context.WithCancel(t.Context())
				l.intercept(func(context.Context, []ledger.Message) error { cancel(); return nil })
				read.set(cancel)
				if err := order(ctx); err != nil && !errors.Is(err, context.Canceled) && !errors.Is(err, worker.ErrNotTracked) {
					t.Errorf("%s: %v", name, err)
				}
				synctest.Wait()
				l.intercept(nil)
				read.set(nil)
			}
		}
		if _, err := p.worker.Show(t.Context(), "acme", "new 19"); err != nil {
			t.Errorf("an order was not done whose caller had gone: %v", err)
		}
		p.stop(t)
	})
}

// given calls a function before it reads records.
type given struct {
	*wrapped
	mu     sync.Mutex
	before func()
}

func (g *given) set(before func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.before = before
}

func (g *given) Load(ctx context.Context, tenant string, ids []string) (map[string]ledger.Stored, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.before != nil {
		g.before()
	}
	return g.wrapped.Load(ctx, tenant, ids)
}
