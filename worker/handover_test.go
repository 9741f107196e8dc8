package worker_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"rollcall/internal/ledger"
	"rollcall/internal/ledgertest"
	"rollcall/worker"
	"rollcall/worker/membership"
)

// pair gives two names of workers of which the second one is preferred for the
// tenant's first shard.
func pair(t *testing.T) (other, owner string) {
	t.Helper()
	for n := range 100 {
		a, b := fmt.Sprint("a", n), fmt.Sprint("b", n)
		if membership.Owner([]string{a, b}, "acme", 0) == b {
			return a, b
		}
	}
	t.Fatal("no name is preferred")
	return "", ""
}

// lateReader is a ledger whose reader is told after the first reading of all records.
type lateReader struct {
	*ledgertest.Memory
	read func()
	done atomic.Bool
}

func (l *lateReader) LoadAll(ctx context.Context, tenant string) ([]ledger.Stored, error) {
	all, err := l.Memory.LoadAll(ctx, tenant)
	if !l.done.Swap(true) {
		l.read()
	}
	return all, err
}

// TestReopenedDuringAHandover: a meeting that vanished comes back, and its old
// holder stores that just after, or between, the readings of the new one.
func TestReopenedDuringAHandover(t *testing.T) {
	other, owner := pair(t)
	bubble(t, func(t *testing.T) {
		w, m := newWorld(), ledgertest.NewMemory(names)
		l := &wrapped{Memory: m}
		w.set("c1", "ann")
		w.set("other", "eve") // so that there are passes
		p1 := start(t, other, l, w, track("other"))
		elapse(time.Second)
		if _, err := p1.worker.Track(t.Context(), "acme", "c1", "api"); err != nil {
			t.Fatal(err)
		}
		w.forget("c1")
		elapse(2 * time.Minute)
		w.set("c1", "ann", "bob") // the vendor knows it again
		held, let := make(chan struct{}), make(chan struct{})
		l.intercept(func(_ context.Context, msgs []ledger.Message) error {
			if strings.Contains(msgs[0].Subject, ".c1.") {
				select {
				case <-held:
				default:
					close(held)
				}
				<-let
			}
			return nil
		})
		<-held // the old holder is about to store that it goes on
		p2 := start(t, owner, &lateReader{Memory: m, read: func() {
			close(let) // now it is stored
			time.Sleep(100 * time.Millisecond)
		}}, w, track("other"))
		// The old holder, whose commit hangs, is not waited for any longer.
		elapse(time.Minute)
		if !slices.Contains(trackedSet(t, m), "c1") {
			t.Fatal("the test is wrong: c1 was not reopened")
		}
		w.set("c1", "ann", "bob", "zoe")
		elapse(20 * time.Hour)
		if words := strings.Join(tell(events(t, m, "c1")), " | "); !strings.Contains(words, "zoe") {
			t.Errorf("zoe came 20 hours ago; told is %s", words)
		}
		p1.stop(t)
		p2.stop(t)
	})
}

// TestAReadingBetweenTwoWrites: what goes on and is not tracked in a reading of
// all is looked at once more.
func TestAReadingBetweenTwoWrites(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, m := newWorld(), ledgertest.NewMemory(names)
		w.set("c1", "ann")
		p := start(t, "w1", m, w, nil)
		elapse(time.Second)
		if _, err := p.worker.Track(t.Context(), "acme", "c1", "api"); err != nil {
			t.Fatal(err)
		}
		p.stop(t)
		p = start(t, "w2", &untrackedAtFirst{Memory: m}, w, nil)
		elapse(time.Second)
		w.set("c1", "ann", "bob")
		elapse(time.Minute)
		expect(t, m, "c1", "meeting.started", "participant.joined ann", "participant.joined bob")
		p.stop(t)
	})
}

// untrackedAtFirst is a ledger whose first reading of the tracked set comes too early.
type untrackedAtFirst struct {
	*ledgertest.Memory
	read atomic.Bool
}

func (l *untrackedAtFirst) Tracked(ctx context.Context, tenant string) ([]ledger.Tracking, error) {
	if !l.read.Swap(true) {
		return nil, nil
	}
	return l.Memory.Tracked(ctx, tenant)
}

// TestAnUntrackWhoseAnswerIsLost is either done, or the meeting is watched on.
func TestAnUntrackWhoseAnswerIsLost(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, m := newWorld(), ledgertest.NewMemory(names)
		w.fail(errors.New("scripted: away"))
		p := start(t, "w1", m, w, nil)
		elapse(time.Second)
		_, _ = p.worker.Track(t.Context(), "acme", "c1", "api")
		var silent atomic.Bool
		m.Fail = func(op string) error {
			if op == "commit done" && silent.Load() {
				return ledger.ErrUnknown
			}
			return nil
		}
		silent.Store(true)
		if _, err := p.worker.Untrack(t.Context(), "acme", "c1"); err != nil {
			t.Errorf("it is untracked, as the ledger itself tells, and the operator hears %v", err)
		}
		silent.Store(false)
		elapse(10 * time.Second)
		if got := trackedSet(t, m); len(got) > 0 {
			t.Fatalf("the test is wrong: %v is tracked", got)
		}
		if view, err := p.worker.Show(t.Context(), "acme", "c1"); err == nil && view.Tracked {
			t.Errorf("the meeting is shown as tracked: %+v", view)
		}
		p.stop(t)
	})
}

// shelves counts the readings of all records.
type shelves struct {
	*ledgertest.Memory
	reads atomic.Int32
}

func (l *shelves) LoadAll(ctx context.Context, tenant string) ([]ledger.Stored, error) {
	l.reads.Add(1)
	time.Sleep(100 * time.Millisecond)
	return l.Memory.LoadAll(ctx, tenant)
}

// TestAStartReadsATenantOnce, and not once for each of its shards.
func TestAStartReadsATenantOnce(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, m := newWorld(), ledgertest.NewMemory(names)
		w.set("c1", "ann")
		l := &shelves{Memory: m}
		p := start(t, "w1", l, w, func(c *worker.Config) {
			c.Tenants[0].Conferences, c.Tenants[0].Shards = []string{"c1"}, 64
		})
		elapse(5 * time.Second)
		if held := p.worker.Health()[0].Held; held != 64 {
			t.Fatalf("%d shards are held, want 64", held)
		}
		if n := l.reads.Load(); n > 3 {
			t.Errorf("64 shards read all records %d times", n)
		}
		p.stop(t)
	})
}
