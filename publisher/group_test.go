package publisher_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"rollcall/internal/ledger"
	"rollcall/internal/natstest"
	"rollcall/publisher"
	"rollcall/store"
)

// meeting returns an event and a record of one meeting's, as a poll of it commits them.
func meeting(name string, expect uint64) []ledger.Message {
	return []ledger.Message{
		{Subject: "meetings.event.acme." + name + ".meeting.started", Data: []byte(name)},
		{Subject: "meetings.state.acme." + name, Data: []byte(name), Guarded: true, Expect: expect, Rollup: true},
	}
}

// held is a stream whose first batch is under way until the test lets it go on.
type held struct {
	*publisher.Publisher
	arrived chan *nats.Msg // the last message of each batch
	first   chan error     // what became of the one that is under way
}

func hold(t *testing.T) *held {
	t.Helper()
	conn := natstest.Start(t).Connect(t)
	h := &held{&publisher.Publisher{Conn: conn, Names: names(), Timeout: time.Minute}, make(chan *nats.Msg, 100), make(chan error, 1)}
	sub, err := conn.Subscribe(names().Commits(), func(m *nats.Msg) {
		if m.Reply != "" {
			h.arrived <- m
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sub.Unsubscribe() })
	go func() {
		_, err := h.Commit(t.Context(), meeting("first", 0))
		h.first <- err
	}()
	return h
}

// acknowledge answers a batch as a stream does that has stored it.
func acknowledge(t *testing.T, m *nats.Msg, last int) {
	t.Helper()
	answer := fmt.Sprintf(`{"stream":"MEETINGS","seq":%d}`, last)
	if id := m.Header.Get("Nats-Batch-Id"); id != "" {
		answer = fmt.Sprintf(`{"stream":"MEETINGS","seq":%d,"batch":%q,"count":%s}`, last, id, m.Header.Get("Nats-Batch-Sequence"))
	}
	if err := m.Respond([]byte(answer)); err != nil {
		t.Error(err)
	}
}

func TestWhatIsReadyMeanwhileIsOneBatch(t *testing.T) {
	h := hold(t)
	under := <-h.arrived
	var all sync.WaitGroup
	firsts := make([]uint64, 3)
	for i := range firsts {
		all.Go(func() {
			var err error
			if firsts[i], err = h.Commit(t.Context(), meeting(fmt.Sprint(i), 0)); err != nil {
				t.Error(err)
			}
		})
	}
	publisher.AwaitQueued(h.Publisher, 3)
	acknowledge(t, under, 2)
	group := <-h.arrived
	if n := group.Header.Get("Nats-Batch-Sequence"); n != "6" {
		t.Errorf("the batch has %s messages, want those of all three", n)
	}
	acknowledge(t, group, 8)
	all.Wait()
	if err := <-h.first; err != nil {
		t.Error(err)
	}
	if sum := firsts[0] + firsts[1] + firsts[2]; sum != 3+5+7 {
		t.Errorf("the first messages are %v, want 3, 5 and 7 in some order", firsts)
	}
}

func TestWhatWaitsCanBeGivenUp(t *testing.T) {
	h := hold(t)
	under := <-h.arrived
	ctx, cancel := context.WithCancel(t.Context())
	given := make(chan error)
	go func() {
		_, err := h.Commit(ctx, meeting("second", 0))
		given <- err
	}()
	publisher.AwaitQueued(h.Publisher, 1)
	cancel()
	err := <-given
	expect(t, "given up", err, ledger.ErrBusy)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("%v does not say why", err)
	}
	acknowledge(t, under, 2)
	if err := <-h.first; err != nil || len(h.arrived) != 0 {
		t.Errorf("%v, and %d more batches", err, len(h.arrived))
	}
}

func TestWhatIsGivenUpBeforeIsNeverSent(t *testing.T) {
	js := natstest.Start(t).JetStream(t)
	p := real(t, js, store.StreamConfig{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 200 {
		_, err := p.Commit(ctx, meeting("c", 0))
		expect(t, "given up before", err, ledger.ErrBusy)
	}
	if last := lastSequence(t, js); last != 0 {
		t.Errorf("%d messages were stored", last)
	}
}

// Whoever leaves takes nothing from those who share the batch; when all have
// left nobody waits for the broker.
func TestABatchLastsAsLongAsAnyoneWantsIt(t *testing.T) {
	h := hold(t)
	under := <-h.arrived
	leave := make([]context.CancelFunc, 2)
	outcomes := make(chan error, 2)
	for i := range leave {
		var ctx context.Context
		ctx, leave[i] = context.WithCancel(t.Context())
		go func() {
			_, err := h.Commit(ctx, meeting(fmt.Sprint(i), 0))
			outcomes <- err
		}()
	}
	publisher.AwaitQueued(h.Publisher, 2)
	acknowledge(t, under, 2)
	group := <-h.arrived
	leave[0]()
	acknowledge(t, group, 6)
	for range leave {
		if err := <-outcomes; err != nil {
			t.Errorf("one left, and the batch was stored: %v", err)
		}
	}
	leave[1]()
}

func TestWhenAllHaveLeftNobodyWaits(t *testing.T) {
	h := hold(t)
	<-h.arrived
	ctx, leave := context.WithCancel(t.Context())
	h2 := &publisher.Publisher{Conn: h.Conn, Names: h.Names, Timeout: time.Hour}
	outcome := make(chan error)
	go func() {
		_, err := h2.Commit(ctx, meeting("other", 0))
		outcome <- err
	}()
	<-h.arrived
	leave()
	expect(t, "left", <-outcome, ledger.ErrUnknown)
}

// Under constant staleness each caller has the outcome of its own messages, as
// if it were alone, and what the stream holds is what they were told.
func TestTheStaleAreRefusedAlone(t *testing.T) {
	js := natstest.Start(t).JetStream(t)
	p := real(t, js, store.StreamConfig{})
	const callers, commits = 12, 20
	var all sync.WaitGroup
	var mu sync.Mutex
	stored := make(map[uint64]string)
	for c := range callers {
		name, luck := fmt.Sprintf("m%d", c), rand.New(rand.NewPCG(1, uint64(c)))
		all.Go(func() {
			revision := uint64(0)
			for range commits {
				expected := revision
				if luck.IntN(4) == 0 {
					expected += 7
				}
				first, err := p.Commit(minute(t), meeting(name, expected))
				if expected != revision {
					expect(t, "stale", err, ledger.ErrStale)
					continue
				}
				if err != nil {
					t.Errorf("%s: %v", name, err)
					return
				}
				revision = first + 1
				mu.Lock()
				stored[first] = name
				mu.Unlock()
			}
		})
	}
	all.Wait()
	stream, err := js.Stream(t.Context(), names().Stream)
	if err != nil {
		t.Fatal(err)
	}
	for at, name := range stored {
		m, err := stream.GetMsg(t.Context(), at)
		if err != nil || string(m.Data) != name {
			t.Errorf("at %d: %v, want the event of %s (%v)", at, m, name, err)
		}
	}
	if last := lastSequence(t, js); last != uint64(2*len(stored)) {
		t.Errorf("%d messages, want the %d that were acknowledged", last, 2*len(stored))
	}
}

// Two that write one subject are not to blame for one another.
func TestThoseWhoWriteOneSubjectShareNoBatch(t *testing.T) {
	js := natstest.Start(t).JetStream(t)
	p := real(t, js, store.StreamConfig{})
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			if _, err := p.Commit(minute(t), []ledger.Message{{Subject: "meetings.status.acme", Rollup: true}}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if last := lastSequence(t, js); last != 16 {
		t.Errorf("%d were stored, want 16", last)
	}
}
