package simulator

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/coder/websocket"
)

// connectPath is where the gateway has connections made.
const connectPath = "/connect"

const (
	// pinging is how often DingTalk looks whether somebody still hears.
	pinging = 30 * time.Second
	// lateAfter is how long it waits for an acknowledgement.
	lateAfter = 3 * time.Second
	// closing is how long after saying so it ends a connection.
	closing = 10 * time.Second
)

// parcel is one message to somebody who hears.
type parcel struct {
	messageID string
	system    string // the topic of what is no event; "" for an event, and for what is no message at all
	body      []byte
	due       time.Time // not sent before
	breaks    bool      // the connection is broken in its place
}

// link is one connection. What is put into it is sent in order, what is due later
// is overtaken.
type link struct {
	wake chan struct{} // holds one when there is something

	mu      sync.Mutex // guards what follows
	waiting []parcel
	sent    map[string]time.Time // what is not acknowledged yet
}

func (l *link) put(p parcel) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.waiting = append(l.waiting, p)
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// take returns the first that is due; otherwise how long nothing is.
func (l *link) take(now time.Time) (p parcel, found bool, rest time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	rest = pinging
	for i, p := range l.waiting {
		if !p.due.After(now) {
			l.waiting = slices.Delete(l.waiting, i, i+1)
			if p.messageID != "" && p.system == "" {
				l.sent[p.messageID] = now
			}
			return p, true, 0
		}
		rest = min(rest, p.due.Sub(now))
	}
	return parcel{}, false, rest
}

// acknowledged reports whether a message waits for its acknowledgement, which has
// now come, and whether that is late.
func (l *link) acknowledged(messageID string) (known, late bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	at, known := l.sent[messageID]
	delete(l.sent, messageID)
	return known, time.Since(at) > lateAfter
}

// connect serves a connection that pushes go to, until either side ends it.
func (p *pushes) connect(w http.ResponseWriter, r *http.Request) {
	p.lock.Lock()
	err := p.admit(r.URL.Query().Get("ticket"))
	p.lock.Unlock()
	if err != nil {
		http.Error(w, err.Error(), http.StatusUnauthorized)
		return
	}
	conn, err := websocket.Accept(w, r, nil)
	if err != nil {
		return // the caller was told
	}
	defer func() { _ = conn.CloseNow() }()
	ctx, end := context.WithCancel(r.Context())
	l := &link{wake: make(chan struct{}, 1), sent: map[string]time.Time{}}
	p.join(l)
	var reading sync.WaitGroup
	reading.Go(func() { defer end(); p.readAcks(ctx, conn, l) })
	p.sendTo(ctx, conn, l)
	p.part(l)
	end()
	reading.Wait()
}

func (p *pushes) join(l *link) {
	p.lock.Lock()
	defer p.lock.Unlock()
	p.links = append(p.links, l)
}

func (p *pushes) part(l *link) {
	p.lock.Lock()
	defer p.lock.Unlock()
	p.links = slices.DeleteFunc(p.links, func(other *link) bool { return other == l })
	for _, left := range l.waiting {
		if left.system == "" && left.messageID != "" {
			p.counts.Lost++
		}
	}
}

// sendTo sends what waits, and pings where nothing does.
func (p *pushes) sendTo(ctx context.Context, conn *websocket.Conn, l *link) {
	pinged := time.Now()
	for {
		next, found, rest := l.take(time.Now())
		switch {
		case found && !p.send(ctx, conn, next):
			return
		case found:
			continue
		case time.Since(pinged) >= pinging:
			pinged = time.Now()
			l.put(p.ping())
			continue
		}
		timer := time.NewTimer(rest)
		select {
		case <-l.wake:
			timer.Stop()
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return
		}
	}
}

// send sends one message, and reports whether the connection goes on.
func (p *pushes) send(ctx context.Context, conn *websocket.Conn, next parcel) bool {
	if next.breaks || conn.Write(ctx, websocket.MessageText, next.body) != nil {
		return false
	}
	if next.system == "" && next.messageID != "" {
		p.lock.Lock()
		p.counts.Sent++
		p.lock.Unlock()
	}
	if next.system == "disconnect" {
		// Whoever is told goes; whoever does not is put out.
		bound, cancel := context.WithTimeout(ctx, closing)
		<-bound.Done()
		cancel()
		return false
	}
	return true
}

func (p *pushes) ping() parcel {
	p.lock.Lock()
	defer p.lock.Unlock()
	return p.system("ping", `{"opaque":"`+text(p.rng, hexDigits, 8)+`"}`)
}

// readAcks notes what is acknowledged, until the connection ends.
func (p *pushes) readAcks(ctx context.Context, conn *websocket.Conn, l *link) {
	for {
		_, message, err := conn.Read(ctx)
		if err != nil {
			return
		}
		var ack struct {
			Code    int               `json:"code"`
			Headers map[string]string `json:"headers"`
		}
		if json.Unmarshal(message, &ack) != nil || ack.Code != http.StatusOK {
			continue
		}
		if known, late := l.acknowledged(ack.Headers["messageId"]); known {
			p.noteAck(late)
		}
	}
}

func (p *pushes) noteAck(late bool) {
	p.lock.Lock()
	defer p.lock.Unlock()
	p.counts.Acked++
	if late {
		p.counts.Late++
	}
}
