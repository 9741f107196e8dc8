package worker_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"rollcall/internal/ledger"
	"rollcall/internal/ledgertest"
	"rollcall/poller"
	"rollcall/worker"
)

// crew is ten meetings that change before every question, asked about one by
// one, each answer in 10 ms.
type crew struct {
	*world
	turn    int
	waiting func() int
	seen    []int // observations that waited when a question was asked
}

func (c *crew) Query(ctx context.Context, ids []string) (poller.Answers, error) {
	c.mu.Lock()
	c.turn++
	who := fmt.Sprintf("user%d", c.turn)
	c.seen = append(c.seen, c.waiting())
	c.mu.Unlock()
	c.set(ids[0], who)
	time.Sleep(10 * time.Millisecond)
	return c.world.Query(ctx, ids)
}

// since gives what waited at each question after the n-th.
func (c *crew) since(n int) []int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]int(nil), c.seen[n:]...)
}

func startCrew(t *testing.T, l *wrapped) (*crew, *process) {
	c := &crew{world: newWorld(), waiting: func() int { return 0 }}
	var ids []string
	for i := range 10 {
		ids = append(ids, fmt.Sprintf("m%d", i))
	}
	p := start(t, "one", l, c.world, func(cfg *worker.Config) {
		track(ids...)(cfg)
		cfg.Tenants[0].BatchSize = 1
		cfg.Tenants[0].Asker = &poller.Poller{Source: c, Tenant: "acme", BatchSize: 1}
	})
	c.mu.Lock()
	c.waiting = func() int { return p.worker.Health()[0].Waiting }
	c.mu.Unlock()
	return c, p
}

// taking makes every commit take its time.
func taking(l *wrapped, d time.Duration) {
	l.intercept(func(context.Context, []ledger.Message) error { time.Sleep(d); return nil })
}

func TestAskingDoesNotRunAheadOfALedgerThatWorks(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := &wrapped{Memory: ledgertest.NewMemory(names)}
		taking(l, 50*time.Millisecond)
		c, p := startCrew(t, l)
		elapse(40 * time.Second)
		seen := c.since(0)
		if len(seen) < 30 {
			t.Fatalf("%d questions in three passes of ten", len(seen))
		}
		overlapped := 0
		for i, n := range seen {
			if n > 1 {
				t.Errorf("question %d was asked while %d observations waited", i, n)
			}
			overlapped += n
		}
		if overlapped < 20 {
			t.Errorf("of %d questions %d were asked while the answer before was stored", len(seen), overlapped)
		}
		p.stop(t)
		for i := range 10 {
			lawful(t, l.Memory, fmt.Sprintf("m%d", i))
		}
	})
}

func TestAskingGoesOnWithoutTheLedger(t *testing.T) {
	for name, c := range map[string]struct {
		trouble func(*wrapped)
		within  time.Duration // the first question of a pass, all are asked
	}{
		"it fails": {func(l *wrapped) { l.fail(fmt.Errorf("%w: away", ledger.ErrBusy)) }, 200 * time.Millisecond},
		"it fails after a while": {func(l *wrapped) {
			l.intercept(func(context.Context, []ledger.Message) error {
				time.Sleep(500 * time.Millisecond)
				return fmt.Errorf("%w: away", ledger.ErrBusy)
			})
		}, time.Second},
		"it hangs": {func(l *wrapped) {
			l.intercept(func(ctx context.Context, _ []ledger.Message) error {
				<-ctx.Done()
				return fmt.Errorf("%w: %w", ledger.ErrUnknown, ctx.Err())
			})
		}, 4 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				l := &wrapped{Memory: ledgertest.NewMemory(names)}
				crew, p := startCrew(t, l)
				elapse(20 * time.Second)
				before := len(crew.since(0))
				c.trouble(l)
				for len(crew.since(before)) == 0 {
					elapse(time.Millisecond)
				}
				elapse(c.within)
				if got := len(crew.since(before)); got != 10 {
					t.Errorf("%s after the first question of a pass %d were asked, want 10", c.within, got)
				}
				p.kill()
				<-p.ended
			})
		})
	}
}

// A stop has a time of its own for what is held; the asking is over at once.
func TestStopEndsTheWaitingForTheLedger(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := &wrapped{Memory: ledgertest.NewMemory(names)}
		c, p := startCrew(t, l)
		elapse(20 * time.Second)
		l.intercept(func(ctx context.Context, _ []ledger.Message) error {
			<-ctx.Done()
			return fmt.Errorf("%w: %w", ledger.ErrUnknown, ctx.Err())
		})
		before := len(c.since(0))
		for len(c.since(before)) < 2 {
			elapse(time.Millisecond)
		}
		elapse(100 * time.Millisecond) // its answer waits, and so does the asking
		began := time.Now()
		p.kill()
		if err := <-p.ended; err == nil {
			t.Error("what the ledger never took was stored")
		}
		if took := time.Since(began); took > 10*time.Second+100*time.Millisecond {
			t.Errorf("the stop took %s, want 10s", took)
		}
	})
}
