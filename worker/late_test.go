package worker_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"rollcall/internal/ledgertest"
	"rollcall/poller"
	"rollcall/worker"
)

// sluggish answers questions about one of four meetings after a while, and others
// at once.
type sluggish struct {
	*world
	takes atomic.Int64 // after so many nanoseconds m2 is answered
}

func (s *sluggish) Query(ctx context.Context, ids []string) (poller.Answers, error) {
	answers, err := s.world.Query(ctx, ids)
	if ids[0] == "m2" {
		select {
		case <-time.After(time.Duration(s.takes.Load())):
		case <-ctx.Done():
			return poller.Answers{}, ctx.Err()
		}
	}
	return answers, err
}

func startSluggish(t *testing.T, l *ledgertest.Memory, more ...func(*worker.Config)) (*sluggish, *process) {
	s := &sluggish{world: newWorld()}
	for _, id := range []string{"m1", "m2", "m3", "m4"} {
		s.set(id, "ann")
	}
	return s, start(t, "one", l, s.world, func(cfg *worker.Config) {
		track("m1", "m2", "m3", "m4")(cfg)
		cfg.Tenants[0].Asker = &poller.Poller{Source: s, Tenant: "acme", BatchSize: 1}
		for _, change := range more {
			change(cfg)
		}
	})
}

// TestASlowAnswerDelaysItsOwnMeeting has one of four meetings answered after forty
// seconds, with a schedule of fifteen: of the others everything is told in time, and
// of that one what was seen when it was asked about.
func TestASlowAnswerDelaysItsOwnMeeting(t *testing.T) {
	bubble(t, func(t *testing.T) {
		m := ledgertest.NewMemory(names)
		s, p := startSluggish(t, m)
		elapse(40 * time.Second)
		s.takes.Store(int64(40 * time.Second))
		s.set("m2", "ann", "bob")
		elapse(20 * time.Second) // it is asked about
		s.set("m1", "ann", "cem")
		s.set("m2", "ann")
		elapse(20 * time.Second)
		expect(t, m, "m1", "meeting.started", "participant.joined ann", "participant.joined cem")
		expect(t, m, "m2", "meeting.started", "participant.joined ann")
		elapse(100 * time.Second)
		expect(t, m, "m2", "meeting.started", "participant.joined ann", "participant.joined bob", "participant.left bob")
		for _, id := range []string{"m1", "m2", "m3", "m4"} {
			lawful(t, m, id)
		}
		p.stop(t)
	})
}

// TestAStopDoesNotWaitForASlowAnswer stops a worker whose pass went on without a call.
func TestAStopDoesNotWaitForASlowAnswer(t *testing.T) {
	bubble(t, func(t *testing.T) {
		m := ledgertest.NewMemory(names)
		s, p := startSluggish(t, m)
		elapse(40 * time.Second)
		s.takes.Store(int64(time.Hour))
		elapse(40 * time.Second)
		began := time.Now()
		p.stop(t)
		if took := time.Since(began); took > 10*time.Second {
			t.Errorf("it took %v", took)
		}
		lawful(t, m, "m2")
	})
}

// TestAHintOutlivesASlowAnswer has somebody come, and a hint at that, while a question
// from before is still to be answered: the meeting is asked about once more.
func TestAHintOutlivesASlowAnswer(t *testing.T) {
	bubble(t, func(t *testing.T) {
		m, hints := ledgertest.NewMemory(names), worker.NewHints()
		s, p := startSluggish(t, m, hourly(t, hints, nil))
		elapse(time.Hour + time.Minute)
		s.takes.Store(int64(40 * time.Second))
		hints.Take([]string{"m2"}, true)
		elapse(10 * time.Second)
		s.takes.Store(0)
		s.set("m2", "ann", "bob")
		hints.Take([]string{"m2"}, true)
		elapse(20 * time.Second)
		expect(t, m, "m2", "meeting.started", "participant.joined ann")
		elapse(3 * time.Minute)
		expect(t, m, "m2", "meeting.started", "participant.joined ann", "participant.joined bob")
		p.stop(t)
	})
}
