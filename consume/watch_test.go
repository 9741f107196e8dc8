package consume_test

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/nats-io/nats.go/jetstream"

	"rollcall"
	"rollcall/consume"
	"rollcall/differ"
	"rollcall/internal/ledger"
	"rollcall/wire"
)

// watched is what a watch tells, and a signal whenever it tells something.
type watched struct {
	*consume.Meetings
	t     *testing.T
	again chan struct{}

	mu      sync.Mutex
	updates []consume.Update
	trouble []error
}

func watch(t *testing.T, w *world, o consume.Options) *watched {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	seen := &watched{t: t, again: make(chan struct{}, 1)}
	o.OnChange = func(u consume.Update) {
		seen.mu.Lock()
		defer seen.mu.Unlock()
		seen.updates = append(seen.updates, u)
		seen.signal()
	}
	o.OnTrouble = func(err error) {
		seen.mu.Lock()
		defer seen.mu.Unlock()
		seen.trouble = append(seen.trouble, err)
		seen.signal()
	}
	meetings, err := consume.Watch(ctx, w.server.JetStream(t).Conn(), o)
	if err != nil {
		t.Fatal(err)
	}
	seen.Meetings = meetings
	select {
	case <-meetings.Synced():
	case <-time.After(time.Minute):
		t.Fatal("not synced after a minute")
	}
	return seen
}

func (s *watched) signal() {
	select {
	case s.again <- struct{}{}:
	default:
	}
}

// until waits until what is told makes it true.
func (s *watched) until(what string, is func() bool) {
	s.t.Helper()
	limit := time.After(time.Minute)
	for !is() {
		select {
		case <-s.again:
		case <-limit:
			s.t.Fatalf("after a minute still not %s; trouble: %v", what, s.troubles())
		}
	}
}

func (s *watched) troubles() []error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.trouble)
}

func (s *watched) kinds(of consume.Kind) (ids []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, u := range s.updates {
		if u.Kind == of {
			ids = append(ids, u.Meeting.ConferenceID)
		}
	}
	return ids
}

// difference compares what is known with what is stored.
func (s *watched) difference(w *world) string {
	known := map[string][]rollcall.Participant{}
	for _, m := range s.List() {
		known[m.ConferenceID] = m.People
	}
	return cmp.Diff(w.rosters(), known, cmpopts.EquateEmpty())
}

func TestWatchEqualsWhatIsStored(t *testing.T) {
	w := newWorld(t)
	random := rand.New(rand.NewPCG(1, 2))
	meeting := func() string { return fmt.Sprint("c", random.IntN(5)) }
	for range 30 {
		w.listed(meeting(), crowd(random))
	}
	seen := watch(t, w, consume.Options{})
	if diff := seen.difference(w); diff != "" {
		t.Fatalf("at the start:\n%s", diff)
	}
	told := map[string]bool{}
	for i := range 60 {
		for _, e := range w.listed(meeting(), crowd(random)) {
			told[fmt.Sprint(e.ConferenceID, e.Epoch, e.Sequence)] = true
		}
		if i == 20 || i == 40 {
			w.server.Restart()
			w.open()
		}
	}
	w.ended("c0")
	seen.until("equal", func() bool { return seen.difference(w) == "" })
	if n := seen.Repairs(); n != 0 {
		t.Errorf("%d repairs; trouble: %v", n, seen.troubles())
	}
	seen.mu.Lock()
	defer seen.mu.Unlock()
	for _, u := range seen.updates {
		if e := u.Event; u.Kind == consume.Changed {
			delete(told, fmt.Sprint(e.ConferenceID, e.Epoch, e.Sequence))
		}
	}
	if len(told) > 0 {
		t.Errorf("never told: %v", slices.Sorted(maps.Keys(told)))
	}
}

func TestAMissingEventIsRepairedFromTheRecord(t *testing.T) {
	w := newWorld(t)
	w.listed("c1", answer("ann"))
	seen := watch(t, w, consume.Options{})
	msgs, result := w.draft("c1", differ.Look{Kind: rollcall.SightingListed, Answer: answer("ann", "bob", "cid")})
	first, err := w.commits.Commit(context.Background(), msgs[1:]) // as if retention had taken the first
	if err != nil {
		t.Fatal(err)
	}
	s := w.records["c1"]
	s.Record, s.Revision = result.Record, first+uint64(len(msgs))-2
	w.records["c1"] = s
	seen.until("equal", func() bool { return seen.difference(w) == "" })
	if n := seen.Repairs(); n != 1 {
		t.Errorf("%d repairs", n)
	}
	if errs := seen.troubles(); len(errs) != 1 || !strings.Contains(errs[0].Error(), "are missing") {
		t.Errorf("trouble: %v", errs)
	}
	w.listed("c1", answer("bob"))
	seen.until("equal again", func() bool { return seen.difference(w) == "" })
	if n := seen.Repairs(); n != 1 {
		t.Errorf("%d repairs after all is well", n)
	}
}

func TestARecordThatTheEventsDoNotLeadToIsBelieved(t *testing.T) {
	w := newWorld(t)
	w.listed("c1", answer("ann"))
	seen := watch(t, w, consume.Options{})
	s := w.records["c1"]
	changed := *s.Record
	changed.Roster = slices.Clone(changed.Roster)
	changed.Roster[0].Nick = "somebody else"
	s.Record = &changed
	w.records["c1"] = s
	w.look("c1", differ.Look{Kind: rollcall.SightingListed, Answer: func() *rollcall.Answer {
		a := answer("ann")
		a.Entries[0].Nick, a.Title = "somebody else", "another"
		return a
	}()})
	seen.until("equal", func() bool { return seen.difference(w) == "" })
	if errs := seen.troubles(); seen.Repairs() != 1 || len(errs) != 1 || !strings.Contains(errs[0].Error(), "do not lead to its record") {
		t.Errorf("%d repairs, %v", seen.Repairs(), errs)
	}
}

func TestWhereThereIsNoMeetingThatIsToldToo(t *testing.T) {
	seen := watch(t, newWorld(t), consume.Options{})
	select {
	case <-seen.Changed():
	case <-time.After(time.Minute):
		t.Error("a presence light is never set")
	}
}

func TestAStreamMadeAnewIsReadAnew(t *testing.T) {
	w := newWorld(t)
	w.listed("c1", answer("ann"))
	w.listed("c2", answer("ann"))
	seen := watch(t, w, consume.Options{})
	if err := w.js.DeleteStream(t.Context(), names.Stream); err != nil {
		t.Fatal(err)
	}
	w.records = map[string]storedRecord{}
	w.openAgain()
	w.listed("c2", answer("bob"))
	seen.until("equal", func() bool { return seen.difference(w) == "" })
	seen.until("told that c1 is dropped", func() bool { return slices.Equal(seen.kinds(consume.Dropped), []string{"c1"}) })
	if n := seen.Repairs(); n != 0 {
		t.Errorf("%d repairs", n)
	}
}

func TestManyMeetingsAreListed(t *testing.T) {
	w := newWorld(t)
	const many = 1500 // a direct get answers 1,024
	w.crowded(many, answer("ann"))
	seen := watch(t, w, consume.Options{Tenant: "acme"})
	if got := len(seen.List()); got != many {
		t.Errorf("%d meetings, want %d", got, many)
	}
	if got := len(seen.Present("ann")); got != many {
		t.Errorf("ann is present in %d meetings, want %d", got, many)
	}
	one := watch(t, w, consume.Options{Tenant: "acme", ConferenceID: "c7"})
	if list := one.List(); len(list) != 1 || list[0].ConferenceID != "c7" || !list[0].Whole {
		t.Errorf("one meeting: %+v", list)
	}
	if _, ok := one.Get("acme", "c8"); ok {
		t.Error("another meeting is known")
	}
}

func TestHealthIsOfTheStatusAndTheClock(t *testing.T) {
	w := newWorld(t)
	seen := watch(t, w, consume.Options{})
	if h := seen.Health("acme"); !h.Blind || h.Why != consume.WhyUnknown {
		t.Errorf("without a status: %+v", h)
	}
	if _, err := seen.Age("acme"); err == nil {
		t.Error("an age without a status")
	}
	put := func(state string, good time.Duration) {
		t.Helper()
		err := w.commits.PutStatus(t.Context(), "acme", wire.Status{
			Tenant: "acme", State: state, LastGoodPoll: time.Now().Add(-good), LastPass: time.Now(), Pace: 15 * time.Second, Tracked: 3, At: time.Now(),
		})
		if err != nil {
			t.Fatal(err)
		}
		w.listed("c1", answer(fmt.Sprint("p", w.poll)))
		seen.until("equal", func() bool { return seen.difference(w) == "" })
	}
	put(wire.StateOK, 10*time.Second)
	if h := seen.Health("acme"); h.Blind || h.Why != wire.StateOK || h.Age < 10*time.Second {
		t.Errorf("ok: %+v", h)
	} else if h.Pace != 15*time.Second || h.Tracked != 3 || h.LastPass.IsZero() {
		t.Errorf("what the status says besides: %+v", h)
	}
	if got := seen.Tenants(); !slices.Equal(got, []string{"acme"}) {
		t.Errorf("tenants %v", got)
	}
	put(wire.StateOK, time.Hour) // its worker was killed
	if h := seen.Health("acme"); !h.Blind || h.Why != consume.WhySilent {
		t.Errorf("silent: %+v", h)
	}
	put(wire.StateAuth, time.Hour)
	if h := seen.Health("acme"); !h.Blind || h.Why != wire.StateAuth {
		t.Errorf("auth: %+v", h)
	}
}

func TestHealthIsOfWhatIsTold(t *testing.T) {
	w := newWorld(t)
	since := time.Now().Add(-time.Hour).UTC().Truncate(time.Millisecond)
	revisions := map[int]uint64{}
	tell := func(shard int, lost bool, reason rollcall.Reason, after time.Time) {
		t.Helper()
		data, err := wire.EncodeWatching(&wire.Watching{Epoch: 1, Sequence: 1, Lost: lost, After: after, Reason: reason})
		if err != nil {
			t.Fatal(err)
		}
		names := wire.Names{Stream: consume.DefaultStream, Prefix: consume.DefaultPrefix}
		msg := ledger.Message{Subject: names.Watching("acme", shard), Data: data, Guarded: true, Expect: revisions[shard], Rollup: true}
		if revisions[shard], err = w.commits.Commit(t.Context(), []ledger.Message{msg}); err != nil {
			t.Fatal(err)
		}
	}
	good := func(ago time.Duration) {
		t.Helper()
		err := w.commits.PutStatus(t.Context(), "acme", wire.Status{State: wire.StateOK, LastGoodPoll: time.Now().Add(-ago), Pace: 15 * time.Second, At: time.Now()})
		if err != nil {
			t.Fatal(err)
		}
	}
	good(10 * time.Second)
	tell(0, true, rollcall.ReasonThrottled, since.Add(time.Minute))
	tell(1, true, rollcall.ReasonPermission, since)
	for _, again := range []bool{false, true} { // as it stands, and as it changes
		seen := watch(t, w, consume.Options{})
		is := func(what string, blind bool, why string) {
			t.Helper()
			limit := time.After(time.Minute)
			for h := seen.Health("acme"); h.Blind != blind || h.Why != why; h = seen.Health("acme") {
				select {
				case <-seen.Changed():
				case <-limit:
					t.Fatalf("%s: still %+v", what, h)
				}
			}
		}
		is("both", true, "permission")
		if h := seen.Health("acme"); !h.Since.Equal(since) || h.Age > time.Minute {
			t.Errorf("%+v", h)
		}
		if h := seen.Health("acm"); h.Why != consume.WhyUnknown {
			t.Errorf("another tenant: %+v", h)
		}
		if !again {
			continue
		}
		tell(1, false, "", time.Now())
		is("one", true, "throttled")
		good(-time.Second) // the first shard is of a division that is no more
		tell(2, false, "", time.Now())
		is("looked at since", false, wire.StateOK)
	}
}

// busyStream has something happen while the records are being listed.
type busyStream struct {
	jetstream.JetStream
	happen func()
}

func (b busyStream) OrderedConsumer(ctx context.Context, stream string, config jetstream.OrderedConsumerConfig) (jetstream.Consumer, error) {
	consumer, err := b.JetStream.OrderedConsumer(ctx, stream, config)
	return busyConsumer{consumer, b.happen}, err
}

type busyConsumer struct {
	jetstream.Consumer
	happen func()
}

func (b busyConsumer) Messages(opts ...jetstream.PullMessagesOpt) (jetstream.MessagesContext, error) {
	messages, err := b.Consumer.Messages(opts...)
	return &busyMessages{messages, b.happen, 0}, err
}

type busyMessages struct {
	jetstream.MessagesContext
	happen func()
	given  int
}

func (b *busyMessages) Next(opts ...jetstream.NextOpt) (jetstream.Msg, error) {
	if b.given++; slices.Contains([]int{10, 1481}, b.given) {
		b.happen()
	}
	return b.MessagesContext.Next(opts...)
}

// A record that is written anew while the records are listed comes behind them,
// and those of meetings that were listed already come before it.
func TestAListingMissesNothingThatChangesMeanwhile(t *testing.T) {
	w := newWorld(t)
	const many = 1500
	w.crowded(many, answer("ann"))
	for i := range many { // crowded keeps no revisions
		id := fmt.Sprint("c", i)
		if i >= 20 && i < many-20 && i != 50 {
			continue
		}
		m, err := w.stream().GetLastMsgForSubject(t.Context(), names.State("acme", id))
		if err != nil {
			t.Fatal(err)
		}
		s := w.records[id]
		s.Revision = m.Sequence
		w.records[id] = s
	}
	happened := 0
	happen := func() {
		if happened++; happened == 2 { // NATS waits for it behind the records that are gone
			w.listed("c50", answer("bob"))
		}
		if happened > 1 {
			return
		}
		for i := range 20 {
			w.listed(fmt.Sprint("c", i), answer("bob"))
		}
		for i := range 20 {
			w.listed(fmt.Sprint("c", many-1-i), answer("bob"))
		}
	}
	seen := watch(t, w, consume.Options{JetStream: busyStream{w.js, happen}})
	if got := len(seen.List()); got != many {
		t.Errorf("%d meetings are listed, want %d", got, many)
	}
	seen.until("equal", func() bool { return seen.difference(w) == "" })
	if n := seen.Repairs(); n != 0 {
		t.Errorf("%d repairs; trouble: %v", n, seen.troubles())
	}
}
