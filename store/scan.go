package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

const (
	scanBatch     = 512
	scannerLinger = 30 * time.Second // a scan whose worker died is forgotten after it
)

// scan reads the last message of every subject that matches the filter, by an
// ephemeral consumer of its own: the direct get answers only 1,024 subjects.
func (s *JetStream) scan(ctx context.Context, filter string) (found []got, err error) {
	consumer, err := s.js.CreateConsumer(ctx, s.names.Stream, jetstream.ConsumerConfig{
		FilterSubject: filter, DeliverPolicy: jetstream.DeliverLastPerSubjectPolicy,
		AckPolicy: jetstream.AckNonePolicy, MemoryStorage: true, Replicas: 1, InactiveThreshold: scannerLinger,
	})
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", filter, err)
	}
	name := consumer.CachedInfo().Name
	defer func() {
		// Left behind it would be forgotten after a while, so a failure is no matter.
		_ = s.js.DeleteConsumer(context.WithoutCancel(ctx), s.names.Stream, name)
	}()
	pending := consumer.CachedInfo().NumPending
	found = make([]got, 0, pending)
	for pending > 0 {
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("read %s: %w", filter, err)
		}
		found, pending, err = fetch(ctx, consumer, found)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", filter, err)
		}
	}
	return found, nil
}

// fetch reads some more, and gives how many are still to be read.
func fetch(ctx context.Context, consumer jetstream.Consumer, found []got) (_ []got, pending uint64, err error) {
	batch, err := consumer.FetchNoWait(scanBatch)
	if err != nil {
		return nil, 0, err
	}
	before := len(found)
	for m := range batch.Messages() {
		meta, err := m.Metadata()
		if err != nil {
			return nil, 0, err
		}
		found = append(found, got{m.Subject(), meta.Sequence.Stream, m.Headers(), m.Data()})
		if meta.Sequence.Consumer != uint64(len(found)) {
			return nil, 0, errors.New("a message was lost on the way")
		}
		pending = meta.NumPending
	}
	if err := batch.Error(); err != nil {
		return nil, 0, err
	}
	if len(found) > before {
		return found, pending, nil
	}
	pending, err = stillPending(ctx, consumer, len(found))
	return found, pending, err
}

// stillPending asks the consumer itself after a fetch that brought nothing:
// either what was pending is gone from the stream, or the server is slow.
func stillPending(ctx context.Context, consumer jetstream.Consumer, received int) (uint64, error) {
	info, err := consumer.Info(ctx)
	if err != nil {
		return 0, err
	}
	if info.Delivered.Consumer != uint64(received) {
		return 0, errors.New("a message was lost on the way")
	}
	return info.NumPending, nil
}
