package worker_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"rollcall/internal/ledger"
	"rollcall/internal/ledgertest"
	"rollcall/poller"
	"rollcall/worker"
)

// again is a tenant as start makes it, of another configuration.
func again(t *testing.T, w *world, name string, shards int, ids ...string) func() *worker.Tenant {
	t.Helper()
	every, err := poller.ParseSchedule("@every 15s", "UTC")
	if err != nil {
		t.Fatal(err)
	}
	return func() *worker.Tenant {
		return &worker.Tenant{
			Name: name, Schedule: every, Decode: w.Decode, Asker: &poller.Poller{Source: w, Tenant: name}, Conferences: ids, Shards: shards,
		}
	}
}

// TestATenantIsReplacedWhileOthersGoOn replaces a tenant over and over, while people
// come and go, NATS is away, and another tenant is asked about.
func TestATenantIsReplacedWhileOthersGoOn(t *testing.T) {
	bubble(t, func(t *testing.T) {
		acme, beta, m := newWorld(), newWorld(), &wrapped{Memory: ledgertest.NewMemory(names)}
		acme.set("c1", "p0")
		acme.set("c2", "ann")
		beta.set("b1", "bob")
		var asked []time.Time
		beta.onQuery = func() { asked = append(asked, time.Now()) }
		p := start(t, "w1", m, acme, func(c *worker.Config) {
			c.Tenants[0].Conferences = []string{"c1", "c2"}
			other := *again(t, beta, "beta", 1, "b1")()
			c.Tenants = append(c.Tenants, other)
		})
		elapse(7 * time.Second)
		want := []string{"meeting.started", "participant.joined p0"}
		for n := range 12 {
			acme.set("c1", fmt.Sprint("p", n+1))
			elapse(time.Second)
			if n%4 == 3 { // what is asked meanwhile waits
				m.fail(fmt.Errorf("%w: away", ledger.ErrBusy))
				elapse(20 * time.Second)
			}
			replaced := make(chan error, 1)
			go func() {
				replaced <- p.worker.Replace(t.Context(), "acme", again(t, acme, "acme", 1+n%3, "c1", "c2"))
			}()
			elapse(10 * time.Second)
			m.fail(nil)
			if err := <-replaced; err != nil {
				t.Fatal(err)
			}
			elapse(12 * time.Second)
			want = append(want, fmt.Sprint("participant.left p", n), fmt.Sprint("participant.joined p", n+1))
		}
		expect(t, m.Memory, "c1", want...)
		expect(t, m.Memory, "c2", "meeting.started", "participant.joined ann")
		lawful(t, m.Memory, "c1")
		for i := 1; i < len(asked); i++ {
			if d := asked[i].Sub(asked[i-1]); d > 15*time.Second {
				t.Errorf("the other tenant was not asked about for %s", d)
			}
		}
		p.stop(t)
	})
}

// TestATenantIsReplacedBeforeTheWorkerRuns: the configuration may be read again while a
// worker starts.
func TestATenantIsReplacedBeforeTheWorkerRuns(t *testing.T) {
	bubble(t, func(t *testing.T) {
		acme, m := newWorld(), ledgertest.NewMemory(names)
		acme.set("c2", "ann")
		p := prepare(t, "w1", m, acme, track("c1"))
		soon, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := p.worker.Replace(soon, "acme", again(t, acme, "acme", 1, "c2")); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a worker that never runs: %v", err)
		}
		replaced := make(chan error, 1)
		go func() { replaced <- p.worker.Replace(t.Context(), "acme", again(t, acme, "acme", 1, "c2")) }()
		elapse(time.Second)
		p.run(t)
		elapse(time.Minute)
		if err := <-replaced; err != nil {
			t.Error(err)
		}
		expect(t, m, "c2", "meeting.started", "participant.joined ann")
		p.stop(t)
	})
}

// TestATenantComesAndGoes adds a tenant, takes it out, and adds it again.
func TestATenantComesAndGoes(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, m := newWorld(), ledgertest.NewMemory(names)
		w.set("c1", "ann")
		p := start(t, "w1", m, w, func(c *worker.Config) { c.Tenants = nil })
		elapse(time.Minute)
		replace := func(next func() *worker.Tenant) {
			t.Helper()
			if err := p.worker.Replace(t.Context(), "acme", next); err != nil {
				t.Fatal(err)
			}
			elapse(20 * time.Second)
		}
		replace(again(t, w, "acme", 2, "c1"))
		if h := p.worker.Health(); len(h) != 1 || h[0].Held != 2 || h[0].SinceGood > h[0].Allowed {
			t.Errorf("the tenant that was added: %+v", h)
		}
		replace(func() *worker.Tenant { return nil })
		before := w.asked()
		w.set("c1", "ann", "bob")
		elapse(time.Minute)
		if w.asked() != before || len(p.worker.Health()) != 0 {
			t.Errorf("a tenant that was taken out is asked about: %+v", p.worker.Health())
		}
		if _, err := p.worker.Show(t.Context(), "acme", "c1"); !errors.Is(err, worker.ErrNoTenant) {
			t.Errorf("it is shown: %v", err)
		}
		replace(again(t, w, "acme", 1, "c1"))
		expect(t, m, "c1", "meeting.started", "participant.joined ann", "participant.joined bob")
		lawful(t, m, "c1")
		p.stop(t)
	})
}

// TestATenantTakenOutGoesToWhoKnowsIt: of two workers one gives it up.
func TestATenantTakenOutGoesToWhoKnowsIt(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, m := newWorld(), ledgertest.NewMemory(names)
		w.set("c1", "ann")
		both := []*process{start(t, "w1", m, w, track("c1")), start(t, "w2", m, w, track("c1"))}
		elapse(20 * time.Second)
		owner := slices.IndexFunc(both, func(p *process) bool { return p.worker.Health()[0].Held == 1 })
		if err := both[owner].worker.Replace(t.Context(), "acme", func() *worker.Tenant { return nil }); err != nil {
			t.Fatal(err)
		}
		w.set("c1", "ann", "bob")
		elapse(20 * time.Second)
		expect(t, m, "c1", "meeting.started", "participant.joined ann", "participant.joined bob")
		for _, p := range both {
			p.stop(t)
		}
		lawful(t, m, "c1")
	})
}

// TestAStopEndsAReplacementThatWaits for NATS: what is held is kept as at any stop.
func TestAStopEndsAReplacementThatWaits(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, m := newWorld(), &wrapped{Memory: ledgertest.NewMemory(names)}
		w.set("c1", "ann")
		p := start(t, "w1", m, w, track("c1"))
		elapse(20 * time.Second)
		w.set("c1", "ann", "bob")
		m.fail(fmt.Errorf("%w: away", ledger.ErrBusy))
		elapse(20 * time.Second)
		ctx, cancel := context.WithCancel(t.Context())
		replaced := make(chan error, 1)
		go func() { replaced <- p.worker.Replace(ctx, "acme", again(t, w, "acme", 1, "c1")) }()
		elapse(10 * time.Second)
		cancel()
		if err := <-replaced; !errors.Is(err, context.Canceled) {
			t.Errorf("it is replaced while what it holds is not stored: %v", err)
		}
		m.fail(nil)
		elapse(time.Minute) // what is held is stored when NATS is back
		p.stop(t)
		expect(t, m.Memory, "c1", "meeting.started", "participant.joined ann", "participant.joined bob")
		if err := p.worker.Replace(t.Context(), "acme", again(t, w, "acme", 1, "c1")); err == nil {
			t.Error("a worker that has stopped takes a tenant")
		}
	})
}
