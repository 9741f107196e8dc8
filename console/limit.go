package console

import (
	"net"
	"net/http"
	"sync"
)

// limited is a listener with at most so many open connections. When they are
// all taken, the next one takes the place of the one that has waited longest
// for its next question, since that is what nobody misses: a client being
// answered keeps its own. While all are being answered the next one waits.
type limited struct {
	net.Listener
	most int

	mu     sync.Mutex
	left   *sync.Cond // a place was left, or the listener is closed
	open   int
	silent map[net.Conn]uint64 // connections without a question, and their turn
	turn   uint64
	closed bool
}

func limit(l net.Listener, most int) *limited {
	limited := &limited{Listener: l, most: most, silent: make(map[net.Conn]uint64)}
	limited.left = sync.NewCond(&limited.mu)
	return limited
}

func (l *limited) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	if !l.place() {
		_ = conn.Close() // nobody answers it now
		return nil, net.ErrClosed
	}
	counted := &counted{Conn: conn}
	counted.leave = sync.OnceFunc(func() { l.leave(counted) })
	return counted, nil
}

// place finds a place for one more; false: the listener is closed.
func (l *limited) place() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for l.open >= l.most && !l.closed {
		longest := l.longest()
		if longest == nil {
			l.left.Wait()
			continue
		}
		delete(l.silent, longest)
		l.mu.Unlock()
		_ = longest.Close() // the client had nothing to say
		l.mu.Lock()
	}
	l.open++
	return !l.closed
}

// longest returns the connection that has been silent for longest; nil: none is.
func (l *limited) longest() (found net.Conn) {
	for conn, turn := range l.silent {
		if found == nil || turn < l.silent[found] {
			found = conn
		}
	}
	return found
}

// follow is called with what becomes of each connection.
func (l *limited) follow(conn net.Conn, state http.ConnState) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.silent, conn)
	if state == http.StateNew || state == http.StateIdle {
		l.turn++
		l.silent[conn] = l.turn
		l.left.Signal()
	}
}

func (l *limited) leave(conn net.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.silent, conn)
	l.open--
	l.left.Signal()
}

func (l *limited) Close() error {
	l.mu.Lock()
	l.closed = true
	l.left.Broadcast()
	l.mu.Unlock()
	return l.Listener.Close()
}

// counted leaves its place once, however often it is closed.
type counted struct {
	net.Conn
	leave func()
}

func (c *counted) Close() error {
	defer c.leave()
	return c.Conn.Close()
}
