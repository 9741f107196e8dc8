package worker_test

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"rollcall"
	"rollcall/internal/ledger"
	"rollcall/internal/ledgertest"
	"rollcall/poller"
	"rollcall/poller/dingtalk"
	"rollcall/worker"
)

// hall is a source whose answers are rendered beforehand, as DingTalk does it.
type hall struct {
	mu      sync.Mutex
	answers map[string][]byte
}

func newHall(t testing.TB, ids []string, people int) *hall {
	t.Helper()
	c := &hall{answers: make(map[string][]byte, len(ids))}
	for _, id := range ids {
		c.answers[id] = render(t, id, people)
	}
	return c
}

// render gives an answer of about 130 bytes a person.
func render(t testing.TB, id string, people int) []byte {
	t.Helper()
	users := make([]map[string]any, people)
	for i := range users {
		users[i] = map[string]any{
			"userId": fmt.Sprintf("%s-user-%03d", id, i*7919%people), "nick": fmt.Sprintf("Person %02d, the Guest of %s", i, id[len(id)-4:]),
			"attendStatus": 3, "micStatus": 1 + i%2, "cameraStatus": 1,
		}
	}
	raw, err := json.Marshal(map[string]any{
		"conferenceId": id, "title": "Weekly", "status": 2, "mediaStatus": 0,
		"startTime": 1700000000000, "userList": users,
	})
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func (c *hall) Query(_ context.Context, ids []string) (poller.Answers, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	answers := poller.Answers{Complete: true, Found: make([]poller.Found, len(ids))}
	for i, id := range ids {
		answers.Found[i] = poller.Found{ConferenceID: id, Raw: c.answers[id]}
	}
	return answers, nil
}

func (c *hall) Lookup(context.Context, string) (poller.Standing, error) {
	return poller.Standing{}, unknown{}
}

func (c *hall) Decode(raw []byte) *rollcall.Answer { return (*dingtalk.Client)(nil).Decode(raw) }

// standing is a forgetful ledger in which some meetings are tracked.
type standing struct {
	forgetful
	ids []string
}

func newStanding(ids []string) standing {
	return standing{forgetful{ledgertest.NewMemory(names), new(atomic.Uint64)}, ids}
}

func (l standing) Tracked(context.Context, string) ([]ledger.Tracking, error) {
	set := make([]ledger.Tracking, len(l.ids))
	for i, id := range l.ids {
		set[i] = ledger.Tracking{ConferenceID: id, Source: "api", Since: time.Now().UTC()}
	}
	return set, nil
}

// TestIdleMeetingsAreSmall holds what is kept of a meeting in which nothing
// happens, its answer included, against its bound. The ids belong to the test.
func TestIdleMeetingsAreSmall(t *testing.T) {
	const meetings, people, bound = 5000, 20, 4 << 10
	ids := make([]string, meetings)
	for i := range ids {
		ids[i] = fmt.Sprintf("conference-%06d", i)
	}
	bubble(t, func(t *testing.T) {
		source := newHall(t, ids, people)
		before := heap()
		p := start(t, "a", newStanding(ids), newWorld(), func(c *worker.Config) {
			c.Tenants[0].Asker = &poller.Poller{Source: source, Tenant: "acme"}
			c.Tenants[0].Decode = source.Decode
		})
		elapse(12 * 15 * time.Second) // records rest after eight polls
		each := (heap() - before) / meetings
		t.Logf("%d bytes a meeting, %d of them the answer", each, len(source.answers[ids[0]]))
		if each > bound {
			t.Errorf("an idle meeting takes %d bytes, want at most %d", each, bound)
		}
		p.stop(t)
	})
}
