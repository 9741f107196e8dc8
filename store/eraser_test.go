package store

import (
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"

	"rollcall/internal/ledger"
	"rollcall/internal/natstest"
	"rollcall/wire"
)

// Whoever is to be forgotten may be named by the last event of all: a follower that has
// not heard of it yet is no reason to leave it there.
func TestEventsThatAFollowerHasNotHeardOf(t *testing.T) {
	server := natstest.Start(t)
	straight := server.JetStream(t)
	names := wire.Names{Stream: "S", Prefix: "s"}
	if _, err := Open(minute(t), straight, names, StreamConfig{}, zap.NewNop()); err != nil {
		t.Fatal(err)
	}
	store := func() uint64 {
		ack, err := straight.Publish(minute(t), names.Commit(names.Event("acme", "m", "participant.joined")), []byte("x"))
		if err != nil {
			t.Fatal(err)
		}
		return ack.Sequence
	}
	want := []uint64{store(), store()}
	behind := follower(t, server, want[1])
	want = append(want, store())
	js, err := jetstream.NewWithAPIPrefix(server.Connect(t), "FOLLOWER")
	if err != nil {
		t.Fatal(err)
	}
	for _, conference := range []string{"m", ""} {
		behind.Store(2)
		var got []uint64
		if err := (Eraser{Attach(js, names)}).Events(minute(t), "acme", conference, func(m ledger.Raw) { got = append(got, m.Sequence) }); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got, want) {
			t.Errorf("of meeting %q: events %v, want %v", conference, got, want)
		}
	}
}

// follower answers below FOLLOWER in the place of JetStream: direct gets, some times, as
// one that has heard of nothing after a sequence.
func follower(t *testing.T, server *natstest.Server, upTo uint64) (behind *atomic.Int64) {
	t.Helper()
	behind = new(atomic.Int64)
	conn := server.Connect(t)
	if _, err := conn.Subscribe("FOLLOWER.>", func(m *nats.Msg) {
		request := strings.TrimPrefix(m.Subject, "FOLLOWER.")
		if strings.HasPrefix(request, "DIRECT.GET.") && behind.Add(-1) >= 0 {
			knowsUpTo(conn, m, "$JS.API."+request, upTo)
			return
		}
		_ = conn.PublishRequest("$JS.API."+request, m.Reply, m.Data)
	}); err != nil {
		t.Fatal(err)
	}
	if err := conn.Flush(); err != nil {
		t.Fatal(err)
	}
	return behind
}

// knowsUpTo hands on what a request is answered, up to a sequence.
func knowsUpTo(conn *nats.Conn, asked *nats.Msg, api string, upTo uint64) {
	answers, err := conn.SubscribeSync(conn.NewInbox())
	if err != nil || conn.PublishRequest(api, answers.Subject, asked.Data) != nil {
		return
	}
	last := end("0", "0")
	last.Set("Status", "404")
	last.Set("Description", "Message Not Found")
	for {
		m, err := answers.NextMsg(time.Minute)
		if err != nil {
			return
		}
		at := m.Header.Get("Nats-Sequence")
		if n, err := strconv.ParseUint(at, 10, 64); err != nil || n > upTo {
			break
		}
		last = end(at, "0")
		m.Subject = asked.Reply
		_ = conn.PublishMsg(m)
	}
	_ = conn.PublishMsg(&nats.Msg{Subject: asked.Reply, Header: last})
}
