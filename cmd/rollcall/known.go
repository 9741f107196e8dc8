package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"rollcall/wire"
)

// looking bounds how long it is looked for what a command names.
const looking = 3 * time.Second

// known refuses a prefix or a tenant that cannot be right, for which a command
// would wait in vain. What cannot be determined, as where there is no stream
// yet or nobody may look at it, may be right.
func known(ctx context.Context, js jetstream.JetStream, names wire.Names, tenant string) error {
	ctx, cancel := context.WithTimeout(ctx, looking)
	defer cancel()
	stream, err := js.Stream(ctx, names.Stream)
	if err != nil {
		return nil
	}
	if r := stream.CachedInfo().Config.RePublish; r != nil && r.Destination != names.All() {
		return fmt.Errorf("stream %s publishes below %q, not below %q: see --prefix, or stream.prefix in the configuration",
			names.Stream, strings.TrimSuffix(r.Destination, ".>"), names.Prefix)
	}
	if tenant == "" {
		return nil
	}
	told, err := subjects(ctx, stream, names.Status("*"))
	if err != nil || len(told) == 0 || slices.Contains(told, names.Status(tenant)) {
		return nil
	}
	if events, err := subjects(ctx, stream, names.Prefix+".event."+tenant+".>"); err != nil || len(events) > 0 {
		return nil
	}
	for i := range told {
		told[i] = strings.TrimPrefix(told[i], names.Status(""))
	}
	return fmt.Errorf("stream %s holds nothing of a tenant %s; there are: %s", names.Stream, tenant, strings.Join(told, ", "))
}

// retryRead reads what any replica can answer. One that stands still keeps its
// share of the requests for minutes: a retry is answered by another.
func retryRead(ctx context.Context, read func(context.Context) error) (err error) {
	for range 4 {
		limited, cancel := context.WithTimeout(ctx, 2*time.Second)
		err = read(limited)
		cancel()
		if !errors.Is(err, context.DeadlineExceeded) || ctx.Err() != nil {
			return err
		}
	}
	return fmt.Errorf("%w; NATS answers, and its JetStream does not: see nats server report jetstream", err)
}

// subjects lists the subjects of messages in a stream, sorted.
func subjects(ctx context.Context, stream jetstream.Stream, filter string) ([]string, error) {
	info, err := stream.Info(ctx, jetstream.WithSubjectFilter(filter))
	if err != nil {
		return nil, err
	}
	found := make([]string, 0, len(info.State.Subjects))
	for subject := range info.State.Subjects {
		found = append(found, subject)
	}
	slices.Sort(found)
	return found, nil
}
