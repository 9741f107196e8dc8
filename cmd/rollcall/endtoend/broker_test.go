//go:build unix

package endtoend_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"rollcall/internal/natsproxy"
	"rollcall/internal/natstest"
)

// brokerVariable makes the test binary a nats-server with its store in the
// directory that it names, so that the broker is a process that can be killed.
const brokerVariable = "ROLLCALL_ENDTOEND_BROKER"

// beBroker serves until it is told to stop or whoever started it is gone.
func beBroker(dir, addr string) int {
	listen, err := net.ResolveTCPAddr("tcp", addr)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	options := &server.Options{
		Host: listen.IP.String(), Port: listen.Port, JetStream: true, StoreDir: dir, NoLog: true, NoSigs: true,
		MaxPayload: 4 << 20, SyncAlways: os.Getenv(brokerVariable+"_SYNC") == "always",
	}
	if routes := os.Getenv(brokerVariable + "_ROUTES"); routes != "" {
		clustered(options, strings.Split(routes, ","))
	}
	s, err := server.NewServer(options)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	s.Start()
	if !s.ReadyForConnections(patience) {
		fmt.Fprintln(os.Stderr, "not ready")
		return 1
	}
	fmt.Printf("listening on %s\n", s.Addr())
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		stop()
	}()
	<-ctx.Done()
	s.Shutdown()
	s.WaitForShutdown()
	return 0
}

// broker is a nats-server in a process of its own.
type broker struct {
	t       testing.TB
	dir     string
	addr    string
	sync    string                       // "always": each write is written through; otherwise every two minutes
	routes  string                       // of a cluster, its own first; "": it stands alone
	ways    map[*broker]*natsproxy.Proxy // to the other servers of its cluster
	disk    *disk                        // that dir is on, where it has one of its own
	process *process

	attacked sync.Mutex // held while something is done to it
}

func startBroker(t testing.TB) *broker {
	t.Helper()
	b := &broker{t: t, dir: t.TempDir(), addr: free(t)}
	b.start()
	return b
}

// start starts it, again with the same store on the same port.
func (b *broker) start() {
	b.t.Helper()
	self, err := os.Executable()
	if err != nil {
		b.t.Fatal(err)
	}
	b.process = launch(b.t, "the broker", self, []string{
		brokerVariable + "=" + b.dir, brokerVariable + "_ADDR=" + b.addr, brokerVariable + "_ROUTES=" + b.routes, brokerVariable + "_SYNC=" + b.sync,
	})
	eventually(b.t, "the broker listens", func() bool { return b.process.out.has("\n") || !b.process.alive() })
	_, addr, ok := strings.Cut(strings.TrimSpace(b.process.out.String()), "listening on ")
	if !ok {
		b.t.Fatalf("start the broker: %s", b.process.err)
	}
	b.addr = addr
}

func (b *broker) stop() { b.process.stop() }
func (b *broker) kill() { b.process.kill() }

func (b *broker) url() string { return "nats://" + b.addr }

// connect gives a connection straight to the broker.
func (b *broker) connect() (*nats.Conn, jetstream.JetStream) {
	b.t.Helper()
	conn := natstest.Connect(b.t, b.url(), nats.PingInterval(5*time.Second))
	js, err := jetstream.New(conn)
	if err != nil {
		b.t.Fatal(err)
	}
	return conn, js
}
