package worker_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"rollcall"
	"rollcall/internal/ledger"
	"rollcall/internal/ledgertest"
	"rollcall/worker"
)

// unsure lets the next commit that touches a subject take effect, and its
// answer get lost.
func unsure(l *line, m *ledgertest.Memory, subject string) {
	seen := len(m.Messages())
	l.set(func(_ context.Context, step string) error {
		if step != "commit done" {
			return nil
		}
		all := m.Messages()
		fresh := all[seen:]
		seen = len(all)
		if slices.ContainsFunc(fresh, func(msg ledgertest.Message) bool { return msg.Subject == subject }) {
			l.set(nil)
			return fmt.Errorf("%w: the answer is lost", ledger.ErrUnknown)
		}
		return nil
	})
}

func TestUntrackWhoseAnswerIsLostHolds(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, m := newWorld(), ledgertest.NewMemory(names)
		l := &line{Memory: m, paper: &paper{}, world: w, book: newBook()}
		w.set("c1", "ann")
		p := connect(t, "w1", l, nil)
		elapse(time.Second)
		if _, err := p.worker.Track(t.Context(), "acme", "c1", "api"); err != nil {
			t.Fatal(err)
		}
		unsure(l, m, names.State("acme", "c1"))
		view, err := p.worker.Untrack(t.Context(), "acme", "c1")
		if err != nil || view.Tracked {
			t.Errorf("untracked is %+v, %v", view, err)
		}
		elapse(10 * time.Minute)
		expect(t, m, "c1", "meeting.started", "participant.joined ann", "meeting.untracked")
		p.stop(t)
	})
}

// Where neither the answer to a track nor what became of it can be read, it is
// read as soon as that can be, though nothing more is to be stored.
func TestTrackOfWhichNothingIsHeardHolds(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, m := newWorld(), ledgertest.NewMemory(names)
		l := &line{Memory: m, paper: &paper{}, world: w, book: newBook()}
		w.set("c1", "ann")
		p := connect(t, "w1", l, nil)
		elapse(time.Minute)
		l.set(only(fmt.Errorf("%w: cut off", ledger.ErrUnknown), "commit done", "tail"))
		if _, err := p.worker.Track(t.Context(), "acme", "c1", "api"); !errors.Is(err, ledger.ErrUnknown) {
			t.Errorf("track: %v, though nothing is known of it", err)
		}
		l.set(nil)
		elapse(30 * time.Second)
		expect(t, m, "c1", "meeting.started", "participant.joined ann")
		p.stop(t)
	})
}

func TestReopeningWhoseAnswerIsLostIsWatched(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, m := newWorld(), ledgertest.NewMemory(names)
		l := &line{Memory: m, paper: &paper{}, world: w, book: newBook()}
		w.set("c1", "ann")
		p := connect(t, "w1", l, track("c1"))
		elapse(time.Second)
		w.forget("c1")
		elapse(5 * time.Minute)
		unsure(l, m, names.State("acme", "c1"))
		w.set("c1", "ann")
		elapse(30 * time.Minute)
		w.set("c1", "bob")
		elapse(time.Minute)
		if r := record(t, m, "c1"); r.Meeting.Status != rollcall.StatusStarted || len(r.Roster) != 1 || r.Roster[0].Key != "bob" {
			t.Errorf("it came back, and a minute after a change it stands at %s with %v", r.Meeting.Status, r.Roster)
		}
		lawful(t, m, "c1")
		p.stop(t)
	})
}

func TestOrdersOfALostShardAreRefused(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, m := newWorld(), ledgertest.NewMemory(names)
		l1 := &line{Memory: m, paper: &paper{}, world: w, book: newBook()}
		l2 := &line{Memory: m, paper: &paper{}, world: w, book: newBook()}
		w.set("c1", "ann")
		w.set("c2", "eve")
		w.set("c3", "zoe")
		p1 := connect(t, "w1", l1, track("c1"))
		elapse(time.Second)
		if _, err := p1.worker.Track(t.Context(), "acme", "c2", "api"); err != nil {
			t.Fatal(err)
		}
		l1.set(only(errors.New("cut off"), "members")) // it does not learn who else there is
		p2 := usurp(t, l2)
		if _, err := p1.worker.Track(t.Context(), "acme", "c3", "api"); !errors.Is(err, worker.ErrNotHeld) {
			t.Errorf("track: %v, though the holder has not heard of it", err)
		}
		if view, err := p2.worker.Track(t.Context(), "acme", "c3", "api"); err != nil || view.Record == nil {
			t.Errorf("track by the holder: %+v, %v", view, err)
		}
		if _, err := p1.worker.Untrack(t.Context(), "acme", "c2"); !errors.Is(err, worker.ErrNotHeld) {
			t.Errorf("untrack: %v, though the holder has not heard of it", err)
		}
		if view, err := p2.worker.Untrack(t.Context(), "acme", "c2"); err != nil || view.Tracked {
			t.Errorf("untrack by the holder: %+v, %v", view, err)
		}
		elapse(2 * time.Minute)
		w.set("c3", "zoe", "bob")
		elapse(20 * time.Second)
		expect(t, m, "c3", "meeting.started", "participant.joined zoe", "participant.joined bob")
		expect(t, m, "c2", "meeting.started", "participant.joined eve", "meeting.untracked")
		if set := trackedSet(t, m); !slices.Equal(set, []string{"c1", "c3"}) {
			t.Errorf("tracked is %v", set)
		}
		l1.set(nil)
		p1.stop(t)
		p2.stop(t)
	})
}

func TestOrderThatWaitedForALostShardIsRefused(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, m := newWorld(), ledgertest.NewMemory(names)
		l1 := &line{Memory: m, paper: &paper{}, world: w, book: newBook()}
		l2 := &line{Memory: m, paper: &paper{}, world: w, book: newBook()}
		w.set("c1", "ann")
		p1 := connect(t, "w1", l1, track("c1"))
		elapse(time.Second)
		free := make(chan struct{})
		l1.set(func(_ context.Context, step string) error {
			if step == "commit" {
				<-free
			}
			return nil
		})
		w.set("c1", "bob")
		elapse(15 * time.Second)
		answered := make(chan error, 1)
		go func() {
			_, err := p1.worker.Track(t.Context(), "acme", "c2", "api")
			answered <- err
		}()
		p2 := usurp(t, l2)
		elapse(3 * time.Second) // less than an order waits for the ledger
		close(free)
		if err := <-answered; !errors.Is(err, worker.ErrNotHeld) {
			t.Errorf("track: %v, though the shard was lost while it waited", err)
		}
		p1.stop(t)
		p2.stop(t)
		if set := trackedSet(t, m); !slices.Equal(set, []string{"c1"}) {
			t.Errorf("tracked is %v", set)
		}
	})
}

// usurp starts a worker that knows of no other one, and waits until it has
// taken the shard.
func usurp(t *testing.T, l *line) *process {
	t.Helper()
	l.alone = "usurper"
	p := connect(t, "usurper", l, track("c1"))
	elapse(8 * time.Second) // whoever held it counts as alive for a TTL
	if p.worker.Health()[0].Held != 1 {
		t.Fatal("the shard was not taken")
	}
	return p
}

// only lets these steps fail.
func only(err error, steps ...string) func(context.Context, string) error {
	return func(_ context.Context, step string) error {
		if slices.Contains(steps, step) {
			return fmt.Errorf("%s: %w", step, err)
		}
		return nil
	}
}

func TestStopDuringAHungCommitKeepsWhatIsHeld(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, m := newWorld(), ledgertest.NewMemory(names)
		l := &line{Memory: m, paper: &paper{}, world: w, book: newBook()}
		w.set("c1", "ann")
		p := connect(t, "w1", l, track("c1"))
		elapse(time.Second)
		l.set(func(ctx context.Context, step string) error {
			if step != "commit" {
				return nil
			}
			<-ctx.Done()
			return fmt.Errorf("%w: %w", ledger.ErrUnknown, ctx.Err())
		})
		w.set("c1", "bob")
		elapse(20 * time.Second)
		p.stop(t)
		if l.paper.len() == 0 {
			t.Error("what a hung commit held up is not in the journal after the stop")
		}
		l.set(nil)
		w.set("c1", "cid")
		p = connect(t, "w1", l, track("c1"))
		elapse(time.Minute)
		p.stop(t)
		expect(t, m, "c1", "meeting.started", "participant.joined ann",
			"participant.left ann", "participant.joined bob", "participant.left bob", "participant.joined cid")
	})
}

func TestVanishedMeetingIsAskedAboutUnderANewClaim(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, m := newWorld(), ledgertest.NewMemory(names)
		l1 := &line{Memory: m, paper: &paper{}, world: w, book: newBook()}
		l2 := &line{Memory: m, paper: &paper{}, world: w, book: newBook()}
		w.set("c1", "ann")
		p1 := connect(t, "w1", l1, track("c1"))
		elapse(time.Second)
		w.forget("c1")
		elapse(time.Minute)
		l1.set(only(errors.New("cut off"), "members")) // it does not learn of the other
		p2 := usurp(t, l2)
		elapse(30 * time.Minute)
		w.set("c1", "ann") // the first worker may learn of it, under a claim that does not count
		elapse(10 * time.Second)
		p2.stop(t)
		l1.set(nil)
		elapse(5 * time.Minute)
		if n := len(events(t, m, "c1")); n != 6 {
			t.Errorf("a new claim and the meeting is back: told is %v", tell(events(t, m, "c1")))
		}
		p1.stop(t)
	})
}
