package worker_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"rollcall"
	"rollcall/internal/ledgertest"
	"rollcall/poller"
	"rollcall/worker"
)

// away is the fault of a vendor that cannot be reached.
type away struct{}

func (away) Error() string             { return "cannot be reached" }
func (away) Class() poller.Class       { return poller.ClassTransient }
func (away) RetryAfter() time.Duration { return 0 }

func expiring(after time.Duration, ids ...string) func(*worker.Config) {
	return func(c *worker.Config) {
		track(ids...)(c)
		c.Tenants[0].ExpireUnstarted = after
	}
}

// Nobody could look for longer than a meeting may take to start.
func TestTimeInWhichNobodyLookedDoesNotExpireAMeeting(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, m := newWorld(), ledgertest.NewMemory(names)
		w.set("named", "ann")
		w.set("ordered", "ann")
		w.fail(away{})
		p := start(t, "w1", m, w, expiring(24*time.Hour, "named"))
		elapse(time.Second)
		if _, err := p.worker.Track(t.Context(), "acme", "ordered", "api"); !errors.Is(err, worker.ErrNotAnswered) {
			t.Fatalf("track: %v", err)
		}
		elapse(25 * time.Hour)
		w.fail(nil)
		elapse(time.Minute)
		for _, id := range []string{"named", "ordered"} {
			expect(t, m, id, "meeting.started", "participant.joined ann")
		}
		p.stop(t)
	})
}

// What one process has looked at counts for the next, and an outage does not.
func TestLookingIsCountedOverProcesses(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, m := newWorld(), ledgertest.NewMemory(names)
		w.put("c1", &meeting{Status: rollcall.StatusInitialized, hidden: true}) // only a lookup knows it
		for range 5 {
			p := start(t, "w1", m, w, expiring(10*time.Hour, "c1"))
			elapse(100 * time.Minute)
			w.fail(away{})
			elapse(3 * time.Hour)
			w.fail(nil)
			p.stop(t)
		}
		if set := trackedSet(t, m); len(set) != 1 {
			t.Fatalf("after 500 minutes in which somebody looked tracked is %v", set)
		}
		p := start(t, "w1", m, w, expiring(10*time.Hour, "c1"))
		elapse(200 * time.Minute)
		if set := trackedSet(t, m); len(set) != 0 {
			t.Errorf("after 700 minutes in which somebody looked tracked is %v", set)
		}
		p.stop(t)
	})
}

func TestAMeetingWithPeopleInItDoesNotExpire(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, m := newWorld(), ledgertest.NewMemory(names)
		w.put("c1", &meeting{Title: "x", Users: []user{{ID: "ann", Att: rollcall.AttendancePresent}}})
		p := start(t, "w1", m, w, expiring(24*time.Hour, "c1"))
		elapse(25 * time.Hour)
		if got := strings.Join(tell(events(t, m, "c1")), " | "); strings.Contains(got, "untracked") {
			t.Errorf("ann is in the meeting; the events are %s", got)
		}
		p.stop(t)
	})
}

// slow answers after a while.
type slow struct {
	*world
	took time.Duration
}

func (s *slow) Query(ctx context.Context, ids []string) (poller.Answers, error) {
	time.Sleep(s.took)
	return s.world.Query(ctx, ids)
}

// A lookup that a list asks for waits for NATS; nobody else waits for it.
func TestALookupDoesNotHoldPollingInAnOutage(t *testing.T) {
	for _, asking := range []bool{false, true} { // whether NATS goes away while a question is under way
		bubble(t, func(t *testing.T) {
			w, l := &slow{newWorld(), 3 * time.Second}, &wrapped{Memory: ledgertest.NewMemory(names)}
			w.set("c1", "ann")
			w.set("c2", "ann")
			p := start(t, "w1", l, w.world, func(c *worker.Config) {
				track("c1", "c2")(c)
				c.Tenants[0].Asker = &poller.Poller{Source: w, Tenant: "acme", Logger: c.Logger}
			})
			elapse(time.Minute)
			for n := w.asked(); w.asked() == n; {
				elapse(100 * time.Millisecond)
			}
			w.set("c1", "ann", "bob")
			elapse(12500 * time.Millisecond) // the next question is under way
			if !asking {
				l.fail(errors.New("no responders"))
				elapse(10 * time.Second) // one observation waits now
			}
			ctx, cancel := context.WithCancel(t.Context())
			found := make(chan error, 1)
			go func() { found <- p.worker.Found(ctx, "acme", "organization", nil, []string{"c2"}, false) }()
			elapse(500 * time.Millisecond)
			l.fail(errors.New("no responders"))
			elapse(10 * time.Second)
			before := w.asked()
			elapse(time.Hour)
			if n := w.asked() - before; n < 200 {
				t.Errorf("in an hour without NATS %d questions were asked, want about 200", n)
			}
			w.hide("c2")
			l.fail(nil)
			elapse(time.Minute)
			if err := <-found; err != nil {
				t.Errorf("looked up once NATS is back: %v", err)
			}
			cancel()
			p.stop(t)
		})
	}
}
