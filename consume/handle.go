package consume

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"rollcall"
	"rollcall/internal/wait"
)

// Handler does what an event is read for. An error means that it has had no
// effect, and is to be handled again. The context ends with that of [Handle].
type Handler func(ctx context.Context, e Event) error

// Durable is a place in the stream that survives its readers, and how events
// are handled from there on. Only Name must be set. One process at a time
// handles a Durable; see [Handle].
type Durable struct {
	Name         string // of the consumer in NATS; another name begins anew
	Names        Names
	Tenant       string          // "": every tenant
	ConferenceID string          // "": every meeting
	Types        []rollcall.Type // passed to the handler; none: every type, unknown ones too
	// SkipBaseline passes nothing to the handler of how meetings were found at
	// the first look.
	SkipBaseline bool
	// Checkpoint keeps how far each meeting was handled; nil: NATS alone knows,
	// and after a crash events that were not the first to wait are handled again.
	Checkpoint Checkpoint
	// Tries is after how many errors of the handler an event is set aside; 0:
	// 10; negative: never.
	Tries int
	// Retry is the first pause after an error; the others double, up to a
	// minute. 0: one second.
	Retry time.Duration
	// SetAside is passed what was given up, within the checkpoint's transaction
	// where there is one; its error has it called again later. nil: OnTrouble
	// alone is told, by a [*Poison]. [AsideIn] is ready-made.
	SetAside func(context.Context, Poison) error
	// Parallel is how many meetings are handled at a time; 0: one.
	Parallel  int
	JetStream jetstream.JetStream // as in [Options]
	// OnTrouble is told what went wrong and is being tried again, one at a time.
	OnTrouble func(error)

	from time.Time
}

// ReplayFrom returns the Durable that begins with the events stored since t,
// where its consumer is not there yet. Otherwise the first is the oldest in the
// stream.
func (d Durable) ReplayFrom(t time.Time) Durable {
	d.from = t
	return d
}

// Poison is an event that was given up, and why. It is an error, too.
type Poison struct {
	// Event is what could be read: of data that is no event its tenant, meeting
	// and type alone, as the subject has them.
	Event    Event
	Data     []byte // as stored
	Sequence uint64 // of the stream
	Tries    int    // 0: it cannot be read
	Reason   error
}

// Error says which event was given up, and why.
func (p *Poison) Error() string {
	return fmt.Sprintf("event %d of meeting %.300q of tenant %s (stream sequence %d) is set aside after %d tries: %v",
		p.Event.Sequence, p.Event.ConferenceID, p.Event.Tenant, p.Sequence, p.Tries, p.Reason)
}

// Unwrap returns the reason.
func (p *Poison) Unwrap() error { return p.Reason }

// AsideIn makes a SetAside that keeps what was given up in a KV bucket: under
// <tenant>.<meeting>.<stream sequence> the data, and beside it under the same
// key with .reason why.
func AsideIn(kv jetstream.KeyValue) func(context.Context, Poison) error {
	return func(ctx context.Context, p Poison) error {
		key := fmt.Sprintf("%s.%d", kvKey(p.Event.Tenant, p.Event.ConferenceID), p.Sequence)
		_, err := kv.PutString(ctx, key+".reason", p.Reason.Error())
		if err == nil {
			_, err = kv.Put(ctx, key, p.Data)
		}
		if err != nil {
			return fmt.Errorf("set an event aside in bucket %s: %w", kv.Bucket(), err)
		}
		return nil
	}
}

// Handle passes the events of a durable consumer to the handler until ctx ends,
// which is not an error. Every event is handled at least once, and exactly once
// with an [SQL] checkpoint; those of one meeting in order and one at a time. It
// waits for the stream to be there, and makes the consumer where it is not; a
// stream that was made anew is told to OnTrouble, and read from its beginning.
//
// An error of the handler holds back its meeting, and no other: the event is
// handled again after a pause that doubles, and set aside when it has failed as
// often as Tries says; then the meeting goes on. A panic counts as an error.
//
// Two processes with one Name get different events of the same meeting. With an
// SQL checkpoint each event still has one effect, in order; without one it has not.
func Handle(ctx context.Context, nc *nats.Conn, d Durable, handler Handler) error {
	if d.Name == "" {
		return errors.New("handle events: the durable has no name")
	}
	var telling sync.Mutex
	s, err := openStream(nc, d.JetStream, d.Names, func(err error) {
		telling.Lock()
		defer telling.Unlock()
		if d.OnTrouble != nil {
			d.OnTrouble(err)
		}
	})
	if err != nil {
		return fmt.Errorf("handle events: %w", err)
	}
	h := &handling{stream: s, durable: d.filled(), handler: handler}
	h.begin(ctx)
	defer h.end()
	return h.persist(ctx, h.session)
}

func (d Durable) filled() Durable {
	if d.Checkpoint == nil {
		d.Checkpoint = none{}
	}
	if d.Tries == 0 {
		d.Tries = 10
	}
	if d.Retry <= 0 {
		d.Retry = time.Second
	}
	if d.SetAside == nil {
		d.SetAside = func(context.Context, Poison) error { return nil }
	}
	d.Parallel = max(1, d.Parallel)
	return d
}

// wants reports whether the handler is passed the event.
func (d *Durable) wants(e *Event) bool {
	return (len(d.Types) == 0 || slices.Contains(d.Types, e.Type)) && !(d.SkipBaseline && e.AsFound())
}

// pause is how long to wait after the n-th failure in a row, from 1.
func (d *Durable) pause(n int) time.Duration {
	return wait.Growth{First: d.Retry, Most: max(time.Minute, d.Retry)}.Step(n - 1)
}
