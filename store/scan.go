package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

const (
	scannerLinger = 30 * time.Second // a scan whose worker died is forgotten after it
	// scansAtOnce scans, each with one pull's bytes on the way, stay far below
	// the 64 MiB that a server holds for a connection before it drops it. Two
	// keep two processors busy: one scan is read while another is decoded.
	scansAtOnce = 2
)

// errShort says that fewer messages came than were announced.
var errShort = errors.New("read too little")

// scan reads the last message of every subject that matches the filter. At a
// start all tenants want to; they wait for each other.
func (s *JetStream) scan(ctx context.Context, filter string) (found []got, err error) {
	select {
	case s.scans <- struct{}{}:
		defer func() { <-s.scans }()
	case <-ctx.Done():
		return nil, fmt.Errorf("read %s: %w", filter, context.Cause(ctx))
	}
	err = errShort
	for tries := 0; errors.Is(err, errShort) && tries < 3; tries++ {
		found, err = s.scanOnce(ctx, filter)
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", filter, err)
	}
	return found, nil
}

// scanOnce reads by an ephemeral consumer of its own: the direct get answers
// only 1,024 subjects.
func (s *JetStream) scanOnce(ctx context.Context, filter string) ([]got, error) {
	consumer, err := s.js.CreateConsumer(ctx, s.names.Stream, jetstream.ConsumerConfig{
		FilterSubject: filter, DeliverPolicy: jetstream.DeliverLastPerSubjectPolicy,
		AckPolicy: jetstream.AckNonePolicy, MemoryStorage: true, Replicas: 1, InactiveThreshold: scannerLinger,
	})
	if err != nil {
		return nil, err
	}
	name := consumer.CachedInfo().Name
	defer func() {
		// Left behind it would be forgotten after a while, so a failure is no matter.
		_ = s.js.DeleteConsumer(context.WithoutCancel(ctx), s.names.Stream, name)
	}()
	return s.pullAll(ctx, consumer)
}

// pullAll reads what the consumer has to give, which is at least what it has
// announced. Less means that something was taken from the stream meanwhile, or
// that the server lost count: both are reasons to read again.
func (s *JetStream) pullAll(ctx context.Context, consumer jetstream.Consumer) ([]got, error) {
	announced := consumer.CachedInfo().NumPending
	p, err := s.newPuller(consumer.CachedInfo().Name, announced)
	if err != nil {
		return nil, err
	}
	defer p.close()
	for pending := announced; pending > 0; {
		before := len(p.found)
		if pending, err = p.pull(ctx, pending); err != nil {
			return nil, err
		}
		if len(p.found) > before {
			continue
		}
		if pending, err = stillPending(ctx, consumer, before); err != nil {
			return nil, err
		}
	}
	if n := uint64(len(p.found)); n < announced {
		return nil, fmt.Errorf("%w: %d messages of %d", errShort, n, announced)
	}
	return p.found, nil
}

// stillPending asks the consumer itself after a pull that brought nothing:
// either what was pending is gone from the stream, or the server is slow. What
// was sent before the pull ended has arrived by then, or is lost.
func stillPending(ctx context.Context, consumer jetstream.Consumer, received int) (uint64, error) {
	info, err := consumer.Info(ctx)
	if err != nil {
		return 0, err
	}
	if info.Delivered.Consumer > uint64(received) {
		return 0, errors.New("a message was lost on the way")
	}
	return info.NumPending, nil
}
