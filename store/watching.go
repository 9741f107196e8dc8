package store

import (
	"context"
	"fmt"

	"rollcall/internal/ledger"
)

// Watching reads whether a shard is being looked at, and when its tenant last was.
func (s *JetStream) Watching(ctx context.Context, tenant string, shard int) (ledger.Watching, error) {
	watching, status := s.names.Watching(tenant, shard), s.names.Status(tenant)
	found, err := s.read.getLast(ctx, s.names.Stream, []string{watching, status})
	if err != nil {
		return ledger.Watching{}, fmt.Errorf("read the watch of shard %d of tenant %s: %w", shard, tenant, err)
	}
	w, err := ledger.ReadWatching(found[watching].raw(), found[status].raw())
	if err != nil {
		return ledger.Watching{}, fmt.Errorf("read the watch of shard %d of tenant %s: %w", shard, tenant, err)
	}
	return w, nil
}
