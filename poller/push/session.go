package push

import (
	"context"
	"crypto/sha256"
	"errors"
	"sync"
	"time"

	"github.com/coder/websocket"

	"rollcall/internal/wait"
)

const (
	// largest is the longest message that is read, in bytes.
	largest = 1 << 20
	// answering bounds how long an acknowledgement may take to be sent: DingTalk
	// waits for 3 s.
	answering = 3 * time.Second
	// unsent is how many acknowledgements may wait to be sent.
	unsent = 1024
	// glance is how often it is asked whose it is to hear. While two hear, each
	// passes on what it hears.
	glance = 5 * time.Second
	// announcing is how often others are told that pushes are heard, which they
	// believe for [Believed].
	announcing = 10 * time.Second
	// probing is how often a connection on which all is quiet is tried.
	probing = 30 * time.Second
)

// Believed is for how long a word that pushes are healthy holds.
const Believed = 3 * announcing

// connected makes a connection and hears on it until it ends; the error says why.
func (l *Listener) connected(ctx context.Context, works func()) error {
	conn, err := l.connect(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = conn.CloseNow() }() // it may be over
	works()
	ctx, end := context.WithCancelCause(ctx)
	var beside sync.WaitGroup
	defer beside.Wait()
	defer end(nil)
	answers := make(chan []byte, unsent)
	beside.Go(func() { l.accompany(ctx, conn, end) })
	beside.Go(func() { send(ctx, conn, answers, end) })
	beside.Go(func() { l.meter(ctx, end) })
	err = l.hear(ctx, conn, answers)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// hear reads, acknowledges and sorts what comes, until the connection ends. It
// does not wait until an answer is sent: the other side may be waiting for it to
// read on.
func (l *Listener) hear(ctx context.Context, conn *websocket.Conn, answers chan<- []byte) error {
	for {
		kind, message, err := conn.Read(ctx)
		if err != nil {
			return l.broken(err)
		}
		f, err := readFrame(message)
		if err != nil || kind != websocket.MessageText {
			l.note(Garbage)
			continue
		}
		answer, err := f.acknowledgement()
		if err != nil {
			return err
		}
		select {
		case answers <- answer:
		default:
			return errUnanswered
		}
		switch {
		case f.Type == typeSystem && f.Headers.Topic == topicDisconnect:
			return errMoved
		case f.Type == typeEvent:
			l.events.Add(1)
			wake(l.came)
			l.sort(&f)
		}
	}
}

// errUnanswered ends a connection whose other side takes no answers.
var errUnanswered = errors.New("the connection for pushes takes no acknowledgements any more")

// send sends the answers as they come.
func send(ctx context.Context, conn *websocket.Conn, answers <-chan []byte, end context.CancelCauseFunc) {
	for {
		select {
		case <-ctx.Done():
			return
		case answer := <-answers:
			bound, cancel := context.WithTimeout(ctx, answering)
			err := conn.Write(bound, websocket.MessageText, answer)
			late := bound.Err() != nil
			cancel()
			switch {
			case err != nil && late:
				end(errUnanswered)
				return
			case err != nil:
				return // whoever reads says why
			}
		}
	}
}

// meter counts the events of a connection, and ends it when no more may come.
func (l *Listener) meter(ctx context.Context, end context.CancelCauseFunc) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-l.came:
			if err := l.count(ctx); err != nil && ctx.Err() == nil {
				end(err)
				return
			}
		}
	}
}

// errTooLarge ends a connection: what follows a message that is not read to its
// end cannot be read either.
var errTooLarge = errors.New("a push is larger than 1 MiB, which ends the connection")

// broken says why a connection ended.
func (l *Listener) broken(err error) error {
	if errors.Is(err, websocket.ErrMessageTooBig) {
		l.note(Overlarge)
		return errTooLarge
	}
	return errors.New("the connection for pushes has ended: " + plain(err))
}

// sort decides what an event is good for, and hands it on.
func (l *Listener) sort(f *frame) {
	h, known, ok := hintOf(f)
	if known {
		l.heard.Store(time.Now().UnixMilli())
	}
	switch {
	case !known:
		l.note(Unneeded)
	case l.repeated(string(f.Headers.EventID)):
		l.note(Repeated)
	case !ok:
		l.note(Unneeded)
	case l.outdated(&h):
		l.note(Outdated)
	default:
		l.note(Taken)
		l.inbox.put(h)
	}
}

// repeated reports whether an event came before.
func (l *Listener) repeated(eventID string) bool {
	if eventID == "" {
		return false
	}
	key := sha256.Sum256([]byte(eventID))
	_, before := l.seen.get(key)
	l.seen.put(key, 0)
	return before
}

// outdated reports whether a newer event about the same came before.
func (l *Listener) outdated(h *hint) bool {
	last, _ := l.order.get(h.about)
	if h.stale(last) {
		return true
	}
	if h.number > 0 {
		l.order.put(h.about, h.number)
	}
	return false
}

// accompany tells others how pushes are, tries a quiet connection, and ends it
// when it is another worker's to hear.
func (l *Listener) accompany(ctx context.Context, conn *websocket.Conn, end context.CancelCauseFunc) {
	l.announce(true)
	defer l.announce(false)
	told, tried, healthy := time.Now(), time.Now(), l.healthy()
	for wait.For(ctx, glance) {
		if _, looks := l.Tracker.Busy(l.Tenant); !looks {
			end(errElsewhere)
			return
		}
		if now := l.healthy(); now != healthy || time.Since(told) >= announcing {
			healthy, told = now, time.Now()
			l.Tracker.Hinted(l.Tenant, nil, now)
		}
		if time.Since(tried) >= probing {
			tried = time.Now()
			if err := probe(ctx, conn); err != nil {
				end(err)
				return
			}
		}
	}
}

// announce says that the connection stands, or has ended.
func (l *Listener) announce(stands bool) {
	if l.Metrics.Connected != nil {
		l.Metrics.Connected(stands)
	}
	l.Tracker.Hinted(l.Tenant, nil, stands && l.healthy())
}

func probe(ctx context.Context, conn *websocket.Conn) error {
	ctx, cancel := context.WithTimeout(ctx, dialing)
	defer cancel()
	if conn.Ping(ctx) != nil {
		return errors.New("the connection for pushes does not answer any more")
	}
	return nil
}
