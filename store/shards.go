package store

import (
	"context"
	"fmt"

	"rollcall/internal/ledger"
)

// Shards reads how many shards the meetings of each of the tenants form. Those
// without a number yet are not in the map.
func (s *JetStream) Shards(ctx context.Context, tenants []string) (map[string]ledger.Shards, error) {
	byName := make(map[string]string, len(tenants))
	subjects := make([]string, len(tenants))
	for i, tenant := range tenants {
		subjects[i] = s.names.Shards(tenant)
		byName[subjects[i]] = tenant
	}
	found, err := s.read.getLast(ctx, s.names.Stream, subjects)
	if err != nil {
		return nil, fmt.Errorf("read the numbers of shards: %w", err)
	}
	all := make(map[string]ledger.Shards, len(found))
	for name, m := range found {
		shards, err := ledger.ReadShards(m.raw())
		if err != nil {
			return nil, fmt.Errorf("tenant %s: %w", byName[name], err)
		}
		all[byName[name]] = shards
	}
	return all, nil
}

// SetShards says how many shards a tenant's meetings form, if what said it last
// still has the revision expect (0: nothing did). Its errors are those of
// [JetStream.Claim].
func (s *JetStream) SetShards(ctx context.Context, tenant string, count int, by string, expect uint64) (ledger.Shards, error) {
	m, err := ledger.ShardsMessage(s.names, tenant, count, by, expect)
	if err != nil {
		return ledger.Shards{}, err
	}
	ctx, cancel := within(ctx)
	defer cancel()
	revision, err := s.put(ctx, m)
	if err != nil {
		return ledger.Shards{}, fmt.Errorf("set the number of shards of tenant %s: %w", tenant, err)
	}
	return ledger.Shards{Count: count, Revision: revision}, nil
}
