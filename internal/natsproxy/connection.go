package natsproxy

import (
	"bufio"
	"context"
	"net"
	"sync"
	"time"
)

// connection is one client's way to the server and back.
type connection struct {
	proxy          *Proxy
	client, server net.Conn
	ctx            context.Context // ends with the connection
	end            context.CancelFunc

	mu      sync.Mutex
	batches map[string]*Moment // that are under way, by id
	asked   map[string]*Moment // whose answer is waited for, by reply subject
}

// run forwards until either end, the proxy or a verdict breaks the connection.
func (c *connection) run() {
	var both sync.WaitGroup
	both.Go(func() { defer c.cut(); c.forward(c.client, c.server, fromClient, c.fromClient) })
	both.Go(func() { defer c.cut(); c.forward(c.server, c.client, fromServer, c.fromServer) })
	both.Wait()
}

// cut breaks the connection at both ends. What was handed on before still arrives.
func (c *connection) cut() {
	c.end()
	_ = c.client.Close()
	_ = c.server.Close()
}

// send writes a frame and says whether the connection goes on.
type send func(f frame) bool

// forward hands on what from says to to.
func (c *connection) forward(from, to net.Conn, side int, decide func(frame, send) bool) {
	reader, writer := bufio.NewReaderSize(from, 64<<10), bufio.NewWriterSize(to, 64<<10)
	write := func(f frame) bool {
		_, err := writer.Write(f.bytes)
		return err == nil && writer.Flush() == nil
	}
	for {
		f, err := c.proxy.read(reader)
		if err != nil || !c.delay() || !c.heard(side) || !decide(f, write) {
			return
		}
	}
}

// heard waits while a side is kept silent; false: the connection has ended.
func (c *connection) heard(side int) bool {
	for c.proxy.silence[side].Load() {
		if !c.wait(glance) {
			return false
		}
	}
	return true
}

// delay lets the proxy's delay pass; false: the connection has ended.
func (c *connection) delay() bool { return c.wait(time.Duration(c.proxy.delay.Load())) }

func (c *connection) wait(d time.Duration) bool {
	if d <= 0 {
		return c.ctx.Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-c.ctx.Done():
		return false
	}
}

// fromClient hands a frame on to the server.
func (c *connection) fromClient(f frame, write send) bool {
	m := c.follow(f)
	last := m != nil && f.value("Nats-Batch-Commit") != ""
	if !last {
		if !write(f) {
			return false
		}
		return m == nil || m.Messages != 1 || c.ask(m, Begun, nil) != Cut
	}
	switch c.ask(m, Committing, nil) {
	case Drop:
		return true
	case Cut:
		return false
	}
	c.await(f.reply, m)
	return write(f) && c.ask(m, Committed, nil) != Cut
}

// follow notes a message of a batch and returns where the batch stands; nil for
// a frame that belongs to none.
func (c *connection) follow(f frame) *Moment {
	id := f.value("Nats-Batch-Id")
	if f.verb != "HPUB" || id == "" {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.batches[id] == nil || f.value("Nats-Batch-Sequence") == "1" {
		c.batches[id] = &Moment{Batch: id}
	}
	m := c.batches[id]
	m.Messages++
	m.Subject = f.subject
	if f.value("Nats-Batch-Commit") != "" {
		delete(c.batches, id)
	}
	return m
}

func (c *connection) await(reply string, m *Moment) {
	c.mu.Lock()
	defer c.mu.Unlock()
	answer := *m
	c.asked[reply] = &answer
}

// fromServer hands a frame on to the client.
func (c *connection) fromServer(f frame, write send) bool {
	m := c.awaited(f)
	if m == nil {
		return write(f)
	}
	switch c.ask(m, Acknowledged, f.payload) {
	case Drop:
		return true
	case Cut:
		return false
	}
	return write(f)
}

// awaited returns the batch that a message answers; nil for any other.
func (c *connection) awaited(f frame) *Moment {
	if f.verb != "MSG" && f.verb != "HMSG" {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	m := c.asked[f.subject]
	delete(c.asked, f.subject)
	return m
}

// ask asks the hook.
func (c *connection) ask(m *Moment, kind Kind, answer []byte) Verdict {
	hook := c.proxy.hook.Load()
	if hook == nil || *hook == nil {
		return Pass
	}
	at := *m
	at.Kind, at.Answer = kind, answer
	return (*hook)(c.ctx, at)
}
