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

	"rollcall/internal/ledgertest"
	"rollcall/poller"
	"rollcall/worker"
)

// purse is a budget that a test fills.
type purse struct {
	mu    sync.Mutex
	calls int
	err   error
	pace  time.Duration
	asked []string // tracked and watched meetings
}

func (p *purse) Allow(_ context.Context, tracked, watched int) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked = append(p.asked, fmt.Sprint(tracked, " ", watched))
	return p.calls, p.err
}

func (p *purse) Pace() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.pace
}

func (p *purse) set(calls int, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.calls, p.err = calls, err
}

// counted is a source that notes what each query is about.
type counted struct {
	*world
	mu      sync.Mutex
	queries [][]string
}

func (c *counted) Query(ctx context.Context, ids []string) (poller.Answers, error) {
	c.mu.Lock()
	c.queries = append(c.queries, slices.Clone(ids))
	c.mu.Unlock()
	return c.world.Query(ctx, ids)
}

// take gives the queries since it was called last.
func (c *counted) take() [][]string {
	c.mu.Lock()
	defer c.mu.Unlock()
	taken := c.queries
	c.queries = nil
	return taken
}

// paced watches meetings in batches of ten, within the purse.
func paced(t *testing.T, c *counted, p *purse, ids []string) *process {
	t.Helper()
	return start(t, "one", ledgertest.NewMemory(names), c.world, func(cfg *worker.Config) {
		tenant := &cfg.Tenants[0]
		tenant.Conferences, tenant.BatchSize, tenant.Budget = ids, 10, p
		tenant.Asker = &poller.Poller{Source: c, Tenant: "acme", BatchSize: 10}
	})
}

func crowdOf(w *world, n int) (ids []string) {
	for i := range n {
		ids = append(ids, fmt.Sprintf("m%02d", i))
		w.set(ids[i], "ann")
	}
	return ids
}

func TestAPassIsMadeWhenThePaceAllows(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c, p := &counted{world: newWorld()}, &purse{}
		ids := crowdOf(c.world, 3)
		one := paced(t, c, p, ids)
		elapse(time.Minute)
		if got := c.take(); len(got) != 0 {
			t.Errorf("without calls %v is asked", got)
		}
		if len(p.asked) < 4 || p.asked[0] != "3 0" {
			t.Errorf("the budget was asked about %q", p.asked)
		}
		p.set(1, nil)
		elapse(30 * time.Second)
		if got := c.take(); len(got) != 2 || len(got[0]) != 3 {
			t.Errorf("with calls for each tick %v is asked", got)
		}
		p.set(0, errors.New("all is spent"))
		elapse(time.Minute)
		if got := one.logs.FilterMessage("asking within the budget of calls fails").Len(); got != 1 {
			t.Errorf("it is said %d times that nothing is left", got)
		}
		p.set(1, nil)
		elapse(time.Minute)
		if got := one.logs.FilterMessage("asking within the budget of calls works again").Len(); got != 1 {
			t.Errorf("it is said %d times that it goes on", got)
		}
		one.stop(t)
	})
}

func TestAnEmptyPassIsFree(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c, p := &counted{world: newWorld()}, &purse{}
		one := paced(t, c, p, nil)
		elapse(time.Minute)
		if h := one.worker.Health()[0]; h.SinceGood > 20*time.Second {
			t.Errorf("the last good pass was %s ago, though there is nothing to ask", h.SinceGood)
		}
		one.stop(t)
	})
}

func TestCallsGoToFullBatchesAndToWhatChanges(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c, p := &counted{world: newWorld()}, &purse{calls: 3}
		ids := crowdOf(c.world, 30)
		one := paced(t, c, p, ids)
		elapse(20 * time.Minute) // nothing has changed for long
		c.take()
		p.set(1, nil)
		elapse(45 * time.Second)
		seen := map[string]int{}
		for _, query := range c.take() {
			if len(query) != 10 {
				t.Errorf("a call is spent on %d meetings", len(query))
			}
			for _, id := range query {
				seen[id]++
			}
		}
		for _, id := range ids {
			if seen[id] != 1 {
				t.Errorf("in three passes %s is asked about %d times", id, seen[id])
			}
		}
		c.world.set("m07", "ann", "bob")
		elapse(45 * time.Second) // the change is seen
		c.take()
		elapse(5 * time.Minute)
		lively, sleeping := 0, 0
		for _, query := range c.take() {
			lively += strings.Count(strings.Join(query, " "), "m07")
			sleeping += strings.Count(strings.Join(query, " "), "m08")
		}
		if lively < 10 || sleeping < 5 || lively <= sleeping {
			t.Errorf("in 20 passes the meeting that changed is asked about %d times, one that sleeps %d times", lively, sleeping)
		}
		one.stop(t)
	})
}

func TestAShardWhoseTurnDoesNotComeComesNext(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c, p := &counted{world: newWorld()}, &purse{calls: 1}
		ids := crowdOf(c.world, 8)
		one := start(t, "one", ledgertest.NewMemory(names), c.world, func(cfg *worker.Config) {
			tenant := &cfg.Tenants[0]
			tenant.Conferences, tenant.Shards, tenant.Budget = ids, 2, p
			tenant.Asker = &poller.Poller{Source: c, Tenant: "acme"}
		})
		elapse(2 * time.Minute)
		seen := map[string]bool{}
		for _, query := range c.take() {
			for _, id := range query {
				seen[id] = true
			}
		}
		if len(seen) != len(ids) {
			t.Errorf("only %d of %d meetings are asked about", len(seen), len(ids))
		}
		one.stop(t)
	})
}

func TestReadinessKnowsThePace(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c, p := &counted{world: newWorld()}, &purse{calls: 1, pace: 4 * time.Minute}
		one := paced(t, c, p, crowdOf(c.world, 1))
		elapse(time.Minute)
		if h := one.worker.Health()[0]; h.Allowed < 12*time.Minute {
			t.Errorf("a pass is missed after %s, at a pace of 4 minutes", h.Allowed)
		}
		one.stop(t)
	})
}
