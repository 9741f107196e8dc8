package consume

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/nats-io/nats.go/jetstream"

	"rollcall/wire"
)

// Position is the place of an event among those of its meeting. The zero value
// is that of no event.
type Position struct {
	Epoch    int64 // Unix ms
	Sequence uint64
}

// Position is the event's place among those of its meeting.
func (e *Event) Position() Position { return Position{e.Epoch, e.Sequence} }

// reached reports whether q is p or comes before it.
func (p Position) reached(q Position) bool {
	return q.Epoch < p.Epoch || q.Epoch == p.Epoch && q.Sequence <= p.Sequence
}

// want is the sequence that an event of the epoch must have to follow.
func (p Position) want(epoch int64) uint64 {
	if epoch != p.Epoch {
		return 1
	}
	return p.Sequence + 1
}

// Checkpoint keeps how far the events of each meeting have been handled, for
// [Handle]. [KVCheckpoint] and [SQL] are ready-made.
type Checkpoint interface {
	// Last returns the position of the meeting's last event that was handled;
	// the zero Position where none was.
	Last(ctx context.Context, tenant, conferenceID string) (Position, error)
	// Advance calls handle and, where that succeeds, stores that the event was
	// handled. An error means that nothing was stored, as far as is known. One
	// that can do both at once skips handle where the event was handled before.
	Advance(ctx context.Context, e Event, handle func(context.Context) error) error
}

// none is the Checkpoint of those who have none.
type none struct{}

func (none) Last(context.Context, string, string) (Position, error) { return Position{}, nil }

func (none) Advance(ctx context.Context, _ Event, handle func(context.Context) error) error {
	return handle(ctx)
}

// KVCheckpoint keeps positions in a NATS KV bucket, which belongs to one
// [Durable] alone. An event's effect comes before its position: whoever is
// killed between the two handles that one event again. Its user needs, besides
// what a reader needs, to publish to $KV.<bucket>.>, $JS.API.STREAM.INFO.KV_<bucket>
// and $JS.API.DIRECT.GET.KV_<bucket>.>. Give the bucket a TTL longer than the
// stream's retention, and it forgets the meetings that are over.
func KVCheckpoint(kv jetstream.KeyValue) Checkpoint { return kvCheckpoint{kv} }

type kvCheckpoint struct{ kv jetstream.KeyValue }

func (c kvCheckpoint) Last(ctx context.Context, tenant, conferenceID string) (p Position, err error) {
	entry, err := c.kv.Get(ctx, kvKey(tenant, conferenceID))
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return Position{}, nil
	}
	if err == nil {
		_, err = fmt.Sscanf(string(entry.Value()), "%d-%d", &p.Epoch, &p.Sequence)
	}
	if err != nil {
		return Position{}, fmt.Errorf("read the checkpoint of meeting %.300q in bucket %s: %w", conferenceID, c.kv.Bucket(), err)
	}
	return p, nil
}

func (c kvCheckpoint) Advance(ctx context.Context, e Event, handle func(context.Context) error) error {
	if err := handle(ctx); err != nil {
		return err
	}
	if _, err := c.kv.PutString(ctx, kvKey(e.Tenant, e.ConferenceID), fmt.Sprintf("%d-%d", e.Epoch, e.Sequence)); err != nil {
		return fmt.Errorf("store the checkpoint of meeting %.300q in bucket %s: %w", e.ConferenceID, c.kv.Bucket(), err)
	}
	return nil
}

// kvKey is the key of a meeting, where a percent sign may not stand.
func kvKey(tenant, conferenceID string) string {
	return tenant + "." + strings.ReplaceAll(wire.Token(conferenceID), "%", "=")
}
