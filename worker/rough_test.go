package worker_test

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"rollcall"
	"rollcall/internal/ledger"
	"rollcall/internal/ledgertest"
	"rollcall/poller"
	"rollcall/worker"
)

// TestSameIDTwice lets two processes run under one id, which nobody should do:
// they cannot know of each other, and take the shard from each other.
func TestSameIDTwice(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, m := newWorld(), ledgertest.NewMemory(names)
		b := newBook()
		w.set("c1", "ann")
		l1 := &line{Memory: m, paper: &paper{}, world: w, book: b}
		l2 := &line{Memory: m, paper: &paper{}, world: w, book: b}
		p1 := connect(t, "w1", l1, track("c1"))
		elapse(time.Second)
		p2 := connect(t, "w1", l2, track("c1"))
		for i := range 40 {
			w.set("c1", "ann", fmt.Sprint("guest", i))
			elapse(15 * time.Second)
		}
		p1.stop(t)
		p2.stop(t)
		if broken := judge(t, m, b, "c1", w.truth("c1")); broken != "" {
			t.Error(broken)
		}
	})
}

// TestMembershipFlaps lets a second worker come and go at every beat.
func TestMembershipFlaps(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, m := newWorld(), ledgertest.NewMemory(names)
		b := newBook()
		w.set("c1", "ann")
		l1 := &line{Memory: m, paper: &paper{}, world: w, book: b}
		p1 := connect(t, "w1", l1, track("c1"))
		elapse(time.Second)
		for i := range 60 {
			w.set("c1", "ann", fmt.Sprint("guest", i))
			l2 := &line{Memory: m, paper: &paper{}, world: w, book: b}
			p2 := connect(t, fmt.Sprint("flap", i%7), l2, track("c1"))
			elapse(time.Duration(i%11) * 500 * time.Millisecond)
			if i%2 == 0 {
				p2.stop(t)
			} else {
				p2.end(l2)
			}
			elapse(time.Duration(i%5) * time.Second)
		}
		elapse(time.Minute)
		p1.stop(t)
		if broken := judge(t, m, b, "c1", w.truth("c1")); broken != "" {
			t.Error(broken)
		}
	})
}

// backwards is a poller whose machine's clock is set back under way.
type backwards struct {
	asker
	since time.Time
}

func (c backwards) Pass(ctx context.Context, ask poller.Ask) poller.Report {
	emit := ask.Emit
	ask.Emit = func(ctx context.Context, obs rollcall.Observation) error {
		if time.Since(c.since) > 5*time.Minute {
			obs.AskedAt, obs.AnsweredAt = obs.AskedAt.Add(-time.Hour), obs.AnsweredAt.Add(-time.Hour)
		}
		return emit(ctx, obs)
	}
	return c.asker.Pass(ctx, ask)
}

func TestClockThatIsSetBack(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, m := newWorld(), ledgertest.NewMemory(names)
		l := &line{Memory: m, paper: &paper{}, world: w, book: newBook()}
		w.set("c1", "ann")
		p := connect(t, "w1", l, func(c *worker.Config) {
			track("c1")(c)
			c.Tenants[0].Asker = backwards{c.Tenants[0].Asker.(asker), time.Now()}
		})
		for i := range 40 {
			w.set("c1", "ann", fmt.Sprint("guest", i))
			elapse(15 * time.Second)
		}
		if _, err := p.worker.Untrack(t.Context(), "acme", "c1"); err != nil {
			t.Fatal(err)
		}
		if _, err := p.worker.Track(t.Context(), "acme", "c1", "api"); err != nil {
			t.Fatal(err)
		}
		p.stop(t)
		states, broken := published(t, m, "c1")
		if broken != "" || last(states) != w.truth("c1") {
			t.Errorf("%s; at last %q", broken, last(states))
		}
		var epoch int64
		for _, e := range events(t, m, "c1") {
			if e.Epoch < epoch {
				t.Fatalf("the epoch goes back from %d to %d", epoch, e.Epoch)
			}
			epoch = e.Epoch
		}
	})
}

// TestOrdersRaceWithEnds tracks and untracks a meeting at every moment of its end.
func TestOrdersRaceWithEnds(t *testing.T) {
	for _, at := range []time.Duration{0, 14 * time.Second, 15 * time.Second, 15*time.Second + time.Millisecond, 31 * time.Second} {
		for _, style := range []string{"status", "omitted", "vanished"} {
			t.Run(fmt.Sprint(style, " ", at), func(t *testing.T) {
				bubble(t, func(t *testing.T) { race(t, at, style) })
			})
		}
	}
}

func race(t *testing.T, at time.Duration, style string) {
	w, m := newWorld(), ledgertest.NewMemory(names)
	l := &line{Memory: m, paper: &paper{}, world: w, book: newBook()}
	l.set(func(_ context.Context, step string) error {
		if step == "commit" {
			<-time.After(300 * time.Millisecond)
		}
		return nil
	})
	w.set("c1", "ann")
	p := connect(t, "w1", l, nil)
	elapse(time.Second)
	if _, err := p.worker.Track(t.Context(), "acme", "c1", "api"); err != nil {
		t.Fatal(err)
	}
	elapse(15*time.Second - time.Duration(time.Now().UnixNano())%(15*time.Second))
	switch style {
	case "status":
		w.status("c1", rollcall.StatusEnded)
	case "omitted":
		w.hide("c1")
	case "vanished":
		w.forget("c1")
	}
	elapse(at)
	orders := make(chan error, 3)
	for i := range 3 {
		go func() {
			var err error
			if i == 1 {
				_, err = p.worker.Untrack(t.Context(), "acme", "c1")
			} else {
				_, err = p.worker.Track(t.Context(), "acme", "c1", "api")
			}
			orders <- err
		}()
	}
	for range 3 {
		<-orders
	}
	elapse(10 * time.Minute)
	p.stop(t)
	if _, broken := published(t, m, "c1"); broken != "" {
		t.Error(broken)
	}
	words := tell(events(t, m, "c1"))
	if end := words[len(words)-1]; end != "meeting.ended" && end != "meeting.untracked" {
		t.Errorf("the last word is %s of %v", end, words)
	}
	if set := trackedSet(t, m); len(set) != 0 {
		t.Errorf("ten minutes after the end tracked is %v", set)
	}
}

func TestManyTenantsAndOneWithoutMeetings(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, m := newWorld(), ledgertest.NewMemory(names)
		w.set("c1", "ann")
		p := start(t, "w1", m, w, func(c *worker.Config) {
			first := c.Tenants[0]
			c.Tenants = nil
			for i := range 64 {
				each := first
				each.Name = fmt.Sprint("tenant", i)
				if i > 0 {
					each.Conferences = []string{"c1"}
				}
				c.Tenants = append(c.Tenants, each)
			}
		})
		elapse(time.Minute)
		joined := 0
		for _, msg := range m.Messages() {
			if strings.HasSuffix(msg.Subject, "c1.participant.joined") {
				joined++
			}
		}
		if joined != 63 {
			t.Errorf("ann joined in the eyes of %d tenants, want 63", joined)
		}
		for i, h := range p.worker.Health() {
			if h.Held != 1 || h.SinceGood > h.Allowed {
				t.Errorf("tenant %d: %+v", i, h)
			}
		}
		p.stop(t)
	})
}

// TestMemoryOfManyMeetings measures what 10,000 meetings of 100 people take.
func TestMemoryOfManyMeetings(t *testing.T) {
	if os.Getenv("ROLLCALL_LONG") == "" {
		t.Skip("set ROLLCALL_LONG=1 to measure")
	}
	bubble(t, func(t *testing.T) {
		const meetings, people = 10_000, 100
		w, m := newWorld(), ledgertest.NewMemory(names)
		var ids []string
		for i := range meetings {
			var names []string
			for p := range people {
				names = append(names, fmt.Sprintf("user-%05d-%03d", i, p))
			}
			ids = append(ids, fmt.Sprintf("conference-%06d", i))
			w.set(ids[i], names...)
		}
		before := heap()
		p := start(t, "w1", forgetful{m, new(atomic.Uint64)}, w, track(ids...))
		elapse(time.Minute)
		t.Logf("heap: %d bytes a meeting of %d people, first polls included", (heap()-before)/meetings, people)
		p.stop(t)
	})
}

func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}

// forgetful is a ledger that keeps nothing of what is committed, so that the
// heap is the worker's.
type forgetful struct {
	*ledgertest.Memory
	last *atomic.Uint64
}

func (f forgetful) Commit(_ context.Context, msgs []ledger.Message) (uint64, error) {
	n := uint64(len(msgs))
	return f.last.Add(n) - n + 1, nil
}
