package embedded_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"rollcall/internal/embedded"
	"rollcall/internal/secret"
)

// refused reports whether the server has refused the connection something.
func refused(t *testing.T, conn *nats.Conn) bool {
	t.Helper()
	// The refusal comes before the answer to the flush.
	if err := conn.Flush(); err != nil {
		t.Fatal(err)
	}
	return errors.Is(conn.LastError(), nats.ErrPermissionViolation)
}

// TestAReaderHearsNothingOfOthers listens to everything while the worker and
// another reader ask and are answered.
func TestAReaderHearsNothingOfOthers(t *testing.T) {
	s := start(t, embedded.Config{})
	worker, p := ledgerOf(t, s)
	put(t, p, "meetings.state.acme.c1", "{}")
	if _, err := worker.Conn().Subscribe(names().API("acme", "list"), func(m *nats.Msg) { _ = m.Respond([]byte("[]")) }); err != nil {
		t.Fatal(err)
	}
	if err := worker.Conn().Flush(); err != nil {
		t.Fatal(err)
	}
	listener, other := dial(t, s.URL()).Conn(), dial(t, s.URL())
	heard := make(chan *nats.Msg, 1000)
	for _, subject := range []string{">", "_INBOX.>", "_INBOX.*.*", "*.>"} {
		if _, err := listener.ChanSubscribe(subject, heard); err != nil {
			t.Fatal(err)
		}
	}
	if refused(t, listener) {
		t.Fatal(listener.LastError())
	}
	for _, subject := range []string{"$JS.API.>", "$SRV.>", "$JS.API.STREAM.INFO.MEETINGS", "_ROLLCALL.>", "$KV.>", "$JS.ACK.>"} {
		conn := dial(t, s.URL()).Conn()
		if _, err := conn.SubscribeSync(subject); err != nil {
			t.Fatal(err)
		}
		if !refused(t, conn) {
			t.Errorf("a reader may listen to %s", subject)
		}
	}
	for _, js := range []jetstream.JetStream{worker, other} {
		stream, err := js.Stream(minute(t), "MEETINGS")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := stream.GetLastMsgForSubject(minute(t), "meetings.state.acme.c1"); err != nil {
			t.Fatal(err)
		}
		if _, err := js.Conn().RequestWithContext(minute(t), names().API("acme", "list"), nil); err != nil {
			t.Fatal(err)
		}
	}
	if err := listener.Flush(); err != nil {
		t.Fatal(err)
	}
	if len(heard) > 0 {
		t.Errorf("it hears %s", (<-heard).Subject)
	}
}

// TestAReaderHasNothingWrittenByTheServer asks the server for what is stored,
// and wants it sent to where only the worker may write.
func TestAReaderHasNothingWrittenByTheServer(t *testing.T) {
	s := start(t, embedded.Config{})
	worker, p := ledgerOf(t, s)
	put(t, p, "meetings.state.acme.c1", "{}")
	js := dial(t, s.URL())
	conn := js.Conn()
	targets := []string{
		names().Commit("meetings.event.acme.c1.meeting.ended"), names().Commit("meetings.claim.acme.0"),
		"$KV." + names().Budget() + ".acme.2026-11", "$KV." + names().Workers() + ".w", "$JS.API.STREAM.PURGE.MEETINGS",
		names().API("acme", "track"), names().Shard("acme", "found"), "meetings.event.acme.c1.meeting.ended",
	}
	listener := worker.Conn()
	heard := make(chan *nats.Msg, 1000)
	for _, to := range targets[:len(targets)-1] {
		if _, err := listener.ChanSubscribe(to, heard); err != nil {
			t.Fatal(err)
		}
	}
	if err := listener.Flush(); err != nil {
		t.Fatal(err)
	}
	for i, to := range targets {
		for subject, body := range map[string]string{
			"$JS.API.DIRECT.GET.MEETINGS":                                    `{"last_by_subj":"meetings.state.acme.c1"}`,
			"$JS.API.DIRECT.GET.MEETINGS.meetings.state.acme.c1":             "",
			"$JS.API.STREAM.MSG.GET.MEETINGS":                                `{"last_by_subj":"meetings.state.acme.c1"}`,
			"$JS.API.STREAM.INFO.MEETINGS":                                   "",
			"$JS.API.INFO":                                                   "",
			"$SRV.PING":                                                      "",
			fmt.Sprintf("$JS.API.CONSUMER.CREATE.MEETINGS.reply%d", i):       `{"stream_name":"MEETINGS","config":{"name":"x","ack_policy":"none"}}`,
			fmt.Sprintf("$JS.API.CONSUMER.DURABLE.CREATE.MEETINGS.dur%d", i): `{"stream_name":"MEETINGS","config":{"durable_name":"x"}}`,
		} {
			if err := conn.PublishRequest(subject, to, []byte(body)); err != nil {
				t.Fatal(err)
			}
		}
		_, err := js.CreateOrUpdateConsumer(minute(t), "MEETINGS", jetstream.ConsumerConfig{
			Name: fmt.Sprint("push", i), DeliverSubject: to, AckPolicy: jetstream.AckNonePolicy,
		})
		if err == nil {
			t.Errorf("a consumer delivers to %s", to)
		}
	}
	old, err := conn.JetStream()
	if err != nil {
		t.Fatal(err)
	}
	for _, to := range targets {
		_, err := old.AddConsumer("MEETINGS", &nats.ConsumerConfig{DeliverSubject: to, AckPolicy: nats.AckNonePolicy})
		if err == nil || !strings.Contains(err.Error(), "_INBOX.") {
			t.Errorf("a push consumer that delivers to %s: %v", to, err)
		}
	}
	if err := conn.Flush(); err != nil {
		t.Fatal(err)
	}
	if err := listener.Flush(); err != nil {
		t.Fatal(err)
	}
	if len(heard) > 0 {
		m := <-heard
		t.Errorf("the server has written to %s: %s", m.Subject, m.Data)
	}
	stream, err := worker.Stream(minute(t), "MEETINGS")
	if err != nil || stream.CachedInfo().State.LastSeq != 1 || stream.CachedInfo().State.Msgs != 1 {
		t.Errorf("the stream was touched: %+v, %v", stream.CachedInfo().State, err)
	}
}

// JSON may name a member twice, and Go reads a name in large letters as one in
// small letters: what the server reads must be what the door has read.
func TestAConsumerIsWhatTheDoorHasSeen(t *testing.T) {
	s := start(t, embedded.Config{})
	worker, _ := ledgerOf(t, s)
	conn := dial(t, s.URL()).Conn()
	order := names().API("acme", "untrack")
	for i, body := range []string{
		`{"stream_name":"MEETINGS","Config":{"deliver_subject":%[1]q},"config":{"name":%[2]q}}`,
		`{"stream_name":"MEETINGS","config":{"name":%[2]q},"Config":{"deliver_subject":%[1]q}}`,
		`{"stream_name":"MEETINGS","config":{"name":%[2]q,"deliver_subject":%[1]q,"DELIVER_SUBJECT":"_INBOX.x"}}`,
		`{"stream_name":"MEETINGS","config":{"name":%[2]q,"DELIVER_SUBJECT":"_INBOX.x","deliver_subject":%[1]q}}`,
		`{"stream_name":"MEETINGS","config":{"name":%[2]q},"config":{"deliver_subject":%[1]q}}`,
		`{"stream_name":"MEETINGS","config":{"name":%[2]q,"durable_name":%[2]q,"Deliver_Subject":%[1]q}}`,
	} {
		name := fmt.Sprint("two", i)
		verb := "CONSUMER.CREATE.MEETINGS." + name
		if _, err := conn.RequestWithContext(minute(t), "$JS.API."+verb, fmt.Appendf(nil, body, order, name)); err != nil {
			t.Fatal(err)
		}
		consumer, err := worker.PushConsumer(minute(t), "MEETINGS", name)
		if err == nil && consumer.CachedInfo().Config.DeliverSubject == order {
			t.Errorf("a consumer of a reader delivers to %s: it was made by %s", order, body)
		}
	}
}

func TestAReaderMakesNoStream(t *testing.T) {
	s := start(t, embedded.Config{})
	ledgerOf(t, s)
	for _, subjects := range [][]string{{"mine"}, {"_ROLLCALL.>"}, {"rollcall.MEETINGS.api.>"}, {"$JS.ACK.>"}} {
		conn := dial(t, s.URL()).Conn()
		body := fmt.Sprintf(`{"name":"MINE","subjects":[%q]}`, subjects[0])
		if err := conn.PublishRequest("$JS.API.STREAM.CREATE.MINE", conn.NewInbox(), []byte(body)); err != nil {
			t.Fatal(err)
		}
		if !refused(t, conn) {
			t.Errorf("a reader may make a stream of %v", subjects)
		}
	}
}

// TestConsumersOfOthersStay has a reader delete and change the durable consumer
// of another; its own that lasts no longer than it does it may delete.
func TestConsumersOfOthersStay(t *testing.T) {
	s := start(t, embedded.Config{})
	_, p := ledgerOf(t, s)
	put(t, p, "meetings.event.acme.c1.meeting.started", "live")
	owner, other := dial(t, s.URL()), dial(t, s.URL())
	durable := jetstream.ConsumerConfig{Durable: "theirs", FilterSubject: "meetings.event.>"}
	for range 2 { // the second time it is there already
		if _, err := owner.CreateOrUpdateConsumer(minute(t), "MEETINGS", durable); err != nil {
			t.Fatal(err)
		}
	}
	if err := other.DeleteConsumer(minute(t), "MEETINGS", "theirs"); err == nil || !strings.Contains(err.Error(), "durable") {
		t.Errorf("delete: %v", err)
	}
	durable.FilterSubject = "meetings.state.>"
	if _, err := other.CreateOrUpdateConsumer(minute(t), "MEETINGS", durable); err == nil {
		t.Error("another's consumer was changed")
	}
	if _, err := other.UpdateConsumer(minute(t), "MEETINGS", durable); err == nil || !strings.Contains(err.Error(), "another") {
		t.Errorf("update: %v", err)
	}
	if got, err := next(owner.Consumer(minute(t), "MEETINGS", "theirs")); err != nil || got != "live" {
		t.Errorf("the owner reads %q, %v", got, err)
	}
	brief, err := other.CreateConsumer(minute(t), "MEETINGS", jetstream.ConsumerConfig{})
	if err != nil {
		t.Fatal(err)
	}
	if err := other.DeleteConsumer(minute(t), "MEETINGS", brief.CachedInfo().Name); err != nil {
		t.Errorf("delete its own: %v", err)
	}
}

func TestWhoMayTrack(t *testing.T) {
	const token, password = "of the operator", "of readers"
	reader := nats.UserInfo("ann", password)
	for name, c := range map[string]struct {
		cfg    embedded.Config
		option nats.Option
		may    bool
	}{
		"everybody on this machine":        {embedded.Config{}, nats.Name("x"), true},
		"not without the token":            {embedded.Config{Operator: secret.New(token)}, nats.Name("x"), false},
		"with the token":                   {embedded.Config{Operator: secret.New(token)}, nats.Token(token), true},
		"with the token as a password":     {embedded.Config{Operator: secret.New(token)}, nats.UserInfo("operator", token), true},
		"nobody of other machines":         {embedded.Config{Listen: "0.0.0.0:0", User: "ann", Password: secret.New(password)}, reader, false},
		"with the token from other places": {embedded.Config{Listen: "0.0.0.0:0", User: "ann", Password: secret.New(password), Operator: secret.New(token)}, nats.Token(token), true},
		"a reader beside an operator":      {embedded.Config{Listen: "0.0.0.0:0", User: "ann", Password: secret.New(password), Operator: secret.New(token)}, reader, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t, c.cfg)
			ledgerOf(t, s)
			port := s.URL()[strings.LastIndexByte(s.URL(), ':'):]
			conn := dial(t, "nats://127.0.0.1"+port, c.option).Conn()
			if err := conn.Publish(names().API("acme", "list"), nil); err != nil || refused(t, conn) {
				t.Errorf("list: %v, %v", err, conn.LastError())
			}
			for _, verb := range []string{"track", "untrack"} {
				if err := conn.Publish(names().API("acme", verb), nil); err != nil {
					t.Fatal(err)
				}
			}
			if refused(t, conn) == c.may {
				t.Errorf("track: %v", conn.LastError())
			}
		})
	}
}

// TestRefusalsAreToldOnce floods the server with what it refuses.
func TestRefusalsAreToldOnce(t *testing.T) {
	core, logs := observer.New(zap.WarnLevel)
	s, err := embedded.Start(embedded.Config{DataDir: t.TempDir(), Listen: "127.0.0.1:0", Names: names(), Logger: zap.New(core)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	conn := dial(t, s.URL()).Conn()
	for range 1000 {
		if err := conn.Publish(names().Commit("x"), nil); err != nil {
			t.Fatal(err)
		}
	}
	if !refused(t, conn) {
		t.Fatal("nothing was refused")
	}
	if lines := logs.All(); len(lines) != 1 || !strings.Contains(fmt.Sprint(lines[0].ContextMap()), "Publish Violation") {
		t.Errorf("%d lines are logged: %v", len(lines), lines)
	}
}

// TestNonsenseIsToldOnce says again and again what is no protocol, under names
// that change.
func TestNonsenseIsToldOnce(t *testing.T) {
	core, logs := observer.New(zap.WarnLevel)
	s, err := embedded.Start(embedded.Config{DataDir: t.TempDir(), Listen: "127.0.0.1:0", Names: names(), Logger: zap.New(core)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	for i := range 50 {
		conn, err := net.Dial("tcp", strings.TrimPrefix(s.URL(), "nats://"))
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(conn, "CONNECT {\"verbose\":false,\"name\":\"a - %d\"}\r\nPUB x 2000000000\r\n", i)
		if _, err := io.Copy(io.Discard, conn); err != nil && !errors.Is(err, syscall.ECONNRESET) {
			t.Fatal(err)
		}
		conn.Close()
	}
	if lines := logs.All(); len(lines) == 0 || len(lines) > 3 {
		t.Errorf("%d lines are logged, the first: %v", len(lines), lines[:min(len(lines), 1)])
	}
}

// TestRoomsAreUsedAgain connects more often than there are rooms.
func TestRoomsAreUsedAgain(t *testing.T) {
	s := start(t, embedded.Config{})
	ledgerOf(t, s)
	for range 600 {
		conn, err := nats.Connect(s.URL())
		if err != nil {
			t.Fatal(err)
		}
		conn.Close()
	}
	var open []*nats.Conn
	defer func() {
		for _, conn := range open {
			conn.Close()
		}
	}()
	for range 300 {
		conn, err := nats.Connect(s.URL(), nats.Timeout(10*time.Second))
		if err != nil {
			break
		}
		open = append(open, conn)
	}
	if len(open) != 64 {
		t.Errorf("%d connections are open at a time", len(open))
	}
	// The worker has its connection, whoever else is there.
	if _, err := asWorker(t, s).Stream(minute(t), "MEETINGS"); err != nil {
		t.Errorf("the worker beside them: %v", err)
	}
}

// TestARoomIsAPlainNATS has a reader hear in its room what it says there itself.
func TestARoomIsAPlainNATS(t *testing.T) {
	s := start(t, embedded.Config{})
	conn, other := dial(t, s.URL()).Conn(), dial(t, s.URL()).Conn()
	own, err := conn.SubscribeSync("elsewhere")
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := other.SubscribeSync("elsewhere")
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(other.Flush(), conn.Publish("elsewhere", []byte("hello")), conn.Flush(), other.Flush()); err != nil {
		t.Fatal(err)
	}
	if m, err := own.NextMsgWithContext(minute(t)); err != nil || string(m.Data) != "hello" {
		t.Errorf("%v, %v", m, err)
	}
	if n, _, _ := theirs.Pending(); n != 0 {
		t.Error("another reader hears it")
	}
}

// TestConsumersOfReadersStayInMemory makes consumers: what is not durable
// leaves nothing to be written to the disk.
func TestConsumersOfReadersStayInMemory(t *testing.T) {
	s := start(t, embedded.Config{})
	ledgerOf(t, s)
	js := dial(t, s.URL())
	for durable, want := range map[string]bool{"": true, "theirs": false} {
		made, err := js.CreateConsumer(minute(t), "MEETINGS", jetstream.ConsumerConfig{Durable: durable, FilterSubject: "meetings.event.>"})
		if err != nil {
			t.Fatal(err)
		}
		if config := made.CachedInfo().Config; config.MemoryStorage != want || config.FilterSubject != "meetings.event.>" {
			t.Errorf("a consumer of the name %q is %+v", durable, config)
		}
	}
}
