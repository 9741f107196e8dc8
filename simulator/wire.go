package simulator

import (
	"context"
	"net"
	"net/http"
	"sync"
	"time"
)

// Wire connects an http.Client to an http.Server over pipes in memory: real
// HTTP without a socket, so that it works inside a testing/synctest bubble, with
// all faults. Close it when done.
type Wire struct {
	server  *http.Server
	client  *http.Client
	calls   chan net.Conn
	closed  chan struct{}
	hangUp  sync.Once
	serving sync.WaitGroup
}

// NewWire begins to serve a handler.
func NewWire(handler http.Handler) *Wire {
	w := &Wire{calls: make(chan net.Conn), closed: make(chan struct{})}
	w.server = &http.Server{Handler: handler, ReadHeaderTimeout: time.Minute}
	w.client = &http.Client{Transport: &http.Transport{DialContext: w.dial}}
	w.serving.Go(func() { _ = w.server.Serve(exchange{w}) })
	return w
}

// Client returns the client; it reaches the handler by whatever http:// address.
func (w *Wire) Client() *http.Client { return w.client }

// Close ends all connections and returns once nothing more is served.
func (w *Wire) Close() {
	w.hangUp.Do(func() { close(w.closed) })
	w.client.CloseIdleConnections()
	_ = w.server.Close()
	w.serving.Wait()
}

func (w *Wire) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	here, there := net.Pipe()
	select {
	case w.calls <- there:
		return here, nil
	case <-w.closed:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// exchange is the listener's side of a wire.
type exchange struct{ wire *Wire }

func (e exchange) Accept() (net.Conn, error) {
	select {
	case conn := <-e.wire.calls:
		return conn, nil
	case <-e.wire.closed:
		return nil, net.ErrClosed
	}
}

func (e exchange) Close() error {
	e.wire.hangUp.Do(func() { close(e.wire.closed) })
	return nil
}

func (e exchange) Addr() net.Addr { return pipeAddr{} }

type pipeAddr struct{}

func (pipeAddr) Network() string { return "pipe" }
func (pipeAddr) String() string  { return "pipe" }
