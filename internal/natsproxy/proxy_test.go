package natsproxy_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"rollcall/internal/natsproxy"
	"rollcall/internal/natstest"
)

// bench is a server with a stream that takes batches, and a client that
// reaches it through a proxy.
type bench struct {
	server *natstest.Server
	proxy  *natsproxy.Proxy
	client *nats.Conn
	stream jetstream.Stream // straight from the server
}

func newBench(t *testing.T, options ...nats.Option) *bench {
	t.Helper()
	server := natstest.Start(t)
	stream, err := server.JetStream(t).CreateStream(t.Context(), jetstream.StreamConfig{
		Name: "S", Subjects: []string{"s.>"}, AllowAtomicPublish: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	proxy := natsproxy.Start(t, server.Addr())
	return &bench{server, proxy, natstest.Connect(t, proxy.URL(), options...), stream}
}

// batch sends n messages as one atomic batch and gives the server's answer.
func (b *bench) batch(ctx context.Context, id string, n int) (string, error) {
	for i := 1; i < n; i++ {
		if err := b.client.PublishMsg(message(id, i, false)); err != nil {
			return "", err
		}
	}
	reply, err := b.client.RequestMsgWithContext(ctx, message(id, n, true))
	if err != nil {
		return "", err
	}
	return string(reply.Data), nil
}

func message(id string, sequence int, last bool) *nats.Msg {
	m := nats.NewMsg("s." + strconv.Itoa(sequence))
	m.Header.Set("Nats-Batch-Id", id)
	m.Header.Set("Nats-Batch-Sequence", strconv.Itoa(sequence))
	if last {
		m.Header.Set("Nats-Batch-Commit", "1")
	}
	m.Data = []byte("payload of " + id)
	return m
}

func (b *bench) stored(t *testing.T) uint64 {
	t.Helper()
	info, err := b.stream.Info(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return info.State.Msgs
}

func minute(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// course writes down every moment.
type course struct {
	mu   sync.Mutex
	seen []string
}

func (c *course) hook(_ context.Context, m natsproxy.Moment) natsproxy.Verdict {
	c.mu.Lock()
	defer c.mu.Unlock()
	word := fmt.Sprintf("%s %s %d %s", m.Batch, m.Kind, m.Messages, m.Subject)
	if m.Kind == natsproxy.Acknowledged && strings.Contains(string(m.Answer), `"error"`) {
		word += " refused"
	}
	c.seen = append(c.seen, word)
	return natsproxy.Pass
}

func (c *course) sorted() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Sorted(slices.Values(c.seen))
}

func TestMomentsOfBatches(t *testing.T) {
	b := newBench(t)
	var c course
	b.proxy.SetHook(c.hook)
	for id, n := range map[string]int{"three": 3, "one": 1} {
		answer, err := b.batch(minute(t), id, n)
		if err != nil || !strings.Contains(answer, fmt.Sprintf(`"count":%d`, n)) {
			t.Fatalf("batch %s: %s, %v", id, answer, err)
		}
	}
	stale := message("stale", 1, true)
	stale.Header.Set("Nats-Expected-Last-Subject-Sequence", "4711")
	if _, err := b.client.RequestMsgWithContext(minute(t), stale); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"one acknowledged 1 s.1", "one committed 1 s.1", "one committing 1 s.1",
		"stale acknowledged 1 s.1 refused", "stale committed 1 s.1", "stale committing 1 s.1",
		"three acknowledged 3 s.3", "three begun 1 s.1", "three committed 3 s.3", "three committing 3 s.3",
	}
	if got := c.sorted(); !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if n := b.stored(t); n != 4 {
		t.Errorf("%d messages are stored, want 4", n)
	}
}

func TestVerdicts(t *testing.T) {
	for _, c := range []struct {
		kind    natsproxy.Kind
		verdict natsproxy.Verdict
		stored  uint64
	}{
		{natsproxy.Begun, natsproxy.Cut, 0},
		{natsproxy.Committing, natsproxy.Drop, 0},
		{natsproxy.Committing, natsproxy.Cut, 0},
		{natsproxy.Acknowledged, natsproxy.Drop, 2},
		{natsproxy.Acknowledged, natsproxy.Cut, 2},
	} {
		t.Run(fmt.Sprintf("%s/%d", c.kind, c.verdict), func(t *testing.T) {
			t.Parallel()
			lost, met := make(chan struct{}, 1), make(chan struct{}, 1)
			b := newBench(t, nats.DisconnectErrHandler(func(*nats.Conn, error) { lost <- struct{}{} }))
			ctx, giveUp := context.WithCancel(minute(t))
			b.proxy.SetHook(func(_ context.Context, m natsproxy.Moment) natsproxy.Verdict {
				if m.Kind != c.kind {
					return natsproxy.Pass
				}
				met <- struct{}{}
				return c.verdict
			})
			go func() {
				defer giveUp()
				<-met
				if c.verdict == natsproxy.Cut {
					<-lost
					return
				}
				_ = b.client.FlushTimeout(time.Minute) // what comes before the PONG has come
			}()
			if answer, err := b.batch(ctx, "b", 2); err == nil {
				t.Fatalf("the answer came through: %s", answer)
			}
			b.proxy.SetHook(nil)
			b.settle(t)
			if n := b.stored(t) - 1; n != c.stored {
				t.Errorf("%d messages of the batch are stored, want %d", n, c.stored)
			}
		})
	}
}

// settle commits one more message over a connection of its own.
func (b *bench) settle(t *testing.T) {
	t.Helper()
	after := *b
	after.client = natstest.Connect(t, b.proxy.URL())
	if answer, err := after.batch(minute(t), "after", 1); err != nil || !strings.Contains(answer, `"count":1`) {
		t.Fatalf("a batch afterwards: %s, %v", answer, err)
	}
}

func TestHoldAtBegunStoresNothing(t *testing.T) {
	b := newBench(t)
	held, release := make(chan struct{}, 1), make(chan struct{})
	b.proxy.SetHook(func(ctx context.Context, m natsproxy.Moment) natsproxy.Verdict {
		if m.Kind == natsproxy.Begun {
			held <- struct{}{}
			select {
			case <-release:
			case <-ctx.Done():
			}
		}
		return natsproxy.Pass
	})
	answered := make(chan error, 1)
	go func() { _, err := b.batch(minute(t), "held", 3); answered <- err }()
	select {
	case <-held:
	case <-minute(t).Done():
		t.Fatal("the batch was not held")
	}
	if n := b.stored(t); n != 0 {
		t.Errorf("%d messages of a batch that is held are stored", n)
	}
	close(release)
	if err := <-answered; err != nil {
		t.Fatal(err)
	}
	if n := b.stored(t); n != 3 {
		t.Errorf("%d messages are stored, want 3", n)
	}
}

func TestRefuseAndRestore(t *testing.T) {
	lost, back := make(chan struct{}, 1), make(chan struct{}, 1)
	b := newBench(t,
		nats.DisconnectErrHandler(func(*nats.Conn, error) { lost <- struct{}{} }),
		nats.ReconnectHandler(func(*nats.Conn) { back <- struct{}{} }))
	b.proxy.Refuse()
	<-lost
	if _, err := nats.Connect(b.proxy.URL()); err == nil {
		t.Error("a new connection was let in while all are refused")
	}
	if b.client.IsConnected() {
		t.Error("the old connection lives while all are refused")
	}
	b.proxy.Restore()
	<-back
	if _, err := b.batch(minute(t), "b", 2); err != nil {
		t.Errorf("after the restore: %v", err)
	}
	b.proxy.Cut()
	<-lost
	<-back
}

func TestDelayIsAtLeastThat(t *testing.T) {
	b := newBench(t)
	const delay = 50 * time.Millisecond
	b.proxy.SetDelay(delay)
	if rtt, err := b.client.RTT(); err != nil || rtt < 2*delay {
		t.Errorf("there and back took %s, %v; want at least %s", rtt, err, 2*delay)
	}
	b.proxy.SetDelay(0)
	if _, err := b.client.RTT(); err != nil {
		t.Error(err)
	}
}

// TestSilenceKeepsBackOneSide has a server hear nothing for a while, and then a client.
func TestSilenceKeepsBackOneSide(t *testing.T) {
	b := newBench(t)
	for _, clients := range []bool{true, false} {
		b.proxy.Silence(clients, !clients)
		heard := make(chan error, 1)
		go func() {
			_, err := b.client.RTT()
			heard <- err
		}()
		select {
		case err := <-heard:
			t.Fatalf("an answer came through the silence: %v", err)
		case <-time.After(200 * time.Millisecond):
		}
		b.proxy.Silence(false, false)
		if err := <-heard; err != nil {
			t.Errorf("what was kept back did not arrive: %v", err)
		}
	}
}

// TestEverythingElsePasses sends what has the looks of the protocol through
// both directions.
func TestEverythingElsePasses(t *testing.T) {
	b := newBench(t)
	got := make(chan *nats.Msg, 10)
	if _, err := b.client.ChanSubscribe("c.>", got); err != nil {
		t.Fatal(err)
	}
	if _, err := b.client.Subscribe("ask", func(m *nats.Msg) { _ = m.Respond([]byte("answer\r\n")) }); err != nil {
		t.Fatal(err)
	}
	for _, payload := range []string{"", "\r\n", "PUB c.x 4\r\nfour\r\n", strings.Repeat("x", 300_000)} {
		sent := &nats.Msg{Subject: "c.d", Data: []byte(payload), Header: nats.Header{"K": {"a", "b: c"}}}
		if err := errors.Join(b.client.PublishMsg(sent), b.client.Publish("c.plain", sent.Data)); err != nil {
			t.Fatal(err)
		}
		with, without := <-got, <-got
		if string(with.Data) != payload || with.Header.Values("K")[1] != "b: c" || string(without.Data) != payload {
			t.Errorf("a payload of %d bytes came through as %d and %d bytes, with %v",
				len(payload), len(with.Data), len(without.Data), with.Header)
		}
	}
	reply, err := b.client.RequestWithContext(minute(t), "ask", nil)
	if err != nil || string(reply.Data) != "answer\r\n" {
		t.Errorf("got %v, %v", reply, err)
	}
}

// TestRoutesPassWhateverTheySay sends what no client of NATS says, and what looks like
// the beginning of something else, without an end.
func TestRoutesPassWhateverTheySay(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		if c, err := l.Accept(); err == nil {
			_, _ = io.Copy(c, c)
		}
	}()
	c, err := net.Dial("tcp", natsproxy.StartRoute(t, l.Addr().String()).Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for _, said := range []string{"RMSG $G a 3\r\nabc\r\n", "HPUB", " a 99999999", "\x00\xff", strings.Repeat("x", 300_000)} {
		go func() { _, _ = io.WriteString(c, said) }()
		heard := make([]byte, len(said))
		if _, err := io.ReadFull(c, heard); err != nil || string(heard) != said {
			t.Errorf("%.20q came back as %.20q: %v", said, heard, err)
		}
	}
}

func TestUnreachableServer(t *testing.T) {
	server := natstest.Start(t)
	proxy := natsproxy.Start(t, server.Addr())
	server.Stop()
	if _, err := nats.Connect(proxy.URL()); err == nil {
		t.Error("connected to a server that is not there")
	}
	server.Restart()
	if _, err := natstest.Connect(t, proxy.URL()).RTT(); err != nil {
		t.Error(err)
	}
}
