package store

import (
	"context"

	"github.com/nats-io/nats.go/jetstream"
)

// PullAll reads from a consumer as a scan does, and gives how many messages came.
func (s *JetStream) PullAll(ctx context.Context, consumer jetstream.Consumer) (int, error) {
	found, err := s.pullAll(ctx, consumer)
	return len(found), err
}
