package check

import (
	"context"
	"crypto/rand"
	"fmt"
	"strconv"
	"strings"

	"github.com/nats-io/nats.go"

	"rollcall"
	"rollcall/internal/natsconn"
)

// other is the name of a stream in requests that are refused because the
// subject names another one: what they ask for cannot happen.
const other = "rollcall-check"

// impossible is a sequence that no stream ever reaches: a write that expects
// it is refused, and nothing is stored.
const impossible = 1 << 62

// look asks for the stream and the bucket, as the start of a worker does.
func (b *broker) look(ctx context.Context) Result {
	tried := "look at the stream and the bucket"
	wide := []string{b.probe.asked("STREAM.INFO." + b.names.Stream), b.probe.asked("STREAM.INFO.KV_" + b.names.Workers())}
	refused := b.probe.askAll(ctx, []trial{{subject: wide[0]}, {subject: wide[1]}})
	return b.probe.judge(ctx, tried, "allowed", refused, strings.Join(wide, " and "))
}

// create asks for a stream of another name than the subject says.
func (b *broker) create(ctx context.Context) Result {
	const tried = "create what is absent (refused, nothing is created)"
	var trials []trial
	var wide []string
	for name, missing := range map[string]bool{b.names.Stream: b.missing.stream, "KV_" + b.names.Workers(): b.missing.bucket} {
		if missing {
			create := b.probe.asked("STREAM.CREATE." + name)
			trials = append(trials, trial{subject: create, data: fmt.Sprintf(`{"name":%q,"storage":"file"}`, other)})
			wide = append(wide, create)
		}
	}
	if len(trials) == 0 {
		return skip(tried, "not needed: they are there")
	}
	r := b.probe.judge(ctx, tried, "allowed", b.probe.askAll(ctx, trials), strings.Join(wide, " and "))
	replicas := b.check.Config.Stream.Replicas
	if r.Verdict == OK && replicas > 1 && b.link.conn.ConnectedClusterName() == "" {
		return fail(tried, fmt.Sprintf("allowed, but stream.replicas is %d and this nats-server is in no cluster", replicas), "set stream.replicas to 1, or connect to a cluster")
	}
	return r
}

// read asks for a record and for a member, as a worker does, which needs no consumer.
func (b *broker) read(ctx context.Context) Result {
	stream, workers := b.probe.asked("DIRECT.GET."+b.names.Stream), b.probe.asked("DIRECT.GET.KV_"+b.names.Workers())
	trials := []trial{
		{subject: stream, data: `{"multi_last":["` + b.names.Status(b.tenants()[0]) + `"]}`},
		{subject: workers, data: `{"multi_last":["$KV.` + b.names.Workers() + `.` + other + `"]}`},
	}
	return b.probe.judge(ctx, "read records", "allowed", b.probe.askAll(ctx, trials), stream+" and "+workers)
}

// publish sends batches of one message that are refused by what they expect.
// Their subjects are nobody's, except the tenant's status, where nothing is
// disturbed either: what is refused leaves no trace.
func (b *broker) publish(ctx context.Context) Result {
	var trials []trial
	for _, tenant := range b.tenants() {
		for _, subject := range []string{
			b.names.Event(tenant, other, rollcall.MeetingStarted), b.names.State(tenant, other), b.names.Tracked(tenant, other),
			b.names.Status(tenant), b.names.Prefix + ".claim." + tenant + "." + other,
		} {
			trials = append(trials, trial{subject: b.names.Commit(subject), header: nats.Header{
				"Nats-Batch-Id": {rand.Text()}, "Nats-Batch-Sequence": {"1"}, "Nats-Batch-Commit": {"1"},
				"Nats-Expected-Last-Subject-Sequence": {strconv.Itoa(impossible)},
			}})
		}
	}
	tried := fmt.Sprintf("publish commits (%d, refused by what they expect)", len(trials))
	return b.probe.judge(ctx, tried, "allowed, nothing is stored", b.probe.askAll(ctx, trials), b.names.Commits())
}

// workers writes a member's key that is refused: one that is stored would be
// taken for a worker that lives.
func (b *broker) workers(ctx context.Context) Result {
	subject := "$KV." + b.names.Workers() + "."
	t := trial{subject: natsconn.KeySubject(b.link.js, subject+other), header: nats.Header{"Nats-Expected-Last-Subject-Sequence": {strconv.Itoa(impossible)}}}
	return b.probe.judge(ctx, "register a worker (refused by what it expects)", "allowed, nothing is stored", b.probe.askAll(ctx, []trial{t}), subject+">")
}

// erase asks for an event to be erased, in words that are no request: what is
// refused for them erases nothing.
func (b *broker) erase(ctx context.Context) Result {
	tried, subject := "erase an event for rollcall forget (refused, nothing is erased)", b.probe.asked("STREAM.MSG.DELETE."+b.names.Stream)
	r := b.probe.judge(ctx, tried, "allowed", b.probe.askAll(ctx, []trial{{subject: subject, data: "{"}}), subject)
	if r.Verdict == Fail {
		r.Verdict, r.Found = Warn, "meetings can be watched, but rollcall forget will erase nobody's events: "+r.Found
	}
	return r
}

// tenants are those of the configuration, or any name where there is none.
func (b *broker) tenants() []string {
	var names []string
	for _, t := range b.check.Config.Tenants {
		names = append(names, t.Name)
	}
	if len(names) == 0 {
		return []string{other}
	}
	return names
}

// api listens where operators ask the workers. Requests in the meantime are
// answered by a worker all the same.
func (b *broker) api(ctx context.Context) Result {
	const tried = "listen for rollcall track, untrack, list and show"
	shards := "rollcall." + b.names.Stream + ".shard."
	var denied []string
	for _, tenant := range b.tenants() {
		for _, verb := range []string{"track", "untrack", "list", "show"} {
			for _, subject := range []string{b.names.API(tenant, verb), shards + tenant + "." + verb} {
				if err := b.probe.subscribe(ctx, subject); err != nil {
					denied = append(denied, subject)
				}
				if ctx.Err() != nil {
					return fail(tried, b.check.why(ctx, ctx.Err()), "see whether nats-server is overloaded")
				}
			}
		}
	}
	if len(denied) > 0 {
		return warn(tried, "meetings can be watched, but these commands will not work: the user may not subscribe to "+several(denied),
			"allow the user to subscribe to "+b.names.API("*", "*")+" and "+shards+"*.*")
	}
	return ok(tried, "allowed")
}
