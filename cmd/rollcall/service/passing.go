package service

import (
	"context"
	"errors"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// passes reports whether an error may be gone at the next attempt, because
// NATS is away or not ready yet.
func passes(err error) bool {
	for _, passing := range []error{
		context.DeadlineExceeded, nats.ErrTimeout, nats.ErrNoResponders, nats.ErrConnectionReconnecting,
		nats.ErrDisconnected, nats.ErrNoServers, nats.ErrConnectionClosed, nats.ErrReconnectBufExceeded,
		jetstream.ErrNoStreamResponse,
	} {
		if errors.Is(err, passing) {
			return true
		}
	}
	if api, ok := errors.AsType[*jetstream.APIError](err); ok {
		// A cluster that is not complete has no room for the replicas (10005), and
		// for a moment no stream that another worker has just created (10059).
		return api.Code == 503 || api.Code == 500 || api.ErrorCode == 10005 || api.ErrorCode == 10059
	}
	return false
}
