package control

import (
	"context"
	"time"

	"github.com/nats-io/nats.go"

	"rollcall/worker"
)

// retryEvery is after how long a request that nobody has answered is passed on
// again: its shard may just be changing hands.
const retryEvery = 500 * time.Millisecond

// grace is what a passed on request may take longer than one that is not.
const grace = time.Second

// forward lets the worker that holds the meeting's shard do what is wanted, and
// returns its answer as it is.
func (e *endpoint) forward(ctx context.Context, id string, data []byte) reply {
	ctx, cancel := context.WithTimeoutCause(ctx, limit(e.verb)+grace, worker.ErrNotHeld)
	defer cancel()
	var answer reply
	err := e.broadcast(ctx, data, func(m *nats.Msg) bool {
		answer = reply{header: m.Header, body: m.Data}
		return true
	})
	if err != nil {
		return problemOf(err, e.tenant.Name, e.verb, id).reply()
	}
	return answer
}

// broadcast passes a request on to the other workers, again and again, until an
// answer is enough (nil) or ctx ends (its cause).
func (e *endpoint) broadcast(ctx context.Context, data []byte, enough func(*nats.Msg) bool) error {
	conn := e.service.conn
	inbox := conn.NewInbox()
	answers := make(chan *nats.Msg, 4*atOnce)
	sub, err := conn.ChanSubscribe(inbox, answers)
	if err != nil {
		return err
	}
	defer func() { _ = sub.Unsubscribe() }() // where that fails the connection is gone
	again := time.NewTicker(retryEvery)
	defer again.Stop()
	for {
		if err := conn.PublishRequest(e.service.names.Shard(e.tenant.Name, e.verb), inbox, data); err != nil {
			return err
		}
		if listen(ctx, answers, again.C, enough) {
			return nil
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
}

// listen takes answers until one is enough (true), or until ctx ends or it is
// time to ask again (false).
func listen(ctx context.Context, answers <-chan *nats.Msg, again <-chan time.Time, enough func(*nats.Msg) bool) bool {
	for {
		select {
		case m := <-answers:
			if enough(m) {
				return true
			}
		case <-again:
			return false
		case <-ctx.Done():
			return false
		}
	}
}

// handleForwarded answers what another worker passes on, if this one holds the shard;
// otherwise it is silent, as it is when it cannot take more: the other asks again.
func (e *endpoint) handleForwarded(m *nats.Msg) {
	wanted, err := decodeRequest(e.verb, m.Data)
	s := e.service
	if err != nil || m.Reply == "" || !s.begin(m.Reply) {
		return
	}
	if refused := e.admit(func(ctx context.Context) {
		defer s.end(m.Reply)
		if answer, held := e.localShare(ctx, wanted); held {
			s.send(m, answer)
		}
	}); refused != nil {
		s.end(m.Reply)
	}
}

// localShare is this worker's part of the answer to what was passed on.
func (e *endpoint) localShare(ctx context.Context, wanted request) (answer reply, held bool) {
	switch e.verb {
	case verbList:
		return e.listShare(ctx, wanted.After)
	case verbForget:
		return e.forget(ctx, wanted)
	}
	return e.local(ctx, wanted)
}

// begin takes a passed on request in hand, once however often it is sent.
func (s *Service) begin(inbox string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.passed[inbox] {
		return false
	}
	s.passed[inbox] = true
	return true
}

func (s *Service) end(inbox string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.passed, inbox)
}
