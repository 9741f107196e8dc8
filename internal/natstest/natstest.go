// Package natstest starts a real nats-server inside a test. It promises a
// server with JetStream on file storage that is gone, with all its connections,
// when the test ends, and that can be stopped and started again on the same
// store and the same port, as a broker is that crashes and comes back.
package natstest

import (
	"net"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// startup bounds how long a server may take to listen on a busy machine.
const startup = time.Minute

// Server is a nats-server of one test. Its methods are safe for concurrent use.
type Server struct {
	t       testing.TB
	options server.Options
	mu      sync.Mutex
	running *server.Server // nil while stopped
}

// Start starts a server with JetStream on a free port of loopback. It is
// stopped when the test ends.
func Start(t testing.TB) *Server {
	t.Helper()
	return StartWith(t, server.Options{})
}

// StartWith is [Start] with settings of nats-server; those about the address
// and the store are filled in where they are empty.
func StartWith(t testing.TB, options server.Options) *Server {
	t.Helper()
	if options.Host == "" {
		options.Host = "127.0.0.1"
	}
	if options.StoreDir == "" {
		options.StoreDir = t.TempDir()
	}
	if options.Port == 0 {
		options.Port = server.RANDOM_PORT
	}
	options.JetStream, options.NoLog, options.NoSigs = true, true, true
	s := &Server{t: t, options: options}
	s.Restart()
	t.Cleanup(s.Stop)
	return s
}

// URL is where the server listens, also while it is stopped: nats://127.0.0.1:4222.
func (s *Server) URL() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return "nats://" + s.addr()
}

// Addr is where the server listens, also while it is stopped: 127.0.0.1:4222.
func (s *Server) Addr() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.addr()
}

func (s *Server) addr() string {
	return (&net.TCPAddr{IP: net.ParseIP(s.options.Host), Port: s.options.Port}).String()
}

// Stop takes the server away and waits until it is gone. Stopping a stopped
// server does nothing.
func (s *Server) Stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running == nil {
		return
	}
	s.running.Shutdown()
	s.running.WaitForShutdown()
	s.running = nil
}

// Restart starts the server again on its port and its store, stopping it
// before where it still runs.
func (s *Server) Restart() {
	s.t.Helper()
	s.Stop()
	s.mu.Lock()
	defer s.mu.Unlock()
	options := s.options
	running, err := server.NewServer(&options)
	if err != nil {
		s.t.Fatalf("make a nats-server: %v", err)
	}
	running.Start()
	if !running.ReadyForConnections(startup) {
		running.Shutdown()
		s.t.Fatalf("the nats-server did not listen within %s", startup)
	}
	s.options.Port = running.Addr().(*net.TCPAddr).Port
	s.running = running
}

// Connect returns a connection that reconnects forever and keeps nothing to be
// sent later, as Rollcall's own do. It is closed when the test ends.
func (s *Server) Connect(t testing.TB, options ...nats.Option) *nats.Conn {
	t.Helper()
	return Connect(t, s.URL(), options...)
}

// JetStream is [Server.Connect] with the JetStream API on it.
func (s *Server) JetStream(t testing.TB, options ...nats.Option) jetstream.JetStream {
	t.Helper()
	js, err := jetstream.New(s.Connect(t, options...))
	if err != nil {
		t.Fatalf("open JetStream: %v", err)
	}
	return js
}

// Connect connects to any address as [Server.Connect] does, such as that of a
// proxy in front of the server.
func Connect(t testing.TB, url string, options ...nats.Option) *nats.Conn {
	t.Helper()
	options = append([]nats.Option{
		nats.MaxReconnects(-1), nats.ReconnectBufSize(-1),
		nats.ReconnectWait(20 * time.Millisecond), nats.ReconnectJitter(0, 0),
		nats.Timeout(startup),
		// What a test provokes is not to be printed.
		nats.ErrorHandler(func(*nats.Conn, *nats.Subscription, error) {}),
	}, options...)
	conn, err := nats.Connect(url, options...)
	if err != nil {
		t.Fatalf("connect to %s: %v", url, err)
	}
	t.Cleanup(conn.Close)
	return conn
}

// Limit sets how much of JetStream a user's account may take.
func (s *Server) Limit(limits server.JetStreamAccountLimits) {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.running.GlobalAccount().UpdateJetStreamLimits(map[string]server.JetStreamAccountLimits{"": limits}); err != nil {
		s.t.Fatal(err)
	}
}
