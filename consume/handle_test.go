package consume_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"rollcall"
	"rollcall/consume"
)

// handled is what a handler was passed, and a signal for each.
type handled struct {
	t     *testing.T
	again chan struct{}
	stop  func()

	mu      sync.Mutex
	events  []consume.Event
	trouble []error
	fails   func(consume.Event) error // nil: nothing fails
}

// handle starts a [consume.Handle]; stop ends it and waits.
func handle(t *testing.T, js jetstream.JetStream, d consume.Durable, fails func(consume.Event) error) *handled {
	t.Helper()
	h := &handled{t: t, again: make(chan struct{}, 1), fails: fails}
	if d.Name == "" {
		d.Name = "test"
	}
	d.OnTrouble = func(err error) {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.trouble = append(h.trouble, err)
		h.signal()
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- consume.Handle(ctx, js.Conn(), d, h.handle) }()
	h.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Handle ended with %v", err)
		}
	})
	t.Cleanup(h.stop)
	return h
}

func (h *handled) handle(_ context.Context, e consume.Event) error {
	h.mu.Lock()
	fails := h.fails
	h.mu.Unlock()
	if fails != nil {
		if err := fails(e); err != nil {
			return err
		}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.events = append(h.events, e)
	h.signal()
	return nil
}

func (h *handled) signal() {
	select {
	case h.again <- struct{}{}:
	default:
	}
}

// until waits until that many events were handled.
func (h *handled) until(n int) {
	h.t.Helper()
	h.when(fmt.Sprintf("%d events", n), func() bool { return len(h.events) >= n })
}

func (h *handled) when(what string, is func() bool) {
	h.t.Helper()
	limit := time.After(time.Minute)
	for {
		h.mu.Lock()
		now, trouble, n := is(), slices.Clone(h.trouble), len(h.events)
		h.mu.Unlock()
		if now {
			return
		}
		select {
		case <-h.again:
		case <-limit:
			h.t.Fatalf("after a minute still not %s; %d events, trouble: %v", what, n, trouble)
		}
	}
}

// of are the sequences handled of a meeting: "1 2 3".
func (h *handled) of(meeting string) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	var all []string
	for _, e := range h.events {
		if e.ConferenceID == meeting {
			all = append(all, fmt.Sprint(e.Sequence))
		}
	}
	return strings.Join(all, " ")
}

// last is the sequence of a meeting's last event; h.mu is held.
func (h *handled) last(meeting string) (last uint64) {
	for _, e := range h.events {
		if e.ConferenceID == meeting {
			last = e.Sequence
		}
	}
	return last
}

func (h *handled) troubles() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return fmt.Sprint(h.trouble)
}

// upTo is "1 2 3" for 3.
func upTo(n uint64) string { return fromTo(1, n) }

func fromTo(first, last uint64) string {
	var all []string
	for i := first; i <= last; i++ {
		all = append(all, fmt.Sprint(i))
	}
	return strings.Join(all, " ")
}

func (w *world) sequence(meeting string) uint64 { return w.records[meeting].Record.Sequence }

func (w *world) kv(name string) jetstream.KeyValue {
	w.t.Helper()
	kv, err := w.js.CreateOrUpdateKeyValue(w.t.Context(), jetstream.KeyValueConfig{Bucket: name})
	if err != nil {
		w.t.Fatal(err)
	}
	return kv
}

// acknowledged waits until all that was delivered is acknowledged.
func (w *world) acknowledged(consumer string) {
	w.t.Helper()
	for range 1000 {
		c, err := w.js.Consumer(w.t.Context(), names.Stream, consumer)
		if err != nil {
			w.t.Fatal(err)
		}
		if c.CachedInfo().NumAckPending == 0 {
			return
		}
		<-time.After(10 * time.Millisecond)
	}
	w.t.Fatal("not all is acknowledged")
}

func TestEveryEventIsHandledInOrderOverRestartsOfAll(t *testing.T) {
	w := newWorld(t)
	d := consume.Durable{Checkpoint: consume.KVCheckpoint(w.kv("positions")), Parallel: 3}
	var seen []consume.Event
	h := handle(t, w.server.JetStream(t), d, nil)
	for i := range 12 {
		for _, meeting := range []string{"c.1", "c2"} {
			w.listed(meeting, answer(fmt.Sprint("p", i)))
		}
		switch i {
		case 3, 7:
			h.stop()
			seen = append(seen, h.events...)
			h = handle(t, w.server.JetStream(t), d, nil)
		case 5:
			w.server.Restart()
			w.open()
		}
	}
	total := int(w.sequence("c.1") + w.sequence("c2"))
	h.when("whole", func() bool {
		return len(h.events)+len(seen) >= total && h.last("c.1") == w.sequence("c.1") && h.last("c2") == w.sequence("c2")
	})
	h.stop()
	h.events = append(seen, h.events...)
	for _, meeting := range []string{"c.1", "c2"} {
		// Whoever is stopped between an effect and its checkpoint handles it again.
		if got := strings.Join(slices.Compact(strings.Fields(h.of(meeting))), " "); got != upTo(w.sequence(meeting)) {
			t.Errorf("%s: %s", meeting, got)
		}
	}
}

func TestHandleWaitsForTheStream(t *testing.T) {
	w := newWorld(t)
	if err := w.js.DeleteStream(t.Context(), names.Stream); err != nil {
		t.Fatal(err)
	}
	h := handle(t, w.js, consume.Durable{}, nil)
	h.when("in trouble", func() bool { return len(h.trouble) > 0 })
	w.openAgain()
	w.listed("c1", answer("ann"))
	h.until(int(w.sequence("c1")))
}

func TestAnErrorHoldsBackItsMeetingAndNoOther(t *testing.T) {
	w := newWorld(t)
	w.listed("c1", answer("ann", "bob"))
	w.listed("c2", answer("ann", "bob"))
	release := make(chan struct{})
	h := handle(t, w.js, consume.Durable{Retry: time.Millisecond, Tries: -1}, func(e consume.Event) error {
		select {
		case <-release:
			return nil
		default:
		}
		if e.ConferenceID == "c1" && e.Sequence == 2 {
			return errors.New("not now")
		}
		return nil
	})
	w.listed("c1", answer("cid"))
	w.listed("c2", answer("cid"))
	h.until(1 + int(w.sequence("c2")))
	h.when("held back", func() bool { return len(h.trouble) > 3 })
	if got := h.of("c1"); got != "1" {
		t.Errorf("handled of the meeting held back: %s", got)
	}
	close(release)
	h.until(int(w.sequence("c1") + w.sequence("c2")))
	for _, meeting := range []string{"c1", "c2"} {
		if got := h.of(meeting); got != upTo(w.sequence(meeting)) {
			t.Errorf("%s: %s", meeting, got)
		}
	}
	if got := h.troubles(); !strings.Contains(got, `meeting "c1" of tenant acme is held back: not now`) {
		t.Error(got)
	}
}

func TestPoisonIsSetAsideWithItsReason(t *testing.T) {
	w := newWorld(t)
	w.listed("c1", answer("ann", "bob"))
	kv := w.kv("aside")
	var mu sync.Mutex
	tries := 0
	h := handle(t, w.js, consume.Durable{Retry: time.Millisecond, Tries: 3, SetAside: consume.AsideIn(kv)}, func(e consume.Event) error {
		if e.Sequence == 2 {
			mu.Lock()
			defer mu.Unlock()
			if tries++; tries == 3 {
				panic("what is this?")
			}
			return errors.New("no")
		}
		return nil
	})
	last := w.sequence("c1")
	h.until(int(last) - 1)
	if got, want := h.of("c1"), "1 "+fromTo(3, last); got != want {
		t.Errorf("handled %s, want %s", got, want)
	}
	h.when("told", func() bool { return len(h.trouble) >= 3 })
	var poison *consume.Poison
	if !errors.As(h.trouble[2], &poison) || poison.Tries != 3 || poison.Event.Sequence != 2 || !strings.Contains(poison.Error(), "what is this?") {
		t.Errorf("trouble: %v", h.trouble)
	}
	keys, err := kv.Keys(t.Context())
	if err != nil || len(keys) != 2 {
		t.Fatalf("set aside: %v, %v", keys, err)
	}
	slices.Sort(keys)
	data, _ := kv.Get(t.Context(), keys[0])
	reason, _ := kv.Get(t.Context(), keys[1])
	if e, err := consume.Parse(data.Value()); err != nil || e.Sequence != 2 || !strings.Contains(string(reason.Value()), "what is this?") {
		t.Errorf("set aside %v, %v, because of %s", e, err, reason.Value())
	}
}

func TestWhatCannotBeReadIsSetAsideAtOnce(t *testing.T) {
	w := newWorld(t)
	w.listed("c1", answer("ann"))
	for _, data := range []string{"no event", `{"specversion":"1.0","dataschema":"rollcall:event:2"}`} {
		if _, err := w.js.Publish(t.Context(), names.Commit(names.Event("acme", "c1", rollcall.MeetingStarted)), []byte(data)); err != nil {
			t.Fatal(err)
		}
	}
	w.listed("c1", answer("bob"))
	h := handle(t, w.js, consume.Durable{}, nil)
	h.until(int(w.sequence("c1")))
	if got := h.of("c1"); got != upTo(w.sequence("c1")) {
		t.Error(got)
	}
	if len(h.trouble) != 2 || !errors.Is(h.trouble[1], consume.ErrNewer) || !strings.Contains(h.troubles(), `"c1"`) {
		t.Errorf("trouble: %v", h.trouble)
	}
}

func TestTheStreamMadeAnewIsSaidAndHandled(t *testing.T) {
	w := newWorld(t)
	w.listed("c1", answer("ann"))
	h := handle(t, w.js, consume.Durable{}, nil)
	before := int(w.sequence("c1"))
	h.until(before)
	if err := w.js.DeleteStream(t.Context(), names.Stream); err != nil {
		t.Fatal(err)
	}
	w.records = map[string]storedRecord{}
	w.openAgain()
	w.listed("c1", answer("bob"))
	h.until(before + int(w.sequence("c1")))
	if got := h.troubles(); !strings.Contains(got, "made anew") {
		t.Error(got)
	}
}

func TestAConsumerThatIsGoneIsMadeAnewWhereItWas(t *testing.T) {
	w := newWorld(t)
	w.listed("c1", answer("ann"))
	h := handle(t, w.js, consume.Durable{}, nil)
	h.until(int(w.sequence("c1")))
	if err := w.js.DeleteConsumer(t.Context(), names.Stream, "test"); err != nil {
		t.Fatal(err)
	}
	w.listed("c1", answer("bob"))
	h.until(int(w.sequence("c1")))
	if got := h.of("c1"); got != upTo(w.sequence("c1")) {
		t.Error(got)
	}
}

// A process that dies has taken events that it never acknowledged. They come
// again behind those that are new, and are handled before them.
func TestWhatADeadProcessHadTakenIsHandledFirst(t *testing.T) {
	for name, checkpoint := range map[string]bool{"with a checkpoint": true, "without": false} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			d := consume.Durable{Name: "test"}
			if checkpoint {
				d.Checkpoint = consume.KVCheckpoint(w.kv("positions"))
			}
			h := handle(t, w.js, d, nil)
			w.listed("c1", answer("ann"))
			first := w.sequence("c1")
			h.until(int(first))
			w.acknowledged("test")
			h.stop()
			consumer, err := w.js.Consumer(t.Context(), names.Stream, "test")
			if err != nil {
				t.Fatal(err)
			}
			w.listed("c1", answer("bob"))
			w.listed("c2", answer("bob"))
			batch, err := consumer.Fetch(100, jetstream.FetchMaxWait(time.Second))
			if err != nil {
				t.Fatal(err)
			}
			n := 0
			for range batch.Messages() {
				n++ // and nothing is acknowledged
			}
			w.listed("c1", answer("cid"))
			if after := int(w.sequence("c1") - first); n == 0 || n >= after+int(w.sequence("c2")) {
				t.Fatalf("%d taken, %d after", n, after)
			}
			h = handle(t, w.js, d, nil)
			h.until(int(w.sequence("c1") - first + w.sequence("c2")))
			h.stop()
			if got, want := h.of("c1"), fromTo(first+1, w.sequence("c1")); got != want {
				t.Errorf("handled %s, want %s", got, want)
			}
			if got, want := h.of("c2"), upTo(w.sequence("c2")); got != want {
				t.Errorf("handled %s, want %s", got, want)
			}
		})
	}
}

// A database that was restored from a backup lies behind what NATS has been
// told: the events in between are read from the stream.
func TestACheckpointThatLiesBehindCatchesUp(t *testing.T) {
	w := newWorld(t)
	kv := w.kv("positions")
	d := consume.Durable{Checkpoint: consume.KVCheckpoint(kv)}
	h := handle(t, w.js, d, nil)
	w.listed("c1", answer("ann", "bob"))
	h.until(int(w.sequence("c1")))
	w.acknowledged("test")
	h.stop()
	if _, err := kv.PutString(t.Context(), "acme.c1", fmt.Sprintf("%d-2", w.records["c1"].Record.Epoch)); err != nil {
		t.Fatal(err)
	}
	w.listed("c1", answer("cid"))
	h = handle(t, w.js, d, nil)
	h.until(int(w.sequence("c1")) - 2)
	if got, want := h.of("c1"), fromTo(3, w.sequence("c1")); got != want {
		t.Errorf("handled %s, want %s", got, want)
	}
}

func TestEventsThatHaveLeftTheStreamAreTold(t *testing.T) {
	w := newWorld(t)
	d := consume.Durable{Checkpoint: consume.KVCheckpoint(w.kv("positions"))}
	h := handle(t, w.js, d, nil)
	w.listed("c1", answer("ann"))
	first := w.sequence("c1")
	h.until(int(first))
	w.acknowledged("test")
	h.stop()
	w.listed("c1", answer("bob"))
	gone := w.sequence("c1")
	stream, err := w.js.Stream(t.Context(), names.Stream)
	if err != nil {
		t.Fatal(err)
	}
	if err := stream.Purge(t.Context(), jetstream.WithPurgeSubject(names.Prefix+".event.>")); err != nil {
		t.Fatal(err)
	}
	w.listed("c1", answer("cid"))
	h = handle(t, w.js, d, nil)
	h.until(int(w.sequence("c1") - gone))
	var gap *consume.GapError
	if len(h.trouble) != 1 || !errors.As(h.trouble[0], &gap) || gap.Want != first+1 || gap.Got != gone+1 {
		t.Errorf("trouble: %v", h.trouble)
	}
}

func TestWhatIsPassedToTheHandler(t *testing.T) {
	w := newWorld(t)
	w.listed("c1", answer("ann"))
	baseline := w.sequence("c1")
	w.listed("c1", answer("ann", "bob"))
	w.listed("c2", answer("cid"))
	last := w.sequence("c1")
	h := handle(t, w.js, consume.Durable{Name: "observed", SkipBaseline: true, Tenant: "acme"}, nil)
	h.until(int(last - baseline))
	if got, want := h.of("c1"), fromTo(baseline+1, last); got != want || h.of("c2") != "" {
		t.Errorf("handled %s, want %s; %s", got, want, h.of("c2"))
	}
	h = handle(t, w.js, consume.Durable{Name: "joined", Types: []rollcall.Type{rollcall.ParticipantJoined}, ConferenceID: "c2"}, nil)
	h.until(1)
	if h.events[0].Participant.UserID != "cid" {
		t.Errorf("%+v", h.events)
	}
	h = handle(t, w.js, consume.Durable{Name: "new"}.ReplayFrom(time.Now()), nil)
	for _, err := w.js.Consumer(t.Context(), names.Stream, "new"); err != nil; _, err = w.js.Consumer(t.Context(), names.Stream, "new") {
		<-time.After(10 * time.Millisecond)
	}
	w.listed("c1", answer("dan"))
	h.until(int(w.sequence("c1") - last))
	if got, want := h.of("c1"), fromTo(last+1, w.sequence("c1")); got != want {
		t.Errorf("handled %s, want %s", got, want)
	}
}

func TestWhatCannotBeHandledIsRefused(t *testing.T) {
	w := newWorld(t)
	nop := func(context.Context, consume.Event) error { return nil }
	if _, err := w.js.CreateConsumer(t.Context(), names.Stream, jetstream.ConsumerConfig{Durable: "other", FilterSubject: "meetings.state.>"}); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"": "no name", "a.b": "a.b", "other": "choose another name"} {
		if err := consume.Handle(t.Context(), w.js.Conn(), consume.Durable{Name: name}, nop); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", name, err)
		}
	}
}
