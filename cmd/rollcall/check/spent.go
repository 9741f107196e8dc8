package check

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/nats-io/nats.go"
	"go.uber.org/zap"

	"rollcall/cmd/rollcall/config"
	"rollcall/internal/natsconn"
)

// noStream is JetStream's error code for a stream that is not there.
const noStream = 10059

// counts reports whether a tenant has a number of calls, or hears pushes, which the
// workers count together in a bucket.
func (b *broker) counts() bool { return slices.ContainsFunc(b.check.Config.Tenants, counted) }

func counted(t config.Tenant) bool { return t.Poll.MonthlyCalls != config.Unlimited || t.Push.Enabled }

// budget looks at the bucket and writes to it in a way that is refused, to keys
// under which nothing is counted.
func (b *broker) budget(ctx context.Context) Result {
	bucket := b.names.Budget()
	tried := fmt.Sprintf("write down in bucket %s what is spent (refused by what it expects)", bucket)
	info := trial{subject: b.probe.asked("STREAM.INFO.KV_" + bucket)}
	code, refused := b.probe.ask(ctx, info)
	if refused != nil {
		return b.probe.judge(ctx, tried, "", []refusal{*refused}, info.subject)
	}
	create := b.probe.asked("STREAM.CREATE.KV_" + bucket)
	trials := []trial{{subject: b.probe.asked("DIRECT.GET.KV_" + bucket), data: `{"multi_last":["$KV.` + bucket + "." + other + `"]}`}}
	wide := []string{trials[0].subject, "$KV." + bucket + ".>"}
	if code == noStream {
		trials = append(trials, trial{subject: create, data: fmt.Sprintf(`{"name":%q,"storage":"file"}`, other)})
		wide = append(wide, create)
	}
	for _, t := range b.check.Config.Tenants {
		if counted(t) {
			trials = append(trials, trial{
				subject: natsconn.KeySubject(b.link.js, "$KV."+bucket+"."+t.Name+"."+other),
				header:  nats.Header{"Nats-Expected-Last-Subject-Sequence": {strconv.Itoa(impossible)}},
			})
		}
	}
	r := b.probe.judge(ctx, tried, "allowed, nothing is stored", b.probe.askAll(ctx, trials), strings.Join(wide, " and "))
	if r.Verdict != OK || code == noStream {
		return r
	}
	return b.lasting(ctx, r)
}

// lasting sees whether a bucket that is there keeps what is spent. Where the
// ledger cannot be opened another check says why.
func (b *broker) lasting(ctx context.Context, fine Result) Result {
	ledger, err := b.open(ctx, &looker{JetStream: b.link.js}, zap.NewNop())
	if err != nil {
		return fine
	}
	if err := ledger.OpenBudget(ctx, b.check.Config.Stream.Ledger(), zap.NewNop()); err != nil {
		found, fix, _ := strings.Cut(err.Error(), ": ")
		return fail(fine.Tried, found, fix)
	}
	return fine
}
