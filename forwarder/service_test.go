package forwarder

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"

	"rollcall"
	"rollcall/forwarder/note"
	"rollcall/forwarder/target"
)

// chat is a service with robots that keep the real limit: 20 messages in any
// minute, then silence for ten, in which every message is refused.
type chat struct {
	mu        sync.Mutex
	shown     []shown
	ids       map[string]int // messages by id
	sent      map[string][]time.Time
	blocked   map[string]time.Time
	throttled int
	answer    func(m target.Message) *target.Outcome // nil: as the limits say
}

type shown struct {
	robot string
	at    time.Time
	target.Message
}

func newChat() *chat {
	return &chat{ids: map[string]int{}, sent: map[string][]time.Time{}, blocked: map[string]time.Time{}, answer: func(target.Message) *target.Outcome { return nil }}
}

// robot is one address of the service.
type chatRobot struct {
	*chat
	key string
}

func (r chatRobot) Send(ctx context.Context, m target.Message) target.Outcome {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	if out := r.answer(m); out != nil {
		if out.Class == target.Delivered || out.Unsure {
			r.show(r.key, m, now)
		}
		return *out
	}
	if now.Before(r.blocked[r.key]) {
		r.throttled++
		return target.Outcome{Class: target.RateLimited, Pause: 10 * time.Minute, Detail: "130101", Requests: 1}
	}
	recent := 1
	for _, at := range r.sent[r.key] {
		if now.Sub(at) <= time.Minute {
			recent++
		}
	}
	if recent > 20 {
		r.throttled++
		r.blocked[r.key] = now.Add(10 * time.Minute)
		return target.Outcome{Class: target.RateLimited, Pause: 10 * time.Minute, Detail: "130101", Requests: 1}
	}
	r.sent[r.key] = append(r.sent[r.key], now)
	r.show(r.key, m, now)
	return target.Outcome{Requests: 1}
}

func (c *chat) show(robot string, m target.Message, now time.Time) {
	c.ids[m.ID]++
	c.shown = append(c.shown, shown{robot, now, m})
}

func (c *chat) messages() []shown {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.shown
}

// team is a target with so many robots of the service.
func (c *chat) team(name string, robots int) Target {
	kind, _ := target.KindOf("dingtalk")
	t := Target{Name: name, Kind: kind, Monthly: Unlimited, Writer: func(z *time.Location) (*note.Writer, error) { return note.NewWriter("en", z, nil) }}
	var all []Robot
	for i := range robots {
		key := fmt.Sprint(name, "-", i)
		all = append(all, Robot{Key: key, Target: chatRobot{c, key}})
	}
	t.Open = func() ([]Robot, error) { return all, nil }
	return t
}

// everything is a route of all events.
func everything(targets ...string) Route {
	return Route{
		Name: "all", Match: Match{Types: []string{"*"}}, Targets: targets, GroupBy: ByMeeting, Wait: 5 * time.Second, Interval: time.Minute,
		MaxWaiting: 10_000, MaxAge: 24 * time.Hour, Zone: time.UTC,
	}
}

// begin runs a forwarder until the function returned is called; kill: without its
// being able to write anything more.
func begin(t *testing.T, m *memory, id string, routes []Route, targets ...Target) (stop func()) {
	t.Helper()
	f, err := New(Config{ID: id, Routes: routes, Targets: targets, Ledger: m, Source: m, Logger: zap.NewNop()})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { f.Run(ctx); close(done) }()
	synctest.Wait()
	return func() { cancel(); <-done }
}

func TestAKickIsToldAfterTheWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, c := newMemory(t), newChat()
		stop := begin(t, m, "a", []Route{everything("team")}, c.team("team", 1))
		defer stop()
		m.happen("m1", rollcall.ParticipantKickedOut)
		time.Sleep(4 * time.Second)
		if got := c.messages(); len(got) != 0 {
			t.Fatalf("told before the wait is over: %v", got)
		}
		time.Sleep(2 * time.Second)
		got := c.messages()
		if len(got) != 1 {
			t.Fatalf("%d messages: %v", len(got), got)
		}
		t.Logf("%s\n%s", got[0].Title, got[0].Body)
	})
}
