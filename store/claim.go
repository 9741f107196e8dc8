package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"rollcall/internal/ledger"
)

// The refusals of a guarded write whose guard does not hold.
const (
	codeWrongSequence jetstream.ErrorCode = 10071
	codeWriteInFlight jetstream.ErrorCode = 10164
)

// Claim takes the shard of the tenant for the holder and returns the new term,
// which is greater than every earlier one. A holder that loses a race for it
// gets [ledger.ErrStale]; when the outcome cannot be known, [ledger.ErrUnknown]
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
	m, err := ledger.ClaimMessage(s.names, tenant, shard, holder, term)
	if err != nil {
		return ledger.Claim{}, err
	}
	term, err = s.put(ctx, m)
	if err != nil {
		return ledger.Claim{}, fmt.Errorf("claim shard %d of tenant %s: %w", shard, tenant, err)
	}
	s.read.seen.note(tenant, m.Subject, term)
	return ledger.Claim{Holder: holder, Term: term}, nil
}

// put stores a guarded message, once, and returns its stream sequence.
func (s *JetStream) put(ctx context.Context, m ledger.Message) (uint64, error) {
	ack, err := s.js.PublishMsg(ctx, &nats.Msg{
		Subject: s.names.Commit(m.Subject), Data: m.Data,
		Header: nats.Header{"Nats-Rollup": {"sub"}, jetstream.MsgTTLHeader: {m.TTL}, "Content-Type": {m.ContentType}},
	}, jetstream.WithExpectLastSequencePerSubject(m.Expect), jetstream.WithRetryAttempts(0))
	if err != nil {
		return 0, fmt.Errorf("%w: %w", judgePut(err), err)
	}
	return ack.Sequence, nil
}

func judgePut(err error) error {
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
// What stands there and is no claim is returned with its error: the next claim
// replaces it.
func (s *JetStream) Holder(ctx context.Context, tenant string, shard int) (ledger.Claim, error) {
	name := s.names.Claim(tenant, shard)
	found, err := s.read.getLast(ctx, s.names.Stream, []string{name})
	if err != nil {
		return ledger.Claim{}, fmt.Errorf("read the claim of shard %d of tenant %s: %w", shard, tenant, err)
	}
	m, ok := found[name]
	if !ok {
		return ledger.Claim{}, nil
	}
	return ledger.ReadClaim(m.raw())
}
