package store

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"

	"rollcall/wire"
)

// requestTimeout bounds one request to the server where the caller's context
// does not.
const requestTimeout = 5 * time.Second

// JetStream is the ledger in a NATS JetStream stream. It is opened by [Open]
// and safe for concurrent use; it holds nothing that would have to be closed.
type JetStream struct {
	js    jetstream.JetStream
	names wire.Names
	read  reader
	// How the ledger is opened again; nil: it is only attached.
	renew  func(context.Context) error
	counts atomic.Pointer[func(context.Context) error] // the same of the bucket of the budget, if that belongs to it
}

// DefaultRetention is how long events are kept where [StreamConfig] does not say:
// a week lets a consumer be away over a long weekend.
const DefaultRetention = 168 * time.Hour

// StreamConfig is what is the user's choice of the stream.
type StreamConfig struct {
	Replicas  int           // 0: 1
	Retention time.Duration // how long events are kept; 0: [DefaultRetention]
	MaxBytes  int64         // bytes; the stream refuses more; 0: no limit
	// Sizes of the buckets that are created, in bytes; 0: no limit.
	WorkersMaxBytes, BudgetMaxBytes int64
}

// Open returns the ledger in the stream of these names. What is absent, stream
// or bucket, is created. What is there is compared setting by setting and never
// changed: a difference is refused with an error that names the setting, what
// was found and wanted, and the fix. js must use the default API prefix.
func Open(ctx context.Context, js jetstream.JetStream, names wire.Names, cfg StreamConfig, logger *zap.Logger) (*JetStream, error) {
	if err := checkServer(js.Conn().ConnectedServerVersion(), logger); err != nil {
		return nil, fmt.Errorf("open ledger: %w", err)
	}
	cfg = cfg.withDefaults()
	if err := openStream(ctx, js, wantedStream(names, cfg), logger); err != nil {
		return nil, fmt.Errorf("open ledger: %w", err)
	}
	if err := openWorkers(ctx, js, names, cfg, logger); err != nil {
		return nil, fmt.Errorf("open ledger: %w", err)
	}
	s := Attach(js, names)
	s.opened(cfg, logger)
	return s, nil
}

// Attach returns the reading side of a ledger that somebody else opened. It asks
// for nothing and creates nothing: what is absent fails when it is read.
func Attach(js jetstream.JetStream, names wire.Names) *JetStream {
	return &JetStream{js: js, names: names, read: reader{js: js, names: names, turns: make(chan struct{}, readersAtOnce)}}
}

func (c StreamConfig) withDefaults() StreamConfig {
	if c.Replicas == 0 {
		c.Replicas = 1
	}
	if c.Retention == 0 {
		c.Retention = DefaultRetention
	}
	if c.MaxBytes == 0 {
		c.MaxBytes = -1
	}
	return c
}

// wantedStream is the stream as the design fixes it.
func wantedStream(n wire.Names, c StreamConfig) jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name:               n.Stream,
		Description:        "Rollcall: meetings, what is known of them and what changed",
		Subjects:           []string{n.Commits()},
		SubjectTransform:   &jetstream.SubjectTransformConfig{Source: n.Commits(), Destination: n.All()},
		RePublish:          &jetstream.RePublish{Source: n.All(), Destination: n.All()},
		Retention:          jetstream.LimitsPolicy,
		Storage:            jetstream.FileStorage,
		Discard:            jetstream.DiscardNew,
		Replicas:           c.Replicas,
		MaxAge:             c.Retention,
		MaxBytes:           c.MaxBytes,
		MaxMsgs:            -1,
		MaxMsgsPerSubject:  -1,
		MaxMsgSize:         -1,
		MaxConsumers:       -1,
		AllowAtomicPublish: true,
		AllowMsgTTL:        true,
		AllowRollup:        true,
		AllowDirect:        true,
	}
}

func openStream(ctx context.Context, js jetstream.JetStream, want jetstream.StreamConfig, logger *zap.Logger) error {
	stream, err := js.Stream(ctx, want.Name)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		stream, err = js.CreateStream(ctx, want)
		if err == nil {
			logger.Info("stream created", zap.String("stream", want.Name), zap.Int("replicas", want.Replicas),
				zap.Duration("retention", want.MaxAge), zap.Int64("max_bytes", want.MaxBytes))
		}
	}
	if errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) { // another worker was faster
		stream, err = js.Stream(ctx, want.Name)
	}
	if err != nil {
		return fmt.Errorf("look up or create stream %s: %w", want.Name, err)
	}
	return checkStream(&stream.CachedInfo().Config, &want)
}

func openWorkers(ctx context.Context, js jetstream.JetStream, n wire.Names, c StreamConfig, logger *zap.Logger) error {
	bucket := n.Workers()
	kv, err := js.KeyValue(ctx, bucket)
	if errors.Is(err, jetstream.ErrBucketNotFound) {
		kv, err = js.CreateKeyValue(ctx, jetstream.KeyValueConfig{
			Bucket: bucket, Description: "Rollcall: the workers that live", Replicas: c.Replicas,
			History: 1, LimitMarkerTTL: markerTTL, MaxBytes: c.WorkersMaxBytes,
			// Workers that are gone are forgotten even where their own TTL was
			// lost, as at a server that was killed.
			TTL: time.Hour,
		})
		if err == nil {
			logger.Info("bucket created", zap.String("bucket", bucket))
		}
	}
	if errors.Is(err, jetstream.ErrBucketExists) { // another worker was faster
		kv, err = js.KeyValue(ctx, bucket)
	}
	if err != nil {
		return fmt.Errorf("look up or create bucket %s: %w", bucket, err)
	}
	status, err := kv.Status(ctx)
	if err != nil {
		return fmt.Errorf("look up bucket %s: %w", bucket, err)
	}
	if status.LimitMarkerTTL() <= 0 {
		return fmt.Errorf("bucket %s has no TTLs of single keys (limit_marker_ttl): delete it with "+
			"nats kv del %s, rollcall creates it again", bucket, bucket)
	}
	return checkReplicas(bucket, status, c.Replicas)
}

// checkReplicas refuses a bucket that is gone with a server that the stream survives.
func checkReplicas(bucket string, status jetstream.KeyValueStatus, want int) error {
	about, ok := status.(*jetstream.KeyValueBucketStatus)
	if !ok || about.StreamInfo().Config.Replicas >= want {
		return nil
	}
	return fmt.Errorf("bucket %s has %d replicas, wanted are stream.replicas, %d: it would be away with a single server; "+
		"nats stream edit KV_%s --replicas %d", bucket, about.StreamInfo().Config.Replicas, want, bucket, want)
}

// within bounds a context that has no deadline of its own.
func within(ctx context.Context) (context.Context, context.CancelFunc) {
	if _, ok := ctx.Deadline(); ok {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, requestTimeout)
}

// API is the subject of a request to JetStream, as STREAM.INFO.MEETINGS, which
// may have a domain or be imported under a prefix.
func (s *JetStream) API(request string) string { return s.read.api(request) }
