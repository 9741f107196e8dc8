package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"rollcall/internal/ledger"
	"rollcall/wire"
)

// The refusals of a guarded write whose guard does not hold.
const (
	codeWrongSequence jetstream.ErrorCode = 10071
	codeWriteInFlight jetstream.ErrorCode = 10164
)

// Claim takes the shard of the tenant for the holder and gives the new term,
// which is greater than every earlier one. Whoever loses a race for it gets
// [ledger.ErrStale]; when the outcome cannot be known, [ledger.ErrUnknown]
// (to claim again is safe); otherwise [ledger.ErrBusy].
func (s *JetStream) Claim(ctx context.Context, tenant string, shard int, holder string) (ledger.Claim, error) {
	now, err := s.Holder(ctx, tenant, shard)
	if err != nil {
		return ledger.Claim{}, fmt.Errorf("claim shard: %w: %w", ledger.ErrBusy, err)
	}
	return s.claimAfter(ctx, tenant, shard, holder, now.Term)
}

// claimAfter takes the shard if its last claim is still the one of this term.
func (s *JetStream) claimAfter(ctx context.Context, tenant string, shard int, holder string, term uint64) (ledger.Claim, error) {
	data, err := json.Marshal(claimJSON{wire.RecordSchema, holder, wire.Time{Time: time.Now()}})
	if err != nil {
		return ledger.Claim{}, fmt.Errorf("claim shard: %w: %w", ledger.ErrRefused, err)
	}
	ack, err := s.js.PublishMsg(ctx, &nats.Msg{
		Subject: s.names.Commit(s.names.Claim(tenant, shard)), Data: data,
		Header: nats.Header{
			"Nats-Rollup": {"sub"}, jetstream.MsgTTLHeader: {forever}, "Content-Type": {contentTypeJSON},
		},
	}, jetstream.WithExpectLastSequencePerSubject(term), jetstream.WithRetryAttempts(0))
	if err != nil {
		return ledger.Claim{}, fmt.Errorf("claim shard %d of tenant %s: %w: %w", shard, tenant, judgeClaim(err), err)
	}
	s.seen.note(tenant, s.names.Claim(tenant, shard), ack.Sequence)
	return ledger.Claim{Holder: holder, Term: ack.Sequence}, nil
}

func judgeClaim(err error) error {
	if refusal, ok := errors.AsType[*jetstream.APIError](err); ok {
		if refusal.ErrorCode == codeWrongSequence || refusal.ErrorCode == codeWriteInFlight {
			return ledger.ErrStale
		}
		return ledger.ErrBusy
	}
	if errors.Is(err, jetstream.ErrNoStreamResponse) || errors.Is(err, nats.ErrNoResponders) || errors.Is(err, nats.ErrReconnectBufExceeded) {
		return ledger.ErrBusy
	}
	return ledger.ErrUnknown
}

// Holder reads who claimed the shard last; the zero claim when nobody ever did.
// What stands there and is no claim is given with its error: whoever claims
// after it replaces it.
func (s *JetStream) Holder(ctx context.Context, tenant string, shard int) (ledger.Claim, error) {
	name := s.names.Claim(tenant, shard)
	found, err := s.getLast(ctx, s.names.Stream, []string{name})
	if err != nil {
		return ledger.Claim{}, fmt.Errorf("read the claim of shard %d of tenant %s: %w", shard, tenant, err)
	}
	m, ok := found[name]
	if !ok {
		return ledger.Claim{}, nil
	}
	return storedClaim(m.data, m.sequence)
}
