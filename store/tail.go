package store

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"rollcall/internal/ledger"
)

// The bounds of one page of a tail.
const (
	tailPage      = 5000
	tailPageBytes = 8 << 20
)

// Tail reads what was stored of the tenant after a stream sequence. It is cheap
// where that lies near the end: it reads nothing before it.
func (s *JetStream) Tail(ctx context.Context, tenant string, after uint64) (ledger.Tail, error) {
	// No wildcard excludes the status, which has a token less, and none is needed.
	filter, from := s.names.Prefix+".*."+tenant+".>", after+1
	tail := ledger.NewTailReader(s.names, tenant)
	least := s.read.seen.of(tenant)
	err := s.read.caughtUp(ctx, func() error {
		if err := s.read.each(ctx, filter, &from, tail.Add); err != nil {
			return err
		}
		if from <= least { // the claim is one of the tenant's messages
			return fmt.Errorf("%w: it ends before sequence %d, and %d is stored", errBehind, from, least)
		}
		return nil
	})
	if err != nil {
		return ledger.Tail{}, fmt.Errorf("read what was stored of tenant %s after sequence %d: %w", tenant, after, err)
	}
	return tail.Tail(), nil
}

// LastEvents reads the last event of each of these meetings; those without one
// are not in the map.
func (s *JetStream) LastEvents(ctx context.Context, tenant string, ids []string) (map[string]ledger.Last, error) {
	tail := ledger.NewTailReader(s.names, tenant)
	if err := s.lastEvents(ctx, tenant, ids, tail); err != nil {
		return nil, fmt.Errorf("read the last events of %d meetings of tenant %s: %w", len(ids), tenant, err)
	}
	return tail.Tail().Events, nil
}

// lastEvents asks about fewer meetings at a time where these have too many events.
func (s *JetStream) lastEvents(ctx context.Context, tenant string, ids []string, tail *ledger.TailReader) error {
	for part := range slices.Chunk(ids, maxGetSubjects/4) {
		filters := make([]string, len(part))
		for i, id := range part {
			filters[i] = s.names.Event(tenant, id, "") + ">"
		}
		found := make(map[string]got)
		whole, err := s.read.getSure(ctx, s.names.Stream, filters, found)
		if half := len(part) / 2; half > 0 && (errors.Is(err, errTooMany) || err == nil && !whole) {
			if err = s.lastEvents(ctx, tenant, part[:half], tail); err == nil {
				err = s.lastEvents(ctx, tenant, part[half:], tail)
			}
		} else if err == nil && !whole {
			err = errors.New("the answer is too large")
		}
		if err != nil {
			return err
		}
		for _, m := range found {
			tail.Add(m.raw())
		}
	}
	return nil
}
