package check

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// jetstream asks whether there is JetStream for this account, after making
// sure that answers can be heard at all.
func (b *broker) jetstream(ctx context.Context) Result {
	const tried = "ask JetStream for the account"
	if err := b.probe.subscribe(ctx, b.link.conn.NewInbox()+".*"); err != nil {
		return fail(tried, "no answer could be heard: "+shorter(err), b.probe.inboxFix())
	}
	ctx, stop := b.probe.watch(ctx)
	defer stop()
	info, err := b.link.js.AccountInfo(ctx)
	if denied := denial(ctx); denied != nil {
		return ok(tried, "the user may not ask, which a worker need not")
	}
	switch {
	case errors.Is(err, jetstream.ErrJetStreamNotEnabledForAccount):
		return fail(tried, "JetStream is not enabled for this account", "enable it for the account in nats-server's configuration, or with nats account edit for decentralized accounts")
	case errors.Is(err, jetstream.ErrJetStreamNotEnabled), errors.Is(err, nats.ErrNoResponders):
		return fail(tried, "JetStream is not enabled on this nats-server", "start it with -js, or with jetstream {store_dir: …} in its configuration")
	case err != nil:
		return fail(tried, b.check.why(ctx, err), "see whether JetStream's cluster has a leader: nats server report jetstream")
	}
	return ok(tried, "it is enabled; %d streams", info.Streams)
}

// downstream looks for streams that would capture what is republished, or what
// is published to ours.
func (b *broker) downstream(ctx context.Context) Result {
	const tried = "look for other streams on these subjects"
	ctx, stop := b.probe.watch(ctx)
	defer stop()
	var clashing, capturing []string
	streams := b.link.js.ListStreams(ctx)
	for info := range streams.Info() {
		if info.Config.Name == b.names.Stream {
			continue
		}
		if overlaps(info.Config.Subjects, b.names.Commits()) {
			clashing = append(clashing, info.Config.Name)
		} else if overlaps(info.Config.Subjects, b.names.All()) {
			capturing = append(capturing, fmt.Sprintf("%s (%s)", info.Config.Name, several(info.Config.Subjects)))
		}
	}
	if denied := denial(ctx); denied != nil {
		return skip(tried, "the user may not list streams, which a worker need not")
	}
	if err := streams.Err(); err != nil {
		return warn(tried, b.check.why(ctx, err), "see whether JetStream's cluster has a leader: nats server report jetstream")
	}
	return b.overlap(tried, clashing, capturing)
}

func (b *broker) overlap(tried string, clashing, capturing []string) Result {
	if len(clashing) > 0 {
		return fail(tried, "subjects of "+strings.Join(clashing, ", ")+" overlap with "+b.names.Commits()+", to which only workers publish",
			"take them from that stream, or choose another stream.name")
	}
	if len(capturing) > 0 {
		return warn(tried, "what is republished below "+b.names.Prefix+". is captured by "+strings.Join(capturing, ", ")+
			", which will store nothing: republished messages keep the headers of their batch",
			"give that stream no such subjects, but sources: "+b.names.Stream+" with a filter such as "+b.names.Events())
	}
	return ok(tried, "there are none")
}

func overlaps(subjects []string, with string) bool {
	for _, subject := range subjects {
		if server.SubjectsCollide(subject, with) {
			return true
		}
	}
	return false
}
