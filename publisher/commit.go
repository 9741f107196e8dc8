package publisher

import (
	"context"
	cryptorand "crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.opentelemetry.io/otel/attribute"

	"rollcall/internal/ledger"
	"rollcall/internal/tracing"
	"rollcall/internal/wait"
	"rollcall/wire"
)

// defaultTimeout is how long the acknowledgement of a batch is waited for.
const defaultTimeout = 5 * time.Second

// maxResends caps how often one batch is sent again at once. A write that is
// in flight is over within milliseconds; what lasts longer is something else.
const maxResends = 20

// Publisher commits batches to the stream. It is safe for concurrent use.
type Publisher struct {
	Conn    *nats.Conn
	Names   wire.Names
	Timeout time.Duration // for the acknowledgement of one batch; 0: 5 s
	// Reached is called with the sequence of the last message stored; it may be nil.
	Reached func(sequence uint64)
	// Disk returns how full the broker's disk is; nil: that is not known.
	Disk Disk
	// DataDir is where that disk is, for messages.
	DataDir string
	// API returns the subject of a request to JetStream, as INFO; nil: that below $JS.API.
	API func(request string) string

	room  room
	queue queue
}

// Commit stores the messages together or not at all, and returns the stream sequence
// of the first; the others follow it without a gap. What is committed while a batch
// is under way goes with the next one. Its errors match exactly one of
// [ledger.ErrStale], [ledger.ErrBusy], [ledger.ErrUnknown], [ledger.ErrFull] and
// [ledger.ErrRefused].
func (p *Publisher) Commit(ctx context.Context, msgs []ledger.Message) (first uint64, err error) {
	if err := ledger.CheckBatch(p.Names, msgs, p.Conn.MaxPayload()); err != nil {
		return 0, fmt.Errorf("commit batch: %w", err)
	}
	ctx, span := tracing.Start(ctx, "commit", attribute.Int("rollcall.messages", len(msgs)))
	defer func() { tracing.End(span, err) }()
	if parent := tracing.Parent(ctx); parent != "" {
		for i := range msgs {
			msgs[i].Trace = parent
		}
	}
	if e := p.entry(ctx, msgs); e != nil {
		return p.queue.commit(e, p.store)
	}
	return p.commit(ctx, msgs)
}

// commit stores the messages as one batch.
func (p *Publisher) commit(ctx context.Context, msgs []ledger.Message) (first uint64, err error) {
	if err := p.take(ctx, msgs); err != nil {
		return 0, fmt.Errorf("commit batch of %d messages: %w", len(msgs), err)
	}
	for resends := 0; ; resends++ {
		first, again, err := p.send(ctx, msgs)
		if err == nil {
			if p.Reached != nil {
				p.Reached(first + uint64(len(msgs)) - 1)
			}
			return first, nil
		}
		if !again || resends == maxResends || !wait.For(ctx, settles()) {
			return 0, fmt.Errorf("commit batch of %d messages: %w", len(msgs), err)
		}
	}
}

// settles is after how long a write in flight has landed: 0.2 to 1 ms.
func settles() time.Duration { return 200*time.Microsecond + rand.N(800*time.Microsecond) }

// send sends the batch under a new id; again says that the same batch may
// succeed at once.
func (p *Publisher) send(ctx context.Context, msgs []ledger.Message) (first uint64, again bool, err error) {
	if err := ctx.Err(); err != nil {
		return 0, false, fmt.Errorf("%w: %w", ledger.ErrBusy, err)
	}
	if p.Conn.IsClosed() {
		return 0, false, fmt.Errorf("%w: %w", ledger.ErrBusy, nats.ErrConnectionClosed)
	}
	b, last := newBatch(p.Names, cryptorand.Text(), msgs), len(msgs)-1
	for i := range msgs[:last] {
		if err := p.Conn.PublishMsg(b.message(&msgs[i], i+1, false)); err != nil {
			return 0, false, fmt.Errorf("%w: send %s: %w", judgeEarly(err), msgs[i].Subject, err)
		}
	}
	reply, err := p.request(ctx, b.message(&msgs[last], len(msgs), true))
	if err != nil {
		return 0, false, fmt.Errorf("%w: %w", judgeFault(err), err)
	}
	return p.acknowledged(reply.Data, b.id[0], len(msgs))
}

func (p *Publisher) request(ctx context.Context, m *nats.Msg) (*nats.Msg, error) {
	timeout := p.Timeout
	if timeout <= 0 {
		timeout = defaultTimeout
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	reply, err := p.Conn.RequestMsgWithContext(ctx, m)
	if errors.Is(err, context.DeadlineExceeded) {
		return nil, p.explain(err)
	}
	return reply, err
}

// explain adds to a timeout what the server said about it: a user without
// permission to publish learns of it only beside the request.
func (p *Publisher) explain(err error) error {
	said := p.Conn.LastError()
	if errors.Is(said, nats.ErrPermissionViolation) && strings.Contains(said.Error(), p.Names.Commit("")) {
		return fmt.Errorf("%w; the server said: %w; let this user publish to %s", err, said, p.Names.Commits())
	}
	return err
}

// acknowledgement is the server's answer to a batch, or to a message alone.
type acknowledgement struct {
	Error    *jetstream.APIError `json:"error"`
	Stream   string              `json:"stream"`
	Sequence uint64              `json:"seq"` // of the last message
	Batch    string              `json:"batch"`
	Count    int                 `json:"count"` // 0: of a message alone
}

func (p *Publisher) acknowledged(data []byte, id string, count int) (first uint64, again bool, err error) {
	var ack acknowledgement
	if err := json.Unmarshal(data, &ack); err != nil {
		return 0, false, fmt.Errorf("%w: read the acknowledgement: %w", ledger.ErrUnknown, err)
	}
	if ack.Error != nil {
		v := judgeRefusal(ack.Error, count)
		return 0, v.again, fmt.Errorf("%w: %s: %w", v.outcome, v.means, ack.Error)
	}
	if ack.Stream != p.Names.Stream || ack.Batch != id || max(ack.Count, 1) != count || ack.Sequence < uint64(count) {
		return 0, false, fmt.Errorf("%w: the acknowledgement is not that of this batch: stream %q, batch of %d at %d",
			ledger.ErrUnknown, ack.Stream, ack.Count, ack.Sequence)
	}
	return ack.Sequence - uint64(count) + 1, false, nil
}
