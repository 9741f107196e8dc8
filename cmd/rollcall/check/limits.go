package check

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/nats-io/nats.go/jetstream"

	"rollcall/cmd/rollcall/cost"
	"rollcall/internal/ledger"
)

// limits forecasts what the account and the server would refuse of what a
// worker creates and stores.
func (b *broker) limits(ctx context.Context) Result {
	const tried = "hold what is needed against the limits of the account"
	ctx, stop := b.probe.watch(ctx)
	defer stop()
	info, err := b.link.js.AccountInfo(ctx)
	if denied := denial(ctx); denied != nil {
		return skip(tried, "the user may not ask for the account's limits")
	}
	if err != nil {
		return warn(tried, b.check.why(ctx, err), "see whether JetStream's cluster has a leader: nats server report jetstream")
	}
	replicas := b.replicas()
	tier, is := tierOf(info, replicas)
	if !is {
		return fail(tried, fmt.Sprintf("the account has no tier for R%d", replicas), "set stream.replicas to a number of replicas that the account has a tier for: "+tiersOf(info.Tiers))
	}
	found, fixes := exceeded(info, tier, int64(replicas), b.created(ctx))
	if len(found) > 0 {
		return fail(tried, strings.Join(found, "; "), strings.Join(fixes, "\n"))
	}
	if most := b.link.conn.MaxPayload(); most < ledger.MaxBatchBytes {
		return warn(tried, fmt.Sprintf("the server takes messages of up to %s bytes: the record of a meeting with more than about %s people, gone ones too, is refused, and the meeting set aside",
			cost.Grouped(most), cost.Grouped(most/bytesAPerson)), "set max_payload: 4MB in nats-server's configuration, if meetings may become that large")
	}
	return ok(tried, "%s", within(tier))
}

func (b *broker) replicas() int { return max(1, b.check.Config.Stream.Replicas) }

// tierOf is what the account may have of streams with so many replicas; false
// where it may have none.
func tierOf(info *jetstream.AccountInfo, replicas int) (jetstream.Tier, bool) {
	if len(info.Tiers) == 0 {
		return info.Tier, true
	}
	tier, is := info.Tiers[fmt.Sprintf("R%d", replicas)]
	return tier, is
}

// bytesAPerson is about what somebody takes in a record.
const bytesAPerson = 200

func tiersOf(tiers map[string]jetstream.Tier) string {
	var all []string
	for n := range 5 {
		if name := fmt.Sprintf("R%d", n+1); tiers[name].Limits != (jetstream.AccountLimits{}) {
			all = append(all, name)
		}
	}
	return strings.Join(all, ", ")
}

// creation is a stream that a worker creates; a bucket is one too.
type creation struct {
	name, key string // key says how large it is made
	size      int64  // bytes; 0: no limit
}

// created are the streams that a worker would create.
func (b *broker) created(ctx context.Context) (all []creation) {
	s := b.check.Config.Stream
	if b.missing.stream {
		all = append(all, creation{"the stream " + b.names.Stream, "stream.max_bytes", s.MaxBytes})
	}
	if b.missing.bucket {
		all = append(all, creation{"the bucket " + b.names.Workers(), "stream.workers_max_bytes", s.WorkersMaxBytes})
	}
	if b.counts() && b.uncounted(ctx) {
		all = append(all, creation{"the bucket " + b.names.Budget(), "stream.budget_max_bytes", s.BudgetMaxBytes})
	}
	return all
}

// uncounted reports whether nobody has created the bucket of what is spent yet.
func (b *broker) uncounted(ctx context.Context) bool {
	ctx, stop := b.probe.watch(ctx)
	defer stop()
	_, err := b.link.js.Stream(ctx, "KV_"+b.names.Budget())
	return errors.Is(err, jetstream.ErrStreamNotFound)
}

// exceeded says which limits would refuse what is created and stored. The account
// counts every replica, unless it has a tier for so many of them.
func exceeded(info *jetstream.AccountInfo, tier jetstream.Tier, replicas int64, all []creation) (found, fixes []string) {
	refuse := func(problem, fix string) { found, fixes = append(found, problem), append(fixes, fix) }
	if len(info.Tiers) > 0 {
		replicas = 1
	}
	limits := tier.Limits
	if most, more := limits.MaxStreams, len(all); most > 0 && tier.Streams+more > most {
		refuse(fmt.Sprintf("the account may have %d streams, has %d, and needs %d more", most, tier.Streams, more), "raise max_streams of the account, or remove streams that nobody needs")
	}
	reserved := int64(0)
	var keys []string
	for _, c := range all {
		if limits.MaxBytesRequired && c.size == 0 {
			refuse("the account demands a max_bytes of every stream, and "+c.name+" is created without one", "set "+c.key)
		}
		if most := limits.StoreMaxStreamBytes; most > 0 && c.size > most {
			refuse(fmt.Sprintf("a stream of the account may have %s bytes, and %s is %s", cost.Grouped(most), c.key, cost.Grouped(c.size)), "lower "+c.key+", or raise storage_max_stream_bytes of the account")
		}
		if c.size > 0 {
			keys, reserved = append(keys, c.key), reserved+c.size*replicas
		}
	}
	left := limits.MaxStore - int64(max(tier.ReservedStore, tier.Store))
	switch most := limits.MaxStore; {
	case most < 0:
	case reserved > left:
		refuse(fmt.Sprintf("the account has %s bytes of storage left, and %s bytes are taken by %s", cost.Grouped(max(left, 0)), cost.Grouped(reserved), strings.Join(keys, " and ")), "lower "+strings.Join(keys, " and ")+", or raise max_storage of the account")
	case left < ledger.MaxBatchBytes*replicas:
		refuse(fmt.Sprintf("the account may store %s bytes, and %s of them are left: less than one batch of a worker", cost.Grouped(most), cost.Grouped(max(left, 0))), "raise max_storage of the account, or remove streams that nobody needs")
	}
	return found, fixes
}

// within says the limits that there are.
func within(tier jetstream.Tier) string {
	var all []string
	for _, limit := range []struct {
		most int64
		of   string
	}{{int64(tier.Limits.MaxStreams), "streams"}, {int64(tier.Limits.MaxConsumers), "consumers"}, {tier.Limits.MaxStore, "bytes of storage"}} {
		if limit.most > 0 {
			all = append(all, cost.Grouped(limit.most)+" "+limit.of)
		}
	}
	if len(all) == 0 {
		return "there are none"
	}
	return "they suffice: " + strings.Join(all, ", ")
}
