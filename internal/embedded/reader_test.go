package embedded_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap/zaptest"

	"rollcall/internal/embedded"
	"rollcall/internal/ledger"
	"rollcall/internal/natsconn"
	"rollcall/publisher"
	"rollcall/store"
)

// ledgerOf opens the ledger as the program does.
func ledgerOf(t *testing.T, s *embedded.Server) (jetstream.JetStream, *publisher.Publisher) {
	t.Helper()
	conn, err := natsconn.Connect(natsconn.Config{Options: s.Options()}, zaptest.NewLogger(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	js, err := jetstream.New(conn)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := store.Open(minute(t), js, names(), store.StreamConfig{}, zaptest.NewLogger(t)); err != nil {
		t.Fatal(err)
	}
	if _, err := js.CreateKeyValue(minute(t), jetstream.KeyValueConfig{Bucket: names().Budget()}); err != nil {
		t.Fatal(err)
	}
	return js, &publisher.Publisher{Conn: conn, Names: names()}
}

func put(t *testing.T, p *publisher.Publisher, subject, data string) {
	t.Helper()
	if _, err := p.Commit(minute(t), []ledger.Message{{Subject: subject, Data: []byte(data)}}); err != nil {
		t.Fatal(err)
	}
}

func TestReadersMayNotChangeAnything(t *testing.T) {
	s := start(t, embedded.Config{})
	worker, p := ledgerOf(t, s)
	put(t, p, "meetings.event.acme.c1.meeting.started", "{}")
	violations := make(chan error, 100)
	conn, err := nats.Connect(s.URL(), nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { violations <- err }))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	denied := []string{
		names().Commit("meetings.event.acme.c1.meeting.ended"), "meetings.event.acme.c1.meeting.ended", "meetings.state.acme.c1",
		"_ROLLCALL.inbox.x", names().Shard("acme", "track"), "$KV." + names().Workers() + ".w1", "$KV." + names().Budget() + ".acme",
	}
	for _, stream := range []string{"MEETINGS", "KV_MEETINGS_WORKERS", "KV_MEETINGS_BUDGET"} {
		for _, verb := range []string{"CREATE", "UPDATE", "DELETE", "PURGE", "RESTORE", "SNAPSHOT", "MSG.DELETE", "LEADER.STEPDOWN", "PEER.REMOVE"} {
			denied = append(denied, "$JS.API.STREAM."+verb+"."+stream)
		}
	}
	for _, subject := range denied {
		if err := conn.PublishRequest(subject, conn.NewInbox(), []byte(`{"seq":1}`)); err != nil {
			t.Fatal(err)
		}
		select {
		case err := <-violations:
			if !errors.Is(err, nats.ErrPermissionViolation) {
				t.Errorf("publish to %s: %v", subject, err)
			}
		case <-minute(t).Done():
			t.Fatalf("publish to %s was allowed", subject)
		}
	}
	for _, subject := range []string{names().Commits(), "rollcall.MEETINGS.commit.event.>", names().API("acme", "track"), names().Shard("acme", "track"), "_ROLLCALL.>"} {
		if _, err := conn.SubscribeSync(subject); err != nil {
			t.Fatal(err)
		}
		select {
		case err := <-violations:
			if !errors.Is(err, nats.ErrPermissionViolation) {
				t.Errorf("subscribe to %s: %v", subject, err)
			}
		case <-minute(t).Done():
			t.Fatalf("subscribe to %s was allowed", subject)
		}
	}
	stream, err := worker.Stream(minute(t), "MEETINGS")
	if err != nil || stream.CachedInfo().State.Msgs != 1 {
		t.Fatalf("the stream was touched: %+v, %v", stream.CachedInfo().State, err)
	}
}

func TestReadersMayRead(t *testing.T) {
	s := start(t, embedded.Config{})
	worker, p := ledgerOf(t, s)
	api, err := worker.Conn().Subscribe(names().API("acme", "list"), func(m *nats.Msg) { _ = m.Respond([]byte("[]")) })
	if err != nil {
		t.Fatal(err)
	}
	if err := worker.Conn().Flush(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = api.Unsubscribe() }()
	js := dial(t, s.URL())
	ctx := minute(t)
	everything, err := js.Conn().SubscribeSync(">")
	if err != nil {
		t.Fatal(err)
	}
	events, err := js.Conn().SubscribeSync("meetings.event.>")
	if err != nil {
		t.Fatal(err)
	}
	if err := js.Conn().Flush(); err != nil {
		t.Fatal(err)
	}
	const subject = "meetings.event.acme.c1.meeting.started"
	put(t, p, subject, "live")
	if m, err := events.NextMsgWithContext(ctx); err != nil || string(m.Data) != "live" {
		t.Fatalf("a core subscriber: %v, %v", m, err)
	}
	if m, err := everything.NextMsgWithContext(ctx); err != nil || m.Subject != subject {
		t.Errorf("a subscriber of everything sees %v, %v before the committed message", m, err)
	}
	stream, err := js.Stream(ctx, "MEETINGS")
	if err != nil {
		t.Fatalf("stream info: %v", err)
	}
	if m, err := stream.GetLastMsgForSubject(ctx, subject); err != nil || string(m.Data) != "live" {
		t.Errorf("a direct get: %v, %v", m, err)
	}
	for name, read := range map[string]func() (string, error){
		"an ordered consumer": func() (string, error) {
			c, err := stream.OrderedConsumer(ctx, jetstream.OrderedConsumerConfig{FilterSubjects: []string{"meetings.event.>"}})
			return next(c, err)
		},
		"a durable consumer": func() (string, error) {
			c, err := stream.CreateConsumer(ctx, jetstream.ConsumerConfig{Durable: "mine", FilterSubject: "meetings.event.>"})
			return next(c, err)
		},
		"a push consumer": func() (string, error) {
			return pushed(js)
		},
		"the worker's API": func() (string, error) {
			m, err := js.Conn().RequestWithContext(ctx, names().API("acme", "list"), nil)
			if err != nil {
				return "", err
			}
			return map[string]string{"[]": "live"}[string(m.Data)], nil
		},
		"the workers": func() (string, error) {
			kv, err := js.KeyValue(ctx, names().Workers())
			if err != nil {
				return "", err
			}
			if _, err := kv.Get(ctx, "nobody"); !errors.Is(err, jetstream.ErrKeyNotFound) {
				return "", err
			}
			return "live", nil
		},
	} {
		if got, err := read(); err != nil || got != "live" {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}

func next(c jetstream.Consumer, err error) (string, error) {
	if err != nil {
		return "", err
	}
	m, err := c.Next(jetstream.FetchMaxWait(time.Minute))
	if err != nil {
		return "", err
	}
	if c.CachedInfo().Config.AckPolicy == jetstream.AckNonePolicy {
		return string(m.Data()), nil
	}
	return string(m.Data()), m.DoubleAck(context.Background())
}

func pushed(js jetstream.JetStream) (string, error) {
	old, err := js.Conn().JetStream()
	if err != nil {
		return "", err
	}
	sub, err := old.SubscribeSync("meetings.event.>", nats.BindStream("MEETINGS"))
	if err != nil {
		return "", err
	}
	m, err := sub.NextMsg(time.Minute)
	if err != nil {
		return "", err
	}
	return string(m.Data), m.AckSync()
}
