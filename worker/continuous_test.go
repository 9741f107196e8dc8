package worker_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"rollcall"
	"rollcall/internal/ledger"
	"rollcall/internal/ledgertest"
	"rollcall/poller"
	"rollcall/wire"
	"rollcall/worker"
)

// distant is a source whose answers take a while.
type distant struct {
	*world
	takes time.Duration
}

func (d distant) Query(ctx context.Context, ids []string) (poller.Answers, error) {
	select {
	case <-time.After(d.takes):
		return d.world.Query(ctx, ids)
	case <-ctx.Done():
		return poller.Answers{}, ctx.Err()
	}
}

// continuous asks without a distance; each answer takes a while.
func continuous(t *testing.T, w *world, l ledgers, takes time.Duration, change func(*worker.Config)) *process {
	t.Helper()
	schedule, err := poller.ParseSchedule(poller.Continuous, "UTC")
	if err != nil {
		t.Fatal(err)
	}
	return start(t, "one", l, w, func(c *worker.Config) {
		c.Tenants[0].Schedule = schedule
		c.Tenants[0].Asker = &poller.Poller{Source: distant{w, takes}, Tenant: "acme", Logger: c.Logger}
		if change != nil {
			change(c)
		}
	})
}

// asks counts the queries within a time.
func asks(w *world, within time.Duration) int {
	before := w.asked()
	elapse(within)
	return w.asked() - before
}

// counts tells how many counters of a name there are.
func counts(t *testing.T, r *prometheus.Registry, name string) int {
	t.Helper()
	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		if family.GetName() == name {
			return len(family.GetMetric())
		}
	}
	return 0
}

func TestContinuousPassFollowsPass(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, m, figures := newWorld(), ledgertest.NewMemory(names), prometheus.NewRegistry()
		w.set("c1", "ann")
		p := continuous(t, w, m, 100*time.Millisecond, func(c *worker.Config) {
			c.Tenants[0].Conferences, c.Registry = []string{"c1"}, figures
		})
		elapse(5 * time.Second)
		if n := asks(w, 10*time.Second); n < 99 || n > 101 {
			t.Errorf("%d questions in 10 s, each of which takes 100 ms", n)
		}
		w.set("c1", "ann", "bob")
		elapse(200 * time.Millisecond)
		expect(t, m, "c1", "meeting.started", "participant.joined ann", "participant.joined bob")
		if counts(t, figures, "rollcall_passes_total") == 0 || counts(t, figures, "rollcall_missed_ticks_total") != 0 {
			t.Error("no pass is counted, or ticks are counted as missed")
		}
		p.stop(t)
		lawful(t, m, "c1")
	})
}

// TestContinuousTellsItsStatusNowAndThen: what is the same once a second, the
// newest one, and another state at once.
func TestContinuousTellsItsStatusNowAndThen(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, m := newWorld(), ledgertest.NewMemory(names)
		w.set("c1", "ann")
		p := continuous(t, w, m, 10*time.Millisecond, track("c1"))
		elapse(10 * time.Second)
		before := statuses(m)
		elapse(10 * time.Second)
		if n := statuses(m) - before; n < 9 || n > 11 {
			t.Errorf("in 10 s of passes of 10 ms the status was told %d times", n)
		}
		if s := status(t, m); time.Since(s.LastPass) > 1100*time.Millisecond {
			t.Errorf("a status of %s ago is told as the newest", time.Since(s.LastPass))
		}
		w.fail(throttling{})
		elapse(50 * time.Millisecond)
		if s := status(t, m); s.State != poller.StateThrottled {
			t.Errorf("50 ms after DingTalk refused the state is %s", s.State)
		}
		p.stop(t)
	})
}

// statuses counts those that were told.
func statuses(m *ledgertest.Memory) (n int) {
	for _, msg := range m.Messages() {
		if msg.Subject == names.Status("acme") {
			n++
		}
	}
	return n
}

// throttling is a vendor that has had enough for now.
type throttling struct{}

func (throttling) Error() string             { return "scripted: too fast" }
func (throttling) Class() poller.Class       { return poller.ClassThrottled }
func (throttling) RetryAfter() time.Duration { return 0 }

// TestContinuousRests where there is nothing to ask, where the vendor refuses,
// and where the budget gives nothing: it looks about once a second.
func TestContinuousRests(t *testing.T) {
	const minute = 60
	bubble(t, func(t *testing.T) {
		w, m, purse := newWorld(), ledgertest.NewMemory(names), &purse{calls: 1}
		p := continuous(t, w, m, time.Millisecond, func(c *worker.Config) { c.Tenants[0].Budget = purse })
		looked := func() int {
			purse.mu.Lock()
			defer purse.mu.Unlock()
			n := len(purse.asked)
			purse.asked = nil
			return n
		}
		rests := func(why string) {
			t.Helper()
			looked()
			elapse(minute * time.Second)
			if n := looked(); n < minute/4 || n > minute+2 {
				t.Errorf("%s: looked %d times in a minute", why, n)
			}
		}
		elapse(time.Second)
		rests("nothing is tracked")
		w.set("c1", "ann")
		p.order(t, "c1")
		elapse(time.Second)
		if n := asks(w, time.Second); n < 500 {
			t.Errorf("a meeting is tracked, and %d questions were asked in a second", n)
		}
		w.fail(failing{})
		elapse(time.Second)
		rests("the vendor fails")
		w.fail(nil)
		purse.set(0, nil)
		elapse(time.Second)
		rests("the budget gives nothing")
		purse.set(0, errors.New("all is spent"))
		rests("all is spent")
		purse.set(1, nil)
		elapse(time.Second)
		if n := asks(w, time.Second); n < 500 {
			t.Errorf("all is well again, and %d questions were asked in a second", n)
		}
		p.stop(t)
	})
}

// failing is a fault that passes.
type failing struct{}

func (failing) Error() string             { return "it fails" }
func (failing) Class() poller.Class       { return poller.ClassTransient }
func (failing) RetryAfter() time.Duration { return 0 }

// order tracks a meeting at run time.
func (p *process) order(t *testing.T, id string) {
	t.Helper()
	if _, err := p.worker.Track(t.Context(), "acme", id, "api"); err != nil {
		t.Fatalf("track %s: %v", id, err)
	}
}

// TestContinuousWaitsForTheLedger lets a commit take a second: questions are
// asked as fast as they are stored, and few answers wait.
func TestContinuousWaitsForTheLedger(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, m := newWorld(), &wrapped{Memory: ledgertest.NewMemory(names)}
		w.set("c1", "ann")
		p := continuous(t, w, m, time.Millisecond, track("c1"))
		elapse(time.Second)
		m.intercept(func(context.Context, []ledger.Message) error {
			time.Sleep(time.Second / 2)
			return nil
		})
		before := w.asked()
		for i := range 200 {
			w.set("c1", "ann", fmt.Sprint("guest", i))
			elapse(100 * time.Millisecond)
			if waiting := p.worker.Health()[0].Waiting; waiting > 2 {
				t.Fatalf("%d observations wait", waiting)
			}
		}
		if n := w.asked() - before; n < 40 || n > 200 {
			t.Errorf("%d questions in 20 s, of which each commit takes 0.5 s", n)
		}
		p.stop(t)
		lawful(t, m.Memory, "c1")
	})
}

// TestContinuousTenantsWaitForOneAnother lets eight tenants store one after the
// other, so that each of them waits for longer than for a ledger that is away.
func TestContinuousTenantsWaitForOneAnother(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, m := newWorld(), &wrapped{Memory: ledgertest.NewMemory(names)}
		w.set("c1", "ann")
		p := continuous(t, w, m, time.Millisecond, func(c *worker.Config) {
			one := c.Tenants[0]
			one.Conferences, c.Tenants = []string{"c1"}, nil
			for _, name := range []string{"acme", "b", "c", "d", "e", "f", "g", "h"} {
				one.Name = name
				one.Asker = &poller.Poller{Source: distant{w, time.Millisecond}, Tenant: name}
				c.Tenants = append(c.Tenants, one)
			}
		})
		elapse(5 * time.Second)
		turn := make(chan struct{}, 1)
		m.intercept(func(context.Context, []ledger.Message) error {
			turn <- struct{}{}
			defer func() { <-turn }()
			time.Sleep(time.Second / 2)
			return nil
		})
		for i := range 60 {
			w.set("c1", "ann", fmt.Sprint("guest", i))
			elapse(time.Second)
			for _, h := range p.worker.Health() {
				if h.Waiting > 2 {
					t.Fatalf("%d observations of %s wait", h.Waiting, h.Tenant)
				}
			}
		}
		m.intercept(nil)
		p.stop(t)
		lawful(t, m.Memory, "c1")
	})
}

// TestContinuousGoesOnWithoutTheLedger asks about once a second while nothing
// can be stored: what is learned waits, and is told when the ledger is back.
func TestContinuousGoesOnWithoutTheLedger(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, m := newWorld(), &wrapped{Memory: ledgertest.NewMemory(names)}
		w.set("c1", "ann")
		p := continuous(t, w, m, time.Millisecond, track("c1"))
		elapse(2 * time.Second)
		m.intercept(func(context.Context, []ledger.Message) error { return ledger.ErrUnknown })
		w.set("c1", "ann", "bob")
		elapse(5 * time.Second)
		if n := asks(w, time.Minute); n < 55 || n > 65 {
			t.Errorf("%d questions in a minute without the ledger", n)
		}
		w.set("c1", "ann")
		elapse(5 * time.Second)
		m.intercept(nil)
		elapse(30 * time.Second)
		p.stop(t)
		expect(t, m.Memory, "c1", "meeting.started", "participant.joined ann", "participant.joined bob", "participant.left bob")
		lawful(t, m.Memory, "c1")
	})
}

// TestContinuousIsReadyAsLongAsItsPassesTake has passes of two minutes: nobody
// may call that late.
func TestContinuousIsReadyAsLongAsItsPassesTake(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld()
		w.set("c1", "ann")
		p := continuous(t, w, ledgertest.NewMemory(names), 2*time.Minute, track("c1"))
		elapse(4*time.Minute + 30*time.Second)
		for range 10 {
			elapse(31 * time.Second)
			if h := p.worker.Health()[0]; h.SinceGood > h.Allowed || h.Allowed < 6*time.Minute || h.Allowed > 7*time.Minute {
				t.Errorf("%v since the last good pass, %v allowed", h.SinceGood, h.Allowed)
			}
		}
		p.stop(t)
	})
}

// restless is a meeting that changes before every question.
type restless struct {
	distant
	turn *atomic.Int64
}

func (r restless) Query(ctx context.Context, ids []string) (poller.Answers, error) {
	r.set(ids[0], fmt.Sprint("user", r.turn.Add(1)))
	return r.distant.Query(ctx, ids)
}

// TestAnAnswerComesWhenTheOneBeforeIsStored: where storing takes longer than asking, no
// answer grows old while it waits, and nothing is stored later for that.
func TestAnAnswerComesWhenTheOneBeforeIsStored(t *testing.T) {
	bubble(t, func(t *testing.T) {
		const store, ask = 50 * time.Millisecond, 10 * time.Millisecond
		var turn atomic.Int64
		w := newWorld()
		l := &wrapped{Memory: ledgertest.NewMemory(names)}
		p := continuous(t, w, l, ask, func(c *worker.Config) {
			c.Tenants[0].Conferences = []string{"c1"}
			c.Tenants[0].Asker = &poller.Poller{Source: restless{distant{w, ask}, &turn}, Tenant: "acme", Logger: c.Logger}
		})
		elapse(10 * time.Second)
		var mu sync.Mutex
		var ages []time.Duration // of events, when they were stored
		l.intercept(func(_ context.Context, msgs []ledger.Message) error {
			time.Sleep(store)
			for _, m := range msgs {
				var e struct {
					Data struct{ Window rollcall.Window }
				}
				if m.ContentType == wire.ContentType && json.Unmarshal(m.Data, &e) == nil {
					mu.Lock()
					ages = append(ages, time.Since(e.Data.Window.Before))
					mu.Unlock()
				}
			}
			return nil
		})
		elapse(20 * time.Second) // within the first half it learns how long storing takes
		l.intercept(nil)
		p.stop(t)
		ages = ages[len(ages)/2:]
		if oldest := slices.Max(ages); oldest > store+ask {
			t.Errorf("an event was stored %s after its answer", oldest)
		}
		if most := int(10*time.Second/store) * 2; len(ages) < most*9/10 { // one leaves and one joins
			t.Errorf("%d events in 10 s, want nearly %d", len(ages), most)
		}
	})
}
