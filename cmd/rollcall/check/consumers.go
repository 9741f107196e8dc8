package check

import (
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"

	"rollcall/cmd/rollcall/cost"
)

// serversConsumers is how many consumers nats-server lets a stream have where
// nobody says another number.
const serversConsumers = 1000

// consumers counts those of the stream. Workers need none; subscribers do, and
// a service that leaves its durables behind takes everybody's.
func (b *broker) consumers(ctx context.Context) Result {
	const tried = "count the consumers of the stream"
	ctx, stop := b.probe.watch(ctx)
	defer stop()
	stream, err := b.link.js.Stream(ctx, b.names.Stream)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		return ok(tried, "none: the stream is not there yet")
	}
	if err != nil {
		return warn(tried, b.check.why(ctx, err), "see whether JetStream's cluster has a leader: nats server report jetstream")
	}
	info := stream.CachedInfo()
	most, whose := serversConsumers, "nats-server lets a stream have"
	if limit := info.Config.MaxConsumers; limit > 0 {
		most, whose = limit, "the stream may have"
	}
	if r, full := b.crowded(tried, "the stream has", info.State.Consumers, whose, most); full {
		return r
	}
	if account, err := b.link.js.AccountInfo(ctx); err == nil { // who may not ask learns of the stream alone
		if tier, is := tierOf(account, b.replicas()); is && tier.Limits.MaxConsumers > 0 {
			if r, full := b.crowded(tried, "the account has", tier.Consumers, "it may have", tier.Limits.MaxConsumers); full {
				return r
			}
		}
	}
	return ok(tried, "%s of %s", cost.Grouped(int64(info.State.Consumers)), cost.Grouped(int64(most)))
}

// crowded warns once four fifths are taken.
func (b *broker) crowded(tried, who string, has int, whose string, most int) (Result, bool) {
	if has*5 < most*4 {
		return Result{}, false
	}
	effect := "soon no service can make one more"
	if has >= most {
		effect = "no service can make one more, and rollcall tail neither"
	}
	return warn(tried, fmt.Sprintf("%s %s consumers, and %s %s: %s", who, cost.Grouped(int64(has)), whose, cost.Grouped(int64(most)), effect),
		"delete those that nobody reads any more: nats consumer ls "+b.names.Stream+" (nats consumer report shows when each was last active), nats consumer rm "+b.names.Stream+" NAME"+
			"\nlet services set inactive_threshold for their durable consumers"), true
}
