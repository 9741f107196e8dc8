package check

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"rollcall/internal/natsconn"
	"rollcall/store"
)

// absent is what the ledger lacks and a worker would create.
type absent struct{ stream, bucket bool }

// looker lets [store.Open] compare and create nothing: what is absent it gets
// in imagination, as it would be created.
type looker struct {
	jetstream.JetStream
	missing absent
}

// CreateStream imagines a stream.
func (l *looker) CreateStream(_ context.Context, cfg jetstream.StreamConfig) (jetstream.Stream, error) {
	l.missing.stream = true
	return imaginedStream{info: &jetstream.StreamInfo{Config: cfg}}, nil
}

// CreateKeyValue imagines a bucket.
func (l *looker) CreateKeyValue(_ context.Context, cfg jetstream.KeyValueConfig) (jetstream.KeyValue, error) {
	l.missing.bucket = true
	return imaginedBucket{cfg: cfg}, nil
}

// blind is a looker that finds nothing, so that only the server is judged.
type blind struct{ looker }

// Stream finds none.
func (*blind) Stream(context.Context, string) (jetstream.Stream, error) {
	return nil, jetstream.ErrStreamNotFound
}

// KeyValue finds none.
func (*blind) KeyValue(context.Context, string) (jetstream.KeyValue, error) {
	return nil, jetstream.ErrBucketNotFound
}

type imaginedStream struct {
	jetstream.Stream
	info *jetstream.StreamInfo
}

// CachedInfo is as the stream would be.
func (s imaginedStream) CachedInfo() *jetstream.StreamInfo { return s.info }

type imaginedBucket struct {
	jetstream.KeyValue
	cfg jetstream.KeyValueConfig
}

// Status is as the bucket would be.
func (b imaginedBucket) Status(context.Context) (jetstream.KeyValueStatus, error) {
	return imaginedStatus{ttl: b.cfg.LimitMarkerTTL}, nil
}

type imaginedStatus struct {
	jetstream.KeyValueStatus
	ttl time.Duration
}

// LimitMarkerTTL is as the bucket would have it.
func (s imaginedStatus) LimitMarkerTTL() time.Duration { return s.ttl }

func (b *broker) open(ctx context.Context, js jetstream.JetStream, log *zap.Logger) (*store.JetStream, error) {
	return store.Open(ctx, js, b.names, b.check.Config.Stream.Ledger(), log)
}

// version lets the ledger judge the server, and nothing else.
func (b *broker) version(ctx context.Context) Result {
	const tried = "read the version of nats-server"
	var remarks []string
	core := zapcore.NewCore(zapcore.NewJSONEncoder(zapcore.EncoderConfig{}), zapcore.AddSync(io.Discard), zap.WarnLevel)
	log := zap.New(core, zap.Hooks(func(e zapcore.Entry) error {
		remarks = append(remarks, e.Message)
		return nil
	}))
	reported := b.link.conn.ConnectedServerVersion()
	if _, err := b.open(ctx, &blind{looker{JetStream: b.link.js}}, log); err != nil {
		found, fix, _ := strings.Cut(strings.TrimPrefix(err.Error(), "open ledger: "), "; ")
		return fail(tried, found, fix)
	}
	if len(remarks) > 0 {
		return warn(tried, reported+": "+strings.Join(remarks, "; "), "upgrade every server to 2.15 when it suits you")
	}
	return ok(tried, "%s", reported)
}

// stream compares what is there with the configuration, setting by setting.
func (b *broker) stream(ctx context.Context) Result {
	tried := fmt.Sprintf("compare stream %s and bucket %s with the configuration", b.names.Stream, b.names.Workers())
	ctx, stop := b.probe.watch(ctx)
	defer stop()
	l := &looker{JetStream: b.link.js}
	_, err := b.open(ctx, l, zap.NewNop())
	b.missing = l.missing
	if denied := denial(ctx); denied != nil {
		return fail(tried, shorter(denied), "allow the user what the message names")
	}
	if err == nil {
		return ok(tried, "%s", l.missing.words())
	}
	if api, is := errors.AsType[*jetstream.APIError](err); is {
		return fail(tried, api.Error(), cmp.Or(natsconn.Fix(api), "see nats-server's log"))
	}
	differences := strings.Split(strings.TrimPrefix(err.Error(), "open ledger: "), "\n")
	return fail(tried, fmt.Sprintf("%d of their settings are not as needed", len(differences)), strings.Join(differences, "\n"))
}

// words says what was found.
func (a absent) words() string {
	switch {
	case a.stream && a.bucket:
		return "neither is there yet; rollcall run creates them"
	case a.stream:
		return "the stream is not there yet; rollcall run creates it"
	case a.bucket:
		return "the bucket is not there yet; rollcall run creates it"
	}
	return "they are as needed"
}
