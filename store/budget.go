package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"

	"rollcall/internal/natsconn"
	"rollcall/wire"
)

// OpenBudget makes sure that the bucket is there in which calls are counted,
// and that it forgets nothing. cfg is that of [Open]; its replicas count, and
// BudgetMaxBytes.
func (s *JetStream) OpenBudget(ctx context.Context, cfg StreamConfig, logger *zap.Logger) error {
	again := func(ctx context.Context) error { return s.OpenBudget(ctx, cfg, logger) }
	s.counts.Store(&again)
	bucket := s.names.Budget()
	kv, err := s.js.KeyValue(ctx, bucket)
	if errors.Is(err, jetstream.ErrBucketNotFound) {
		kv, err = s.js.CreateKeyValue(ctx, jetstream.KeyValueConfig{
			Bucket: bucket, Description: "Rollcall: the calls of the month", Replicas: cfg.withDefaults().Replicas, History: 1,
			MaxBytes: cfg.BudgetMaxBytes,
		})
		if err == nil {
			logger.Info("bucket created", zap.String("bucket", bucket))
		}
	}
	if errors.Is(err, jetstream.ErrBucketExists) { // another worker was faster
		kv, err = s.js.KeyValue(ctx, bucket)
	}
	if err != nil {
		return fmt.Errorf("look up or create bucket %s: %w", bucket, err)
	}
	status, err := kv.Status(ctx)
	if err != nil {
		return fmt.Errorf("look up bucket %s: %w", bucket, err)
	}
	if err := checkBudget(bucket, status); err != nil {
		return err
	}
	return checkReplicas(bucket, status, cfg.withDefaults().Replicas)
}

// reopenBudget creates the bucket where somebody has deleted it: without it no
// call could be made. NATS without responders may also just be away.
func (s *JetStream) reopenBudget(ctx context.Context) error {
	again := s.counts.Load()
	if again == nil {
		return nil
	}
	return (*again)(ctx)
}

// checkBudget refuses a bucket that would forget what was spent.
func checkBudget(bucket string, status jetstream.KeyValueStatus) error {
	about, ok := status.(*jetstream.KeyValueBucketStatus)
	if !ok {
		return fmt.Errorf("look up bucket %s: the answer has no configuration of a stream", bucket)
	}
	cfg := about.StreamInfo().Config
	switch {
	case cfg.MaxAge > 0:
		return fmt.Errorf("bucket %s forgets after %s what was spent: set its ttl to 0 with nats kv edit %s --ttl 0", bucket, cfg.MaxAge, bucket)
	case cfg.Storage != jetstream.FileStorage:
		return fmt.Errorf("bucket %s is in memory, and would forget at a restart what was spent: "+
			"delete it with nats kv del %s, rollcall creates it again; what was spent this month is then counted anew", bucket, bucket)
	}
	return nil
}

// ReadBudget reads what is kept under a key of the tenant's budget, its
// revision and when the server stored it, by the server's clock. A key that
// was never written has revision 0.
func (s *JetStream) ReadBudget(ctx context.Context, tenant, key string) (data []byte, revision uint64, written time.Time, err error) {
	subject := budgetSubject(s.names, tenant, key)
	found, err := s.read.getLast(ctx, "KV_"+s.names.Budget(), []string{subject})
	if errors.Is(err, nats.ErrNoResponders) {
		err = cmp.Or(s.reopenBudget(ctx), err)
	}
	if err != nil {
		return nil, 0, time.Time{}, fmt.Errorf("read the budget of tenant %s: %w", tenant, err)
	}
	m, ok := found[subject]
	if !ok {
		return nil, 0, time.Time{}, nil
	}
	written, err = time.Parse(time.RFC3339Nano, m.header.Get("Nats-Time-Stamp"))
	if err != nil {
		return nil, 0, time.Time{}, fmt.Errorf("read the budget of tenant %s: the time of the entry: %w", tenant, err)
	}
	if m.header.Get("KV-Operation") != "" {
		return nil, m.sequence, written, nil // somebody deleted it
	}
	return m.data, m.sequence, written, nil
}

// WriteBudget replaces what is kept under a key if it still has the revision
// expect (0: nothing was ever written), and returns the new one. Its errors match
// [ledger.ErrStale] when somebody else wrote, [ledger.ErrUnknown] when it
// cannot be known whether it was stored, and [ledger.ErrBusy] when it was not.
func (s *JetStream) WriteBudget(ctx context.Context, tenant, key string, data []byte, expect uint64) (revision uint64, err error) {
	ctx, cancel := within(ctx)
	defer cancel()
	ack, err := s.js.PublishMsg(ctx, &nats.Msg{Subject: natsconn.KeySubject(s.js, budgetSubject(s.names, tenant, key)), Data: data},
		jetstream.WithExpectLastSequencePerSubject(expect), jetstream.WithRetryAttempts(0))
	if err != nil {
		return 0, fmt.Errorf("write the budget of tenant %s: %w: %w", tenant, judgePut(err), err)
	}
	return ack.Sequence, nil
}

// Budgets reads what is kept under one key of the budgets of all tenants, by
// tenant. Where no tenant has a budget, and so there is no bucket, it is empty.
func (s *JetStream) Budgets(ctx context.Context, key string) (map[string][]byte, error) {
	bucket, found := s.names.Budget(), make(map[string]got)
	whole, err := s.readBudgets(ctx, key, found)
	if errors.Is(err, nats.ErrNoResponders) {
		return nil, nil
	}
	if err == nil && !whole {
		err = errors.New("the answer is too large")
	}
	if err != nil {
		return nil, fmt.Errorf("read the budgets in bucket %s: %w", bucket, err)
	}
	all := make(map[string][]byte, len(found))
	for _, m := range found {
		if m.header.Get("KV-Operation") == "" { // otherwise somebody deleted it
			tenant := strings.TrimPrefix(m.subject, "$KV."+bucket+".")
			all[strings.TrimSuffix(tenant, "."+key)] = m.data
		}
	}
	return all, nil
}

// silence is how long a bucket behind a leaf node may take to answer; at most half of
// the time that there is.
const silence = 2 * time.Second

// readBudgets reads one key of all. Through a leaf node nobody says that nobody answers:
// a bucket that is silent while the stream is not is not there.
func (s *JetStream) readBudgets(ctx context.Context, key string, found map[string]got) (whole bool, err error) {
	read := func(ctx context.Context, stream string) (bool, error) {
		return s.read.getOnce(ctx, stream, []string{budgetSubject(s.names, "*", key)}, found)
	}
	if !natsconn.InDomain(s.js) {
		return read(ctx, "KV_"+s.names.Budget())
	}
	limit := silence
	if at, has := ctx.Deadline(); has {
		limit = min(limit, time.Until(at)/2)
	}
	short, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	if whole, err = read(short, "KV_"+s.names.Budget()); errors.Is(err, context.DeadlineExceeded) {
		if _, other := read(ctx, s.names.Stream); other == nil {
			return false, nats.ErrNoResponders
		}
	}
	return whole, err
}

// budgetSubject is the subject of a key; tenants and keys are tokens already.
func budgetSubject(n wire.Names, tenant, key string) string {
	return "$KV." + n.Budget() + "." + tenant + "." + key
}
