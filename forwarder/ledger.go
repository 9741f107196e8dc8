package forwarder

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"rollcall/consume"
)

// ErrStale is matched by the error of [Ledger.Write] where somebody else wrote.
var ErrStale = errors.New("somebody else has written it meanwhile")

// ErrMissing is matched by the error of [Source.Get] where an event is not found among
// those that the stream has.
var ErrMissing = errors.New("the stream has it no more, or the server that was asked does not have it yet")

// Ledger keeps values by key, for all processes together.
type Ledger interface {
	// Read returns a value and its revision; nil and 0 where there is none.
	Read(ctx context.Context, key string) (value []byte, revision uint64, err error)
	// Write replaces the value of this revision, 0 where there is none, and returns
	// the new one. Where another was written the error matches [ErrStale]; after any
	// other it may have been written or not.
	Write(ctx context.Context, key string, value []byte, revision uint64) (uint64, error)
	// Undelivered stores what could not be told, once for an id.
	Undelivered(ctx context.Context, u Undelivered) error
}

// Head is where a stream stands.
type Head struct {
	Created time.Time
	Last    uint64 // the last sequence
}

// Source is where events come from.
type Source interface {
	Head(ctx context.Context) (Head, error)
	// Follow passes on what is stored, as [consume.FollowStored] does.
	Follow(ctx context.Context, f consume.Feed, each func(consume.Stored) error) error
	// Get returns what is stored at a sequence; nil where it is gone. The error
	// matches [ErrMissing] where somebody has deleted it, or the server that was asked lags.
	Get(ctx context.Context, sequence uint64) ([]byte, error)
	// Visits returns who was in a meeting that has ended with this event.
	Visits(ctx context.Context, ended consume.Event) ([]consume.Visit, error)
}

// Undelivered says what a target could not be told, and why. It is JSON in the
// stream of what was not delivered.
type Undelivered struct {
	Schema int             `json:"schema"` // 1
	ID     string          `json:"id"`     // of the message
	Target string          `json:"target"`
	Route  string          `json:"route"`
	At     time.Time       `json:"at"`
	Class  string          `json:"class"`  // clientError, gone …; expired where it has waited for too long
	Reason string          `json:"reason"` // for people
	Title  string          `json:"title,omitempty"`
	Text   string          `json:"text,omitempty"`  // the message, without markup
	Event  json.RawMessage `json:"event,omitempty"` // of a webhook
	// Sequences are, in the stream of events, those of the events meant.
	Sequences []uint64 `json:"sequences,omitempty"`
}

// change reads a value, lets do change it, and writes it, until nobody else has
// written in between. It is not written where do returns false.
func change[T any](ctx context.Context, ledger Ledger, key string, do func(*T) bool) (T, error) {
	for {
		var value T
		data, revision, err := ledger.Read(ctx, key)
		if err == nil && data != nil {
			err = json.Unmarshal(data, &value)
		}
		if err != nil {
			return value, fmt.Errorf("read %s: %w", key, err)
		}
		if !do(&value) {
			return value, nil
		}
		if data, err = json.Marshal(value); err != nil {
			return value, fmt.Errorf("write %s: %w", key, err)
		}
		_, err = ledger.Write(ctx, key, data, revision)
		if err == nil || !errors.Is(err, ErrStale) {
			return value, err
		}
	}
}
