package embedded_test

import (
	"bufio"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"rollcall/internal/embedded"
)

// stall subscribes to everything and reads nothing more.
func stall(t *testing.T, url string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(url, "nats://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.(*net.TCPConn).SetReadBuffer(4096)
	in := bufio.NewReader(conn)
	if _, err := in.ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Fprint(conn, "CONNECT {\"verbose\":false}\r\nSUB meetings.event.loud 1\r\nPING\r\n"); err != nil {
		t.Fatal(err)
	}
	if pong, err := in.ReadString('\n'); err != nil || !strings.HasPrefix(pong, "PONG") {
		t.Fatalf("%q, %v", pong, err)
	}
	return conn
}

func TestReadersWhoDoNotReadAreDropped(t *testing.T) {
	s := start(t, embedded.Config{})
	js := asWorker(t, s)
	careful, err := nats.Connect(s.URL())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(careful.Close)
	heard := make(chan *nats.Msg, 1000)
	if _, err := careful.ChanSubscribe("meetings.event.loud", heard); err != nil {
		t.Fatal(err)
	}
	if err := careful.Flush(); err != nil {
		t.Fatal(err)
	}
	for range 20 {
		stall(t, s.URL())
	}
	loud(t, js, s, 64)
	for range 64 {
		select {
		case <-heard:
		case <-time.After(time.Minute):
			t.Fatal("whoever reads was not told everything")
		}
	}
	if careful.Stats().Reconnects > 0 || js.Conn().Stats().Reconnects > 0 {
		t.Error("whoever reads was disconnected")
	}
}

// loud publishes messages of a megabyte each and holds what is unread against
// its bound meanwhile.
func loud(t *testing.T, js jetstream.JetStream, s *embedded.Server, n int) {
	t.Helper()
	for range n {
		if err := js.Conn().Publish("meetings.event.loud", make([]byte, 1<<20)); err != nil {
			t.Fatal(err)
		}
		if err := js.Conn().Flush(); err != nil {
			t.Fatal(err)
		}
	}
	for unread := s.Unread(); unread > 64<<20; unread = s.Unread() {
		select {
		case <-t.Context().Done():
			return
		case <-time.After(10 * time.Millisecond):
		}
	}
}
