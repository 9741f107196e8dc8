package worker_test

import (
	"context"
	"testing"
	"time"

	"rollcall/internal/ledger"
	"rollcall/internal/ledgertest"
	"rollcall/poller"
	"rollcall/worker"
)

// blind sees no other member than one.
type blind struct {
	*ledgertest.Memory
	id string
}

func (b *blind) Members(context.Context) ([]ledger.Member, error) {
	return []ledger.Member{{ID: b.id}}, nil
}

// late answers its first query with what is true when it is asked, but only
// when the gate opens.
type late struct {
	*world
	gate chan struct{}
}

func (l *late) Query(ctx context.Context, ids []string) (poller.Answers, error) {
	answers, err := l.world.Query(ctx, ids)
	<-l.gate
	return answers, err
}

// Two workers overlap for a moment. The one with the newer term asked first and
// is answered last: its answer is the older one, though its number is higher.
func TestOlderAnswerUnderANewerTermIsDropped(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, m := newWorld(), ledgertest.NewMemory(names)
		schedule, err := poller.ParseSchedule("@every 1s", "UTC")
		if err != nil {
			t.Fatal(err)
		}
		w.set("c1", "ann")
		p1 := start(t, "w1", &blind{m, "w1"}, w, func(c *worker.Config) {
			c.Tenants[0].Conferences, c.Tenants[0].Schedule = []string{"c1"}, schedule
		})
		elapse(2500 * time.Millisecond)
		slow := &late{w, make(chan struct{})}
		p2 := start(t, "w2", &blind{m, "w2"}, w, func(c *worker.Config) {
			c.Tenants[0].Conferences, c.Tenants[0].Schedule = []string{"c1"}, schedule
			c.Tenants[0].Asker = &poller.Poller{Source: slow, Tenant: "acme"}
		})
		elapse(100 * time.Millisecond)
		w.set("c1", "ann", "bob")
		elapse(time.Second) // the first worker asks and stores that bob has joined
		expect(t, m, "c1", "meeting.started", "participant.joined ann", "participant.joined bob")
		close(slow.gate)
		elapse(time.Minute)
		expect(t, m, "c1", "meeting.started", "participant.joined ann", "participant.joined bob")
		lawful(t, m, "c1")
		w.set("c1", "ann", "bob", "cid")
		elapse(time.Minute)
		expect(t, m, "c1", "meeting.started", "participant.joined ann", "participant.joined bob", "participant.joined cid")
		p1.stop(t)
		p2.stop(t)
	})
}
