package publisher_test

import (
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"rollcall/internal/ledger"
	"rollcall/internal/natstest"
	"rollcall/publisher"
)

// outcomes of a commit.
func outcomes() []error {
	return []error{ledger.ErrStale, ledger.ErrBusy, ledger.ErrUnknown, ledger.ErrFull, ledger.ErrRefused}
}

// expect wants an error that matches one outcome and no other.
func expect(t *testing.T, what string, err, want error) {
	t.Helper()
	for _, outcome := range outcomes() {
		if errors.Is(err, outcome) != (outcome == want) {
			t.Errorf("%s: %v, want %v and nothing else", what, err, want)
			return
		}
	}
}

func batch() []ledger.Message {
	return []ledger.Message{{Subject: "meetings.event.acme.c.meeting.started", Data: []byte("{}")}, {Subject: "meetings.state.acme.c", Guarded: true, Rollup: true}}
}

// pretend answers every batch, and every message that is alone, in the place of
// a stream, and counts them.
func pretend(t *testing.T, conn *nats.Conn, answer func(m *nats.Msg, n int64) string) *atomic.Int64 {
	t.Helper()
	var batches atomic.Int64
	sub, err := conn.Subscribe(names().Commits(), func(m *nats.Msg) {
		if m.Header.Get("Nats-Batch-Id") != "" && m.Header.Get("Nats-Batch-Commit") == "" {
			return
		}
		if text := answer(m, batches.Add(1)); text != "" {
			_ = m.Respond([]byte(text))
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sub.Unsubscribe() })
	if err := conn.Flush(); err != nil {
		t.Fatal(err)
	}
	return &batches
}

func TestEveryRefusalHasItsOutcome(t *testing.T) {
	const once, many = 1, 21
	conn := natstest.Start(t).Connect(t)
	p := &publisher.Publisher{Conn: conn, Names: names(), Timeout: time.Minute}
	var code, status int
	batches := pretend(t, conn, func(*nats.Msg, int64) string {
		return fmt.Sprintf(`{"error":{"code":%d,"err_code":%d,"description":"because"},"stream":"MEETINGS","seq":0}`, status, code)
	})
	for _, c := range []struct {
		code, status int
		want         error
		sent         int64
	}{
		{10071, 400, ledger.ErrStale, once},
		{10201, 400, ledger.ErrStale, once},
		{10164, 400, ledger.ErrBusy, many},
		{10158, 409, ledger.ErrBusy, many},
		{10163, 503, ledger.ErrBusy, many},
		{10176, 400, ledger.ErrBusy, once},
		{10210, 429, ledger.ErrBusy, once},
		{10167, 429, ledger.ErrBusy, once},
		{10006, 500, ledger.ErrBusy, once},
		{10007, 500, ledger.ErrBusy, once},
		{10008, 503, ledger.ErrBusy, once},
		{10009, 500, ledger.ErrBusy, once},
		{10023, 503, ledger.ErrUnknown, once},
		{10039, 503, ledger.ErrBusy, once},
		{10076, 503, ledger.ErrBusy, once},
		{10059, 404, ledger.ErrBusy, once},
		{10060, 400, ledger.ErrBusy, once},
		{10109, 400, ledger.ErrBusy, once},
		{10118, 500, ledger.ErrBusy, once},
		{10166, 400, ledger.ErrBusy, once},
		{10174, 400, ledger.ErrBusy, once},
		{10194, 500, ledger.ErrBusy, once},
		{10002, 400, ledger.ErrUnknown, once},
		{10028, 500, ledger.ErrUnknown, once},
		{10047, 500, ledger.ErrUnknown, once},
		{10077, 503, ledger.ErrUnknown, once},
		{10054, 400, ledger.ErrRefused, once},
		{10097, 400, ledger.ErrRefused, once},
		{10165, 400, ledger.ErrRefused, once},
		{10175, 400, ledger.ErrRefused, once},
		{10177, 400, ledger.ErrRefused, once},
		{10179, 400, ledger.ErrRefused, once},
		{10199, 400, ledger.ErrRefused, once},
		{10200, 400, ledger.ErrRefused, once},
		{19999, 400, ledger.ErrRefused, once}, // not in the table: the batch is to blame
		{19999, 503, ledger.ErrUnknown, once}, // the server is, and may have stored a part
	} {
		code, status = c.code, c.status
		batches.Store(0)
		_, err := p.Commit(t.Context(), batch())
		expect(t, fmt.Sprintf("code %d", c.code), err, c.want)
		if got := batches.Load(); got != c.sent {
			t.Errorf("code %d: sent %d times, want %d", c.code, got, c.sent)
		}
		if c.want == ledger.ErrUnknown { // one message is stored or not
			_, err := p.Commit(t.Context(), batch()[:1])
			expect(t, fmt.Sprintf("code %d for one message", c.code), err, ledger.ErrFull)
		}
	}
}

func TestAWriteInFlightIsWaitedFor(t *testing.T) {
	conn := natstest.Start(t).Connect(t)
	p := &publisher.Publisher{Conn: conn, Names: names(), Timeout: time.Minute}
	ids := make(map[string]bool)
	pretend(t, conn, func(m *nats.Msg, n int64) string {
		id := m.Header.Get("Nats-Batch-Id")
		ids[id] = true
		if n < 4 {
			return `{"error":{"code":400,"err_code":10164,"description":"wrong last sequence"}}`
		}
		return fmt.Sprintf(`{"stream":"MEETINGS","seq":9,"batch":%q,"count":2}`, id)
	})
	first, err := p.Commit(t.Context(), batch())
	if err != nil || first != 8 || len(ids) != 4 {
		t.Errorf("first %d, %v, %d ids; want 8 under the fourth id", first, err, len(ids))
	}
}

func TestAnAnswerThatIsNotOursProvesNothing(t *testing.T) {
	conn := natstest.Start(t).Connect(t)
	for _, answer := range []string{
		"not JSON", `{}`, `{"stream":"MEETINGS","seq":9,"batch":"other","count":2}`,
		`{"stream":"OTHER","seq":9,"batch":"ID","count":2}`, `{"stream":"MEETINGS","seq":9,"batch":"ID","count":1}`,
		`{"stream":"MEETINGS","seq":1,"batch":"ID","count":2}`, `{"stream":"MEETINGS","seq":9}`,
	} {
		t.Run(answer, func(t *testing.T) {
			pretend(t, conn, func(m *nats.Msg, _ int64) string {
				id := m.Header.Get("Nats-Batch-Id")
				return replaceID(answer, id)
			})
			p := &publisher.Publisher{Conn: conn, Names: names(), Timeout: time.Minute}
			_, err := p.Commit(t.Context(), batch())
			expect(t, answer, err, ledger.ErrUnknown)
		})
	}
}
