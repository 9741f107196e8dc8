package worker_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"rollcall/internal/ledger"
	"rollcall/internal/ledgertest"
	"rollcall/poller"
	"rollcall/wire"
	"rollcall/worker"
	"rollcall/worker/membership"
)

// divided names the meetings and the number of shards in the configuration.
func divided(shards int, ids ...string) func(*worker.Config) {
	return func(c *worker.Config) { c.Tenants[0].Conferences, c.Tenants[0].Shards = ids, shards }
}

// TestShardsChange lets workers of two configurations come and go in every order
// that a rolling update, a canary or a rollback brings: afterwards every meeting
// is asked about, and by one worker alone.
func TestShardsChange(t *testing.T) {
	var ids []string
	for i := range 24 {
		ids = append(ids, fmt.Sprint("m", i))
	}
	for name, c := range map[string]struct {
		from, to int
		steps    []string // a worker's name comes, or goes with a minus
	}{
		"rolling up":   {1, 4, []string{"o1", "o2", "n1", "-o1", "n2", "-o2"}},
		"rolling down": {4, 1, []string{"o1", "o2", "n1", "-o1", "n2", "-o2"}},
		"canary":       {2, 1, []string{"o1", "o2", "n1", "-n1"}},
		"rollback":     {1, 2, []string{"o1", "o2", "n1", "-o1", "o3", "-n1"}},
		"side by side": {2, 3, []string{"o1", "n1", "o2", "n2"}},
	} {
		for salt := range 4 {
			bubble(t, func(t *testing.T) {
				w, m := newWorld(), ledgertest.NewMemory(names)
				for _, id := range ids {
					w.set(id, "ann")
				}
				live := map[string]*process{}
				for _, step := range c.steps {
					if gone, ok := strings.CutPrefix(step, "-"); ok {
						live[gone].stop(t)
						delete(live, gone)
					} else {
						shards := c.from
						if step[0] == 'n' {
							shards = c.to
						}
						live[step] = start(t, fmt.Sprint(step, "-", salt), m, w, divided(shards, ids...))
					}
					elapse(20 * time.Second)
				}
				for _, id := range ids {
					w.set(id, "ann", "bob")
				}
				before := w.asked()
				elapse(time.Minute)
				for _, id := range ids {
					if words := strings.Join(tell(events(t, m, id)), " | "); !strings.HasSuffix(words, "joined bob") {
						t.Errorf("%s %d: bob joined %s a minute ago, told is %s", name, salt, id, words)
					}
					lawful(t, m, id)
				}
				last, _ := m.Shards(t.Context(), []string{"acme"})
				if most := 5 * last["acme"].Count; w.asked()-before > most {
					t.Errorf("%s %d: %d questions in a minute, want at most %d", name, salt, w.asked()-before, most)
				}
				held := 0
				for _, p := range live {
					held += p.worker.Health()[0].Held
					p.stop(t)
				}
				if held != last["acme"].Count {
					t.Errorf("%s %d: %d shards are held of %d", name, salt, held, last["acme"].Count)
				}
			})
		}
	}
}

// TestOnlyWhoKnowsATenantCounts: two processes with a tenant each share a stream.
func TestOnlyWhoKnowsATenantCounts(t *testing.T) {
	other, owner := pair(t)
	bubble(t, func(t *testing.T) {
		w, m := newWorld(), ledgertest.NewMemory(names)
		w.set("c1", "ann")
		p1 := start(t, other, m, w, track("c1"))
		p2 := start(t, owner, m, w, func(c *worker.Config) { c.Tenants[0].Name = "beta" })
		elapse(time.Minute)
		w.set("c1", "ann", "bob")
		elapse(time.Minute)
		expect(t, m, "c1", "meeting.started", "participant.joined ann", "participant.joined bob")
		p1.stop(t)
		p2.stop(t)
	})
}

// TestAnOutageThatMetEverybody: the worker that holds the shard goes on looking,
// and whoever of the two is back first, what it saw is told.
func TestAnOutageThatMetEverybody(t *testing.T) {
	for _, late := range []time.Duration{-4 * time.Second, -time.Second, 0, time.Second, 4 * time.Second} {
		bubble(t, func(t *testing.T) {
			w, m := newWorld(), ledgertest.NewMemory(names)
			every, err := poller.ParseSchedule("@every 1s", "UTC")
			if err != nil {
				t.Fatal(err)
			}
			w.set("c1", "ann")
			paced := func(c *worker.Config) { c.Tenants[0].Conferences, c.Tenants[0].Schedule = []string{"c1"}, every }
			l1, l2 := &wrapped{Memory: m}, &wrapped{Memory: m}
			p1, p2 := start(t, "w1", l1, w, paced), start(t, "w2", l2, w, paced)
			elapse(20 * time.Second)
			holder, other := l1, l2
			if p2.worker.Health()[0].Held == 1 {
				holder, other = l2, l1
			}
			away := fmt.Errorf("%w: away", ledger.ErrBusy)
			holder.fail(away)
			other.fail(away)
			elapse(10 * time.Second)
			w.set("c1", "ann", "bob")
			elapse(10 * time.Second)
			w.set("c1", "ann")
			elapse(20 * time.Second)
			first, second := other, holder
			if late < 0 {
				first, second, late = holder, other, -late
			}
			first.fail(nil)
			elapse(late)
			second.fail(nil)
			elapse(time.Minute)
			expect(t, m, "c1", "meeting.started", "participant.joined ann", "participant.joined bob", "participant.left bob")
			lawful(t, m, "c1")
			p1.stop(t)
			p2.stop(t)
		})
	}
}

// TestStatusAndReadinessAreTheShardsOwn: of two workers one cannot reach DingTalk.
func TestStatusAndReadinessAreTheShardsOwn(t *testing.T) {
	one, two := "", ""
	for n := 0; one == ""; n++ {
		a, b := fmt.Sprint("a", n), fmt.Sprint("b", n)
		if membership.Owner([]string{a, b}, "acme", 0) == a && membership.Owner([]string{a, b}, "acme", 1) == b {
			one, two = a, b
		}
	}
	var ids [2]string
	for i := 0; ids[0] == "" || ids[1] == ""; i++ {
		id := fmt.Sprint("c", i)
		ids[membership.ShardOf(id, 2)] = id
	}
	bubble(t, func(t *testing.T) {
		w, blind, m := newWorld(), newWorld(), ledgertest.NewMemory(names)
		for _, id := range ids {
			w.set(id, "ann")
			blind.set(id, "ann")
		}
		p1 := start(t, one, m, w, divided(2, ids[:]...))
		p2 := start(t, two, m, blind, divided(2, ids[:]...))
		elapse(time.Minute)
		blind.fail(errors.New("cannot be reached"))
		since := time.Now()
		elapse(2 * time.Hour)
		var states []string
		for _, msg := range m.Messages() {
			if msg.Subject != names.Status("acme") || time.Since(msg.Time) > time.Hour {
				continue
			}
			var s wire.Status
			if err := s.UnmarshalJSON(msg.Data); err != nil {
				t.Fatal(err)
			}
			states = append(states, s.State)
			if s.LastGoodPoll.After(since) {
				t.Fatalf("half of the meetings are not looked at, and the last good poll was %s ago", s.At.Sub(s.LastGoodPoll))
			}
		}
		slices.Sort(states)
		if states = slices.Compact(states); !slices.Equal(states, []string{poller.StateAway}) {
			t.Errorf("the statuses of the last hour are %v", states)
		}
		if h := p2.worker.Health()[0]; h.SinceGood < h.Allowed {
			t.Errorf("the blind one is ready: %+v", h)
		}
		if h := p1.worker.Health()[0]; h.SinceGood > h.Allowed {
			t.Errorf("the other one is not ready: %+v", h)
		}
		p1.stop(t)
		p2.stop(t)
	})
}
