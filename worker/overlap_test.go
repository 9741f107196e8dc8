package worker_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"rollcall"
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

// obstinate goes on seeing the claim that it saw first.
type obstinate struct {
	blind
	first atomic.Pointer[ledger.Claim]
}

func (o *obstinate) Claim(ctx context.Context, tenant string, shard int, holder string) (ledger.Claim, error) {
	c, err := o.blind.Claim(ctx, tenant, shard, holder)
	if err == nil {
		o.first.Store(&c)
	}
	return c, err
}

func (o *obstinate) Holder(ctx context.Context, tenant string, shard int) (ledger.Claim, error) {
	if c := o.first.Load(); c != nil {
		return *c, nil
	}
	return o.blind.Holder(ctx, tenant, shard)
}

// breathless takes no heartbeats, where it is told so.
type breathless struct {
	blind
	ill atomic.Bool
}

func (b *breathless) Heartbeat(ctx context.Context, id string, info []byte, ttl time.Duration) error {
	if b.ill.Load() {
		return errors.New("the bucket of the workers is full")
	}
	return b.blind.Heartbeat(ctx, id, info, ttl)
}

// heldBy waits until a worker has claimed the shard.
func heldBy(t *testing.T, m *ledgertest.Memory, id string) {
	t.Helper()
	for tries := 0; ; tries++ {
		claim, err := m.Holder(t.Context(), "acme", 0)
		if err == nil && claim.Holder == id {
			return
		}
		if elapse(10 * time.Millisecond); tries == 10_000 {
			t.Fatalf("the shard is held by %+v, %v", claim, err)
		}
	}
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
		p1 := start(t, "w1", &obstinate{blind: blind{m, "w1"}}, w, func(c *worker.Config) {
			c.Tenants[0].Conferences, c.Tenants[0].Schedule = []string{"c1"}, schedule
		})
		elapse(2500 * time.Millisecond)
		slow := &late{w, make(chan struct{})}
		p2 := start(t, "w2", &blind{m, "w2"}, w, func(c *worker.Config) {
			c.Tenants[0].Conferences, c.Tenants[0].Schedule = []string{"c1"}, schedule
			c.Tenants[0].Asker = &poller.Poller{Source: slow, Tenant: "acme"}
		})
		heldBy(t, m, "w2")
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

// A record that another worker has written under an older term is overlapped by the
// questions that were under way, and by no later one, though it is read again and again.
func TestAnswersCountWhileHeartbeatsFail(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, m := newWorld(), ledgertest.NewMemory(names)
		schedule, err := poller.ParseSchedule("@every 1s", "UTC")
		if err != nil {
			t.Fatal(err)
		}
		quick := func(c *worker.Config) { c.Tenants[0].Conferences, c.Tenants[0].Schedule = []string{"c1"}, schedule }
		w.set("c1", "ann")
		p1 := start(t, "w1", &obstinate{blind: blind{m, "w1"}}, w, quick)
		elapse(2500 * time.Millisecond)
		ill, slow := &breathless{blind: blind{m, "w2"}}, &late{w, make(chan struct{})}
		p2 := start(t, "w2", ill, w, func(c *worker.Config) {
			quick(c)
			c.Tenants[0].Asker = &poller.Poller{Source: slow, Tenant: "acme"}
		})
		heldBy(t, m, "w2")
		w.set("c1", "ann", "bob")
		elapse(time.Second) // the first worker asks and stores that bob has joined
		expect(t, m, "c1", "meeting.started", "participant.joined ann", "participant.joined bob")
		ill.ill.Store(true)
		p1.kill()
		<-p1.ended
		elapse(10 * time.Second)
		close(slow.gate)
		w.set("c1", "ann", "bob", "cid")
		elapse(5 * time.Minute)
		expect(t, m, "c1", "meeting.started", "participant.joined ann", "participant.joined bob", "participant.joined cid")
		p2.stop(t)
	})
}

// TestAnOlderAnswerInAJournalIsDropped: a worker claims the shard, asks, and is killed with
// the answer in its journal; meanwhile the one before it, which has not heard of the claim,
// asks later and stores what it hears. The journal's answer is the older one, though its
// number is higher.
func TestAnOlderAnswerInAJournalIsDropped(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, m, j := newWorld(), ledgertest.NewMemory(names), &paper{}
		w.set("c1", "ann")
		schedule, err := poller.ParseSchedule("@every 1s", "UTC")
		if err != nil {
			t.Fatal(err)
		}
		p := start(t, "w1", &blind{m, "w1"}, w, func(c *worker.Config) {
			c.Tenants[0].Conferences, c.Tenants[0].Schedule = []string{"c1"}, schedule
		})
		elapse(time.Minute + 500*time.Millisecond)
		claim, err := m.Claim(t.Context(), "acme", 0, "w2")
		if err != nil {
			t.Fatal(err)
		}
		raw, err := json.Marshal(w.meetings["c1"])
		if err != nil {
			t.Fatal(err)
		}
		j.leave("acme#0/1", &rollcall.Observation{
			Tenant: "acme", Number: rollcall.Number{Term: claim.Term, Poll: 1}, AskedAt: time.Now(), AnsweredAt: time.Now(),
			Sightings: []rollcall.Sighting{{ConferenceID: "c1", Kind: rollcall.SightingListed, Answer: w.Decode(raw)}},
		})
		w.set("c1", "ann", "bob")
		elapse(time.Second)
		if r := record(t, m, "c1"); r.Number.Term >= claim.Term || keys(r) != "ann bob" {
			t.Fatalf("%q were stored in term %d, want what the one before heard, before term %d", keys(r), r.Number.Term, claim.Term)
		}
		p.kill()
		<-p.ended
		p = start(t, "w2", &wrapped{Memory: m}, w, journaled(j, "c1"))
		elapse(time.Minute)
		expect(t, m, "c1", "meeting.started", "participant.joined ann", "participant.joined bob")
		lawful(t, m, "c1")
		p.stop(t)
	})
}

// TestAJournalBehindATornBatchIsTold: what a worker has heard after a batch that was stored
// in part waits in its journal. The epoch is closed at the next start, and the record that
// says so is no later look at the meeting.
func TestAJournalBehindATornBatchIsTold(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, m, j := newWorld(), ledgertest.NewMemory(names), &paper{}
		w.set("c1", "ann")
		p := start(t, "w1", m, w, journaled(j, "c1"))
		elapse(time.Minute)
		p.stop(t)
		l := &tears{Memory: m, err: ledger.ErrUnknown, dies: true}
		l.next.Store(1)
		w.set("c1", "ann", "bob")
		p = start(t, "w1", l, w, journaled(j, "c1"))
		elapse(time.Minute)
		w.set("c1", "ann", "bob", "cid")
		elapse(time.Minute)
		w.set("c1", "ann", "bob")
		elapse(time.Minute)
		p.kill()
		<-p.ended
		p = start(t, "w1", m, w, journaled(j, "c1"))
		elapse(time.Minute)
		p.stop(t)
		unique(t, m, "c1")
		if told := tell(events(t, m, "c1")); !slices.Contains(told, "participant.joined cid") || !slices.Contains(told, "participant.left cid") {
			t.Errorf("the visit in the journal is not told: %v", told)
		}
	})
}
