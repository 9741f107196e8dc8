package forwarder

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"rollcall/consume"
	"rollcall/internal/natsconn"
	"rollcall/wire"
)

// requestTimeout bounds one question to NATS.
const requestTimeout = 5 * time.Second

// keptUndelivered is for how long is kept what could not be told.
const keptUndelivered = 30 * 24 * time.Hour

// NATS is the [Ledger] and the [Source] of one installation of Rollcall.
type NATS struct {
	conn  *nats.Conn
	js    jetstream.JetStream
	names wire.Names
}

// Attach reaches what is kept in NATS; what is not there reads as empty.
func Attach(conn *nats.Conn, js jetstream.JetStream, names wire.Names) *NATS {
	return &NATS{conn, js, names}
}

// Make makes the bucket and the stream that a forwarder writes, where they are not
// there, with so many replicas.
func (n *NATS) Make(ctx context.Context, replicas int) error {
	js, names := n.js, n.names
	_, err := js.KeyValue(ctx, names.Forward())
	if errors.Is(err, jetstream.ErrBucketNotFound) {
		err = sized(16<<20, func(maxBytes int64) error {
			_, err := js.CreateKeyValue(ctx, jetstream.KeyValueConfig{
				Bucket: names.Forward(), Description: "Rollcall: what chat groups were told", Replicas: replicas, History: 1, MaxBytes: maxBytes,
			})
			return err
		})
	}
	if err != nil && !errors.Is(err, jetstream.ErrBucketExists) { // unless another process was faster
		return fmt.Errorf("look up or create bucket %s: %w", names.Forward(), err)
	}
	_, err = js.Stream(ctx, names.Undelivered())
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		err = sized(64<<20, func(maxBytes int64) error {
			_, err := js.CreateStream(ctx, jetstream.StreamConfig{
				Name: names.Undelivered(), Description: "Rollcall: what could not be told", Subjects: []string{names.UndeliveredTo("*")},
				Replicas: replicas, MaxAge: keptUndelivered, AllowDirect: true, MaxBytes: maxBytes,
			})
			return err
		})
	}
	if err != nil && !errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) {
		return fmt.Errorf("look up or create stream %s: %w", names.Undelivered(), err)
	}
	return nil
}

// sized creates without a limit, or with this one where the account demands one.
func sized(maxBytes int64, create func(maxBytes int64) error) error {
	const maxBytesRequired jetstream.ErrorCode = 10113
	err := create(0)
	if refused, ok := errors.AsType[*jetstream.APIError](err); ok && refused.ErrorCode == maxBytesRequired {
		return create(maxBytes)
	}
	return err
}

// Read is that of [Ledger].
func (n *NATS) Read(ctx context.Context, key string) ([]byte, uint64, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	var found *jetstream.RawStreamMsg
	bucket, err := n.js.Stream(ctx, "KV_"+n.names.Forward())
	if err == nil {
		found, err = bucket.GetLastMsgForSubject(ctx, n.subject(key))
	}
	switch {
	case errors.Is(err, jetstream.ErrMsgNotFound), errors.Is(err, jetstream.ErrStreamNotFound):
		return nil, 0, nil
	case err != nil:
		return nil, 0, fmt.Errorf("read key %s of bucket %s: %w", key, n.names.Forward(), err)
	case found.Header.Get("KV-Operation") != "": // somebody has deleted it
		return nil, found.Sequence, nil
	}
	return found.Data, found.Sequence, nil
}

func (n *NATS) subject(key string) string { return "$KV." + n.names.Forward() + "." + key }

// Write is that of [Ledger].
func (n *NATS) Write(ctx context.Context, key string, value []byte, revision uint64) (uint64, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	ack, err := n.js.PublishMsg(ctx, &nats.Msg{Subject: natsconn.KeySubject(n.js, n.subject(key)), Data: value},
		jetstream.WithExpectLastSequencePerSubject(revision), jetstream.WithRetryAttempts(0))
	if err == nil {
		return ack.Sequence, nil
	}
	if refused, ok := errors.AsType[*jetstream.APIError](err); ok && slices.Contains(stale(), refused.ErrorCode) {
		err = fmt.Errorf("%w: %w", ErrStale, err)
	}
	return 0, fmt.Errorf("write key %s of bucket %s: %w", key, n.names.Forward(), err)
}

// stale are what NATS answers where another write was first, or is under way.
func stale() []jetstream.ErrorCode {
	return []jetstream.ErrorCode{jetstream.JSErrCodeStreamWrongLastSequence, 10164}
}

// Undelivered is that of [Ledger].
func (n *NATS) Undelivered(ctx context.Context, u Undelivered) error {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	data, err := json.Marshal(u)
	if err == nil {
		_, err = n.js.Publish(ctx, n.names.UndeliveredTo(u.Target), data, jetstream.WithMsgID(u.ID))
	}
	if err != nil {
		return fmt.Errorf("store in stream %s what could not be told: %w", n.names.Undelivered(), err)
	}
	return nil
}

// Head is that of [Source].
func (n *NATS) Head(ctx context.Context) (Head, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	stream, err := n.js.Stream(ctx, n.names.Stream)
	if err != nil {
		return Head{}, fmt.Errorf("find stream %s: %w", n.names.Stream, err)
	}
	info := stream.CachedInfo()
	return Head{info.Created, info.State.LastSeq}, nil
}

// Follow is that of [Source].
func (n *NATS) Follow(ctx context.Context, f consume.Feed, each func(consume.Stored) error) error {
	f.Names, f.JetStream = n.consumed(), n.js
	return consume.FollowStored(ctx, n.conn, f, each)
}

// Get is that of [Source].
func (n *NATS) Get(ctx context.Context, sequence uint64) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	stream, err := n.js.Stream(ctx, n.names.Stream)
	if err != nil {
		return nil, fmt.Errorf("find stream %s: %w", n.names.Stream, err)
	}
	m, err := stream.GetMsg(ctx, sequence)
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		if state := stream.CachedInfo().State; sequence < state.FirstSeq || sequence > state.LastSeq { // as its leader says
			return nil, nil
		}
		err = ErrMissing
	}
	if err != nil {
		return nil, fmt.Errorf("read event %d of stream %s: %w", sequence, n.names.Stream, err)
	}
	return m.Data, nil
}

// Visits is that of [Source].
func (n *NATS) Visits(ctx context.Context, ended consume.Event) ([]consume.Visit, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	return consume.Visits(ctx, n.conn, consume.Feed{Names: n.consumed(), JetStream: n.js}, ended)
}

func (n *NATS) consumed() consume.Names {
	return consume.Names{Stream: n.names.Stream, Prefix: n.names.Prefix}
}
