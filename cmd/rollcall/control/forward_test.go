package control_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/nats-io/nats.go"

	"rollcall/cmd/rollcall/control"
	"rollcall/internal/natstest"
)

// even and odd hold a shard each.
func even(id string) bool { return len(id)%2 == 0 }
func odd(id string) bool  { return !even(id) }

func TestAnyWorkerMayBeAsked(t *testing.T) {
	s := natstest.Start(t)
	one, two := newFake(), newFake()
	one.holds, one.shards = even, []int{0}
	two.holds, two.shards = odd, []int{1}
	tenant := control.Tenant{Name: "acme", Shards: 2}
	serve(t, s, one, tenant)
	other := serve(t, s, two, tenant)
	c := client(t, s)
	var all sync.WaitGroup
	for n := range 40 {
		all.Go(func() {
			id := strings.Repeat("x", n+1)
			got, err := c.Track(t.Context(), id)
			if err != nil || got.ConferenceID != id || !got.Tracked {
				t.Errorf("track %d: %+v, %v", n, got, err)
			}
		})
	}
	all.Wait()
	list, err := c.List(t.Context())
	if err != nil || list.Incomplete || len(list.Meetings) != 40 {
		t.Errorf("%d meetings, incomplete %v, %v", len(list.Meetings), list.Incomplete, err)
	}
	for _, f := range []*fake{one, two} {
		f.set(func() {
			if len(f.tracked) != 20 {
				t.Errorf("one of two tracks %d", len(f.tracked))
			}
		})
	}
	// Errors come back as they are, whoever is asked.
	for range 10 {
		if _, err := c.Untrack(t.Context(), "unheard-of"); codeOf(err) != control.NotTracked {
			t.Errorf("untrack: %v", err)
		}
	}
	other.Stop()
	list, err = c.List(t.Context())
	if err != nil || !list.Incomplete || len(list.Meetings) != 20 {
		t.Errorf("without the other: %d meetings, incomplete %v, %v", len(list.Meetings), list.Incomplete, err)
	}
}

func TestNobodyHoldsTheShard(t *testing.T) {
	t.Parallel() // it waits for a deadline
	s := natstest.Start(t)
	f := newFake()
	f.holds, f.shards = func(string) bool { return false }, nil
	serve(t, s, f)
	_, err := client(t, s).Show(t.Context(), "c1")
	if codeOf(err) != control.NotHeld || !strings.Contains(err.Error(), "c1") {
		t.Errorf("show: %v", err)
	}
}

func TestAShardThatIsJustTakenOver(t *testing.T) {
	s := natstest.Start(t)
	f := newFake()
	asked := 0
	f.holds = func(string) bool { // it is claimed after the second question
		f.mu.Lock()
		defer f.mu.Unlock()
		asked++
		return asked > 2
	}
	serve(t, s, f)
	if got, err := client(t, s).Track(t.Context(), "c1"); err != nil || !got.Tracked {
		t.Errorf("track: %+v, %v", got, err)
	}
}

func TestWhatWasPassedOnIsDoneOnceAndNotPassedOn(t *testing.T) {
	s := natstest.Start(t)
	f := newFake()
	f.deaf = make(chan struct{})
	serve(t, s, f)
	away := newFake()
	away.holds = func(string) bool { return false }
	serve(t, s, away)
	conn := s.Connect(t)
	var passed []string
	var mu sync.Mutex
	if _, err := conn.Subscribe("rollcall.MEETINGS.shard.acme.>", func(m *nats.Msg) {
		mu.Lock()
		passed = append(passed, m.Reply)
		mu.Unlock()
	}); err != nil {
		t.Fatal(err)
	}
	answers := make(chan *nats.Msg, 100)
	inbox := conn.NewInbox()
	if _, err := conn.ChanSubscribe(inbox, answers); err != nil {
		t.Fatal(err)
	}
	pass := func() {
		if err := conn.PublishRequest("rollcall.MEETINGS.shard.acme.track", inbox, []byte(`{"conferenceId":"c1"}`)); err != nil {
			t.Fatal(err)
		}
	}
	for range 5 {
		pass()
	}
	await(t, "the silent worker", func() bool { return away.count("track c1") > 0 })
	await(t, "the order", func() bool { return f.count("track c1") == 1 })
	close(f.deaf)
	if m := <-answers; !strings.Contains(string(m.Data), `"tracked":true`) {
		t.Errorf("the answer is %s", m.Data)
	}
	if n := f.count("track c1"); n != 1 {
		t.Errorf("it was done %d times", n)
	}
	mu.Lock()
	defer mu.Unlock()
	for _, reply := range passed {
		if reply != inbox {
			t.Errorf("it was passed on to answer %s", reply)
		}
	}
	// Garbage between workers is met with silence, not with a crash.
	for _, data := range []string{"garbage", "", fmt.Sprintf("%5000s", "")} {
		if err := conn.PublishRequest("rollcall.MEETINGS.shard.acme.show", conn.NewInbox(), []byte(data)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := client(t, s).List(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestTheDeadlineHoldsForADeafWorker(t *testing.T) {
	t.Parallel() // it waits for a deadline
	s := natstest.Start(t)
	f := newFake()
	f.deaf = make(chan struct{})
	serve(t, s, f)
	c := client(t, s)
	_, err := c.Show(t.Context(), "c1")
	if codeOf(err) != control.Unavailable || !strings.Contains(err.Error(), "not done in time") {
		t.Errorf("show: %v", err)
	}
	close(f.deaf)
}
