package natsproxy

import (
	"bufio"
	"context"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// dialing bounds how long the server may take to accept a connection.
const dialing = 10 * time.Second

// The sides of a connection.
const (
	fromClient = iota
	fromServer
)

// glance is how often a connection looks whether it may speak again.
const glance = 20 * time.Millisecond

// Proxy listens on a port of loopback and forwards to one server. Its methods
// are safe for concurrent use.
type Proxy struct {
	server   string
	read     func(*bufio.Reader) (frame, error)
	listener net.Listener
	hook     atomic.Pointer[Hook]
	delay    atomic.Int64
	silence  [2]atomic.Bool // of client and server
	running  sync.WaitGroup

	mu      sync.Mutex
	refuses bool
	closed  bool
	open    map[*connection]bool
}

// Start starts a proxy in front of the server at an address, host:port, which
// need not be there yet. It is gone, with all its connections, when the test ends.
func Start(t testing.TB, server string) *Proxy {
	t.Helper()
	return start(t, server, readFrame)
}

// StartRoute is [Start] for what servers of a cluster say to one another: it knows
// nothing of their protocol, and asks no hook.
func StartRoute(t testing.TB, server string) *Proxy {
	t.Helper()
	return start(t, server, readSome)
}

func start(t testing.TB, server string, read func(*bufio.Reader) (frame, error)) *Proxy {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("listen for a proxy: %v", err)
	}
	p := &Proxy{server: server, read: read, listener: listener, open: map[*connection]bool{}}
	p.running.Go(p.accept)
	t.Cleanup(p.close)
	return p
}

// URL is where to connect to: nats://127.0.0.1:4222.
func (p *Proxy) URL() string { return "nats://" + p.Addr() }

// Addr is where the proxy listens: 127.0.0.1:4222.
func (p *Proxy) Addr() string { return p.listener.Addr().String() }

// SetHook has the hook asked from now on, in place of the one before; nil lets
// everything pass.
func (p *Proxy) SetHook(h Hook) { p.hook.Store(&h) }

// SetDelay delays each operation, in each direction, by d from now on.
func (p *Proxy) SetDelay(d time.Duration) { p.delay.Store(int64(d)) }

// Silence keeps back what clients say, what the server says, or both, as a network
// does that loses every packet one way or both ways. What was kept back arrives
// once that is over.
func (p *Proxy) Silence(clients, server bool) {
	p.silence[fromClient].Store(clients)
	p.silence[fromServer].Store(server)
}

// Cut breaks all connections; new ones are accepted.
func (p *Proxy) Cut() {
	for _, c := range p.connections() {
		c.cut()
	}
}

// Refuse breaks all connections, and hangs up on new ones until [Proxy.Restore].
func (p *Proxy) Refuse() {
	p.refuse(true)
	p.Cut()
}

// Restore accepts connections again after [Proxy.Refuse].
func (p *Proxy) Restore() { p.refuse(false) }

func (p *Proxy) refuse(yes bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refuses = yes
}

func (p *Proxy) connections() []*connection {
	p.mu.Lock()
	defer p.mu.Unlock()
	all := make([]*connection, 0, len(p.open))
	for c := range p.open {
		all = append(all, c)
	}
	return all
}

func (p *Proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.running.Go(func() { p.serve(client) })
	}
}

func (p *Proxy) serve(client net.Conn) {
	server, err := net.DialTimeout("tcp", p.server, dialing)
	if err != nil {
		_ = client.Close()
		return
	}
	ctx, end := context.WithCancel(context.Background())
	c := &connection{
		proxy: p, client: client, server: server, ctx: ctx, end: end,
		batches: map[string]*Moment{}, asked: map[string]*Moment{},
	}
	defer c.cut()
	if !p.admit(c) {
		return
	}
	defer p.forget(c)
	c.run()
}

// admit notes a connection, unless none is wanted.
func (p *Proxy) admit(c *connection) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.refuses || p.closed {
		return false
	}
	p.open[c] = true
	return true
}

func (p *Proxy) forget(c *connection) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.open, c)
}

func (p *Proxy) close() {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	_ = p.listener.Close()
	p.Cut()
	p.running.Wait()
}
