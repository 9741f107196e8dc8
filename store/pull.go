package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/nats-io/nats.go"
)

// The bounds of one pull. The bytes are what is aimed at, by the largest message
// that came so far. To let the server hold them is no way: when a pull ends
// with messages left, one of these is never sent (nats-server 2.15.2).
const (
	firstPull   = 32 // messages, of which nothing is known
	lastPull    = 1000
	bytesAtOnce = 8 << 20
)

// pullRequest asks a consumer for what it has, without waiting for more.
type pullRequest struct {
	Batch  int  `json:"batch"`
	NoWait bool `json:"no_wait"`
}

// puller reads from a consumer in pulls of about as many bytes. Pulls of as many
// messages are not enough: a server drops a connection that has too much on
// the way.
type puller struct {
	conn    *nats.Conn
	next    string // the subject to ask at
	inbox   string // what a pull is answered to stands below it
	pulls   int    // so far: what tells of the end of an earlier one may come late
	answers *nats.Subscription
	batch   int // messages of the next pull
	largest int // bytes of the largest message so far
	found   []got
}

func (s *JetStream) newPuller(consumer string, pending uint64) (*puller, error) {
	conn := s.js.Conn()
	inbox := conn.NewInbox()
	answers, err := conn.SubscribeSync(inbox + ".*")
	if err != nil {
		return nil, err
	}
	p := &puller{
		conn: conn, next: "$JS.API.CONSUMER.MSG.NEXT." + s.names.Stream + "." + consumer, inbox: inbox,
		answers: answers, batch: firstPull, found: make([]got, 0, pending),
	}
	if err := answers.SetPendingLimits(-1, -1); err != nil {
		p.close()
		return nil, err
	}
	return p, nil
}

func (p *puller) close() {
	_ = p.answers.Unsubscribe() // fails only when the connection is gone, and the subscription with it
}

// pull reads some more, and gives how many are still to be read.
func (p *puller) pull(ctx context.Context, pending uint64) (uint64, error) {
	batch := int(min(pending, uint64(p.batch)))
	request, err := json.Marshal(pullRequest{Batch: batch, NoWait: true})
	if err != nil {
		return 0, err
	}
	p.pulls++
	reply := p.inbox + "." + strconv.Itoa(p.pulls)
	if err := p.conn.PublishRequest(p.next, reply, request); err != nil {
		return 0, err
	}
	for taken := 0; taken < batch; {
		m, err := p.receive(ctx)
		switch {
		case err != nil:
			return 0, err
		case m.Header.Get("Status") == "":
			if pending, err = p.take(m); err != nil {
				return 0, err
			}
			taken++
		case m.Subject == reply: // nothing is there any more
			return pending, nil
		}
	}
	p.batch = max(1, min(2*p.batch, lastPull, bytesAtOnce/p.largest))
	return pending, nil
}

func (p *puller) receive(ctx context.Context) (*nats.Msg, error) {
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	m, err := p.answers.NextMsgWithContext(ctx)
	if err != nil {
		return nil, err
	}
	switch m.Header.Get("Status") {
	case "", "404":
		return m, nil
	}
	return nil, refusal(m)
}

// take keeps a message, and gives how many are behind it.
func (p *puller) take(m *nats.Msg) (pending uint64, err error) {
	meta, err := m.Metadata()
	if err != nil {
		return 0, fmt.Errorf("read where a message stands: %w", err)
	}
	p.largest = max(p.largest, len(m.Data), 1)
	p.found = append(p.found, got{subject: m.Subject, sequence: meta.Sequence.Stream, data: m.Data})
	if meta.Sequence.Consumer != uint64(len(p.found)) {
		return 0, errors.New("a message was lost on the way")
	}
	return meta.NumPending, nil
}
