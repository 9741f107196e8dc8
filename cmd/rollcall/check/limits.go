package check

import (
	"context"
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
	found, fixes := b.exceeded(tier, int64(replicas))
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

// created is how many streams a worker would create, buckets among them.
func (b *broker) created() (streams int) {
	for _, missing := range []bool{b.missing.stream, b.missing.bucket} {
		if missing {
			streams++
		}
	}
	if b.missing.stream && b.counts() {
		streams++ // the bucket of what is spent, which nobody has made either
	}
	return streams
}

// exceeded says which limits would refuse what is missing.
func (b *broker) exceeded(tier jetstream.Tier, replicas int64) (found, fixes []string) {
	refuse := func(problem, fix string) { found, fixes = append(found, problem), append(fixes, fix) }
	limits, size := tier.Limits, b.check.Config.Stream.MaxBytes
	if most, more := limits.MaxStreams, b.created(); most > 0 && tier.Streams+more > most {
		refuse(fmt.Sprintf("the account may have %d streams, has %d, and needs %d more", most, tier.Streams, more), "raise max_streams of the account, or remove streams that nobody needs")
	}
	if limits.MaxBytesRequired && b.missing.stream && size == 0 {
		refuse("the account demands a max_bytes of every stream, and stream.max_bytes is 0", "set stream.max_bytes")
	}
	if limits.MaxBytesRequired && b.missing.bucket {
		refuse("the account demands a max_bytes of every stream, and the bucket "+b.names.Workers()+" is created without one",
			"lift max_bytes_required of the account for rollcall")
	}
	if most := limits.StoreMaxStreamBytes; most > 0 && b.missing.stream && size > most {
		refuse(fmt.Sprintf("a stream of the account may have %s bytes, and stream.max_bytes is %s", cost.Grouped(most), cost.Grouped(size)), "lower stream.max_bytes, or raise storage_max_stream_bytes of the account")
	}
	left := limits.MaxStore - int64(max(tier.ReservedStore, tier.Store))
	switch most := limits.MaxStore; {
	case most < 0:
	case b.missing.stream && size*replicas > left:
		refuse(fmt.Sprintf("the account has %s bytes of storage left, and stream.max_bytes takes %s", cost.Grouped(max(left, 0)), cost.Grouped(size*replicas)), "lower stream.max_bytes, or raise max_storage of the account")
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
