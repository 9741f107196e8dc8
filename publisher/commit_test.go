package publisher_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"

	"rollcall/internal/ledger"
	"rollcall/internal/natstest"
	"rollcall/publisher"
	"rollcall/store"
	"rollcall/wire"
)

func replaceID(answer, id string) string { return strings.ReplaceAll(answer, `"ID"`, `"`+id+`"`) }

func minute(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// real opens the ledger's stream on a server and gives a publisher for it.
func real(t testing.TB, js jetstream.JetStream, cfg store.StreamConfig) *publisher.Publisher {
	t.Helper()
	if _, err := store.Open(minute(t), js, names(), cfg, zap.NewNop()); err != nil {
		t.Fatal(err)
	}
	return &publisher.Publisher{Conn: js.Conn(), Names: names(), Timeout: time.Minute}
}

func lastSequence(t *testing.T, js jetstream.JetStream) uint64 {
	t.Helper()
	stream, err := js.Stream(minute(t), names().Stream)
	if err != nil {
		t.Fatal(err)
	}
	return stream.CachedInfo().State.LastSeq
}

func TestWithoutAStreamNothingIsStored(t *testing.T) {
	p := &publisher.Publisher{Conn: natstest.Start(t).Connect(t), Names: names(), Timeout: time.Minute}
	_, err := p.Commit(t.Context(), batch())
	expect(t, "no stream", err, ledger.ErrBusy)
}

func TestWhileDisconnectedNothingIsKeptToBeSentLater(t *testing.T) {
	s := natstest.Start(t)
	lost, back := make(chan struct{}, 1), make(chan struct{}, 1)
	js := s.JetStream(
		t, nats.DisconnectErrHandler(func(*nats.Conn, error) { lost <- struct{}{} }),
		nats.ReconnectHandler(func(*nats.Conn) { back <- struct{}{} }),
	)
	p := real(t, js, store.StreamConfig{})
	s.Stop()
	<-lost
	_, err := p.Commit(t.Context(), batch())
	expect(t, "disconnected", err, ledger.ErrBusy)
	_, err = p.Commit(t.Context(), batch()[:1])
	expect(t, "disconnected, a batch of one", err, ledger.ErrBusy)
	s.Restart()
	<-back
	first, err := p.Commit(minute(t), batch())
	if err != nil || first != 1 {
		t.Fatalf("after the restart: %d, %v; want 1: nothing was stored before", first, err)
	}
	js.Conn().Close()
	_, err = p.Commit(t.Context(), batch())
	expect(t, "closed", err, ledger.ErrBusy)
}

func TestSilenceIsUnknown(t *testing.T) {
	conn := natstest.Start(t).Connect(t)
	pretend(t, conn, func(*nats.Msg, int64) string { return "" })
	p := &publisher.Publisher{Conn: conn, Names: names(), Timeout: 50 * time.Millisecond}
	_, err := p.Commit(t.Context(), batch())
	expect(t, "silence", err, ledger.ErrUnknown)
	ctx, cancel := context.WithCancel(t.Context())
	p.Timeout = time.Minute
	batches := pretend(t, conn, func(*nats.Msg, int64) string { cancel(); return "" })
	_, err = p.Commit(ctx, batch())
	expect(t, "cancelled on the way", err, ledger.ErrUnknown)
	if batches.Load() == 0 || !errors.Is(err, context.Canceled) {
		t.Errorf("got %v after %d batches", err, batches.Load())
	}
}

// proxy stands between a client and the server, and can swallow what the
// server says.
type proxy struct {
	listener net.Listener
	deaf     atomic.Bool
}

func startProxy(t *testing.T, target string) *proxy {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{listener: listener}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			upstream, err := net.Dial("tcp", target)
			if err != nil {
				_ = client.Close()
				continue
			}
			t.Cleanup(func() { _, _ = client.Close(), upstream.Close() })
			go func() { _, _ = io.Copy(upstream, client) }()
			go func() { _, _ = io.Copy(&ear{client, &p.deaf}, upstream) }()
		}
	}()
	return p
}

type ear struct {
	to   io.Writer
	deaf *atomic.Bool
}

func (e *ear) Write(data []byte) (int, error) {
	if e.deaf.Load() {
		return len(data), nil
	}
	return e.to.Write(data)
}

func TestALostAcknowledgement(t *testing.T) {
	s := natstest.Start(t)
	js := s.JetStream(t)
	direct := real(t, js, store.StreamConfig{})
	way := startProxy(t, s.Addr())
	far := &publisher.Publisher{
		Conn: natstest.Connect(t, "nats://"+way.listener.Addr().String()), Names: names(), Timeout: 200 * time.Millisecond,
	}
	way.deaf.Store(true)
	_, err := far.Commit(t.Context(), batch())
	expect(t, "a lost acknowledgement", err, ledger.ErrUnknown)
	_, err = direct.Commit(minute(t), batch())
	expect(t, "the same batch again", err, ledger.ErrStale)
	if last := lastSequence(t, js); last != 2 {
		t.Errorf("%d messages are stored, want 2", last)
	}
}

func TestAFullStream(t *testing.T) {
	js := natstest.Start(t).JetStream(t)
	p := real(t, js, store.StreamConfig{MaxBytes: 64 << 10})
	m := ledger.Message{Subject: "meetings.event.acme.c.meeting.started", Data: make([]byte, 10<<10)}
	var err error
	for err == nil {
		_, err = p.Commit(minute(t), []ledger.Message{m, m, m})
	}
	expect(t, "full", err, ledger.ErrFull)
	if last := lastSequence(t, js); last == 0 || last%3 != 0 {
		t.Errorf("%d messages are stored: a part of a batch is", last)
	}
}

func TestTooManyBatchesInFlight(t *testing.T) {
	js := natstest.Start(t).JetStream(t)
	p := real(t, js, store.StreamConfig{})
	for i := range 50 { // as many as a stream takes; none of them is ever finished
		err := js.Conn().PublishMsg(&nats.Msg{
			Subject: names().Commit("meetings.event.open"),
			Header:  nats.Header{"Nats-Batch-Id": {fmt.Sprint(i)}, "Nats-Batch-Sequence": {"1"}},
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	_, err := p.Commit(minute(t), batch())
	expect(t, "a batch of two", err, ledger.ErrBusy)
	if first, err := p.Commit(minute(t), batch()[:1]); err != nil || first != 1 {
		t.Errorf("a message alone is no batch: %d, %v", first, err)
	}
	if last := lastSequence(t, js); last != 1 {
		t.Errorf("%d messages are stored, want the one that was alone", last)
	}
}

func TestAUserWithoutPermissionIsTold(t *testing.T) {
	s := natstest.StartWith(t, server.Options{Users: []*server.User{
		{Username: "boss", Password: "b"},
		{Username: "ann", Password: "a", Permissions: &server.Permissions{
			Publish: &server.SubjectPermission{Deny: []string{names().Commits()}},
		}},
	}})
	real(t, s.JetStream(t, nats.UserInfo("boss", "b")), store.StreamConfig{})
	p := &publisher.Publisher{Conn: s.Connect(t, nats.UserInfo("ann", "a")), Names: names(), Timeout: 500 * time.Millisecond}
	_, err := p.Commit(t.Context(), batch())
	expect(t, "no permission", err, ledger.ErrUnknown)
	if !strings.Contains(err.Error(), "let this user publish to rollcall.MEETINGS.commit.>") {
		t.Errorf("%v does not say what to mend", err)
	}
}

func TestWhoeverListensSeesWhatIsCommitted(t *testing.T) {
	s := natstest.Start(t)
	js := s.JetStream(t)
	p := real(t, js, store.StreamConfig{})
	reader := s.JetStream(t)
	ctx := minute(t)
	events, err := reader.Conn().SubscribeSync(names().Events())
	if err != nil {
		t.Fatal(err)
	}
	source := []*jetstream.StreamSource{{Name: names().Stream, FilterSubject: names().Events()}}
	sourced, err := reader.CreateStream(ctx, jetstream.StreamConfig{Name: "SOURCED", Sources: source})
	if err != nil {
		t.Fatal(err)
	}
	capturing, err := reader.CreateStream(ctx, jetstream.StreamConfig{Name: "CAPTURING", Subjects: []string{names().Events()}})
	if err != nil {
		t.Fatal(err)
	}
	// A batch that never commits comes first: nobody may see it.
	torn := &nats.Msg{
		Subject: names().Commit("meetings.event.acme.c.meeting.ended"), Data: []byte("torn"),
		Header: nats.Header{"Nats-Batch-Id": {"torn"}, "Nats-Batch-Sequence": {"1"}},
	}
	if err := js.Conn().PublishMsg(torn); err != nil {
		t.Fatal(err)
	}
	var want []string
	var msgs []ledger.Message
	for i := range 3 {
		want = append(want, fmt.Sprintf(`{"n":%d}`, i))
		msgs = append(msgs, ledger.Message{Subject: "meetings.event.acme.c.meeting.started", Data: []byte(want[i]), ContentType: wire.ContentType})
	}
	if _, err := p.Commit(ctx, append(msgs, batch()[1])); err != nil {
		t.Fatal(err)
	}
	for i := range want {
		m, err := events.NextMsgWithContext(ctx)
		if err != nil || string(m.Data) != want[i] || m.Subject != msgs[i].Subject || m.Header.Get("Content-Type") != wire.ContentType {
			t.Fatalf("the core subscriber: %+v, %v, want %s", m, err, want[i])
		}
	}
	stream, err := reader.Stream(ctx, names().Stream)
	if err != nil {
		t.Fatal(err)
	}
	for _, from := range []jetstream.Stream{stream, sourced} {
		consumer, err := from.OrderedConsumer(ctx, jetstream.OrderedConsumerConfig{FilterSubjects: []string{names().Events()}})
		if err != nil {
			t.Fatal(err)
		}
		for i := range want {
			m, err := consumer.Next(jetstream.FetchMaxWait(time.Minute))
			if err != nil || string(m.Data()) != want[i] || m.Subject() != msgs[i].Subject {
				t.Fatalf("a consumer of %s: %v, %v, want %s", from.CachedInfo().Config.Name, m, err, want[i])
			}
		}
	}
	// What is republished still carries the headers of its batch, which make
	// it part of a batch that the capturing stream never sees the whole of.
	info, err := capturing.Info(ctx)
	if err != nil || info.State.Msgs != 0 {
		t.Errorf("a stream that captures the events stores %d, %v", info.State.Msgs, err)
	}
}

func BenchmarkCommit(b *testing.B) {
	for _, size := range []int{20, 100, 1000} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			p := real(b, natstest.Start(b).JetStream(b), store.StreamConfig{})
			msgs := make([]ledger.Message, size)
			for i := range msgs {
				msgs[i] = ledger.Message{Subject: fmt.Sprintf("meetings.event.acme.c%d.participant.joined", i), Data: make([]byte, 600)}
			}
			for b.Loop() {
				if _, err := p.Commit(b.Context(), msgs); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N)*float64(size)/b.Elapsed().Seconds(), "messages/s")
		})
	}
}

// A message that is alone is no batch for the broker, and is guarded, rolled up
// and kept like one.
func TestAMessageAlone(t *testing.T) {
	js := natstest.Start(t).JetStream(t)
	p := real(t, js, store.StreamConfig{})
	record := ledger.Message{
		Subject: "meetings.state.acme.c", Data: []byte("1"), ContentType: "application/json", Guarded: true, Rollup: true, TTL: "never",
	}
	first, err := p.Commit(minute(t), []ledger.Message{record})
	if err != nil || first != 1 {
		t.Fatalf("the first: %d, %v", first, err)
	}
	_, err = p.Commit(minute(t), []ledger.Message{record})
	expect(t, "a stale guard", err, ledger.ErrStale)
	record.Expect, record.Data = 1, []byte("2")
	if second, err := p.Commit(minute(t), []ledger.Message{record}); err != nil || second != 2 {
		t.Fatalf("the second: %d, %v", second, err)
	}
	by := ledger.Message{Subject: "meetings.status.acme", Guarded: true, Expect: 1, ExpectOf: record.Subject}
	_, err = p.Commit(minute(t), []ledger.Message{by})
	expect(t, "a stale guard of another subject", err, ledger.ErrStale)
	by.Expect = 2
	if third, err := p.Commit(minute(t), []ledger.Message{by}); err != nil || third != 3 {
		t.Fatalf("guarded by another subject: %d, %v", third, err)
	}
	stream, err := js.Stream(t.Context(), "MEETINGS")
	if err != nil {
		t.Fatal(err)
	}
	got, err := stream.GetLastMsgForSubject(t.Context(), record.Subject)
	if err != nil || got.Sequence != 2 || string(got.Data) != "2" || got.Header.Get("Nats-TTL") != "never" || got.Header.Get("Nats-Batch-Id") != "" {
		t.Errorf("%v, %v, want the second record and no batch", got, err)
	}
	if _, err := stream.GetMsg(t.Context(), 1); !errors.Is(err, jetstream.ErrMsgNotFound) {
		t.Errorf("the first record is still there: %v", err)
	}
}
