package store

import (
	"context"
	"fmt"
	"sync"

	"rollcall/internal/ledger"
)

// Watching reads whether the shards of a tenant are being looked at, and its status.
func (s *JetStream) Watching(ctx context.Context, tenant string) (ledger.Watch, error) {
	var mu sync.Mutex // guards all
	var all []ledger.Raw
	err := s.read.readAll(ctx, s.names.Watchings(tenant), func(m got) {
		mu.Lock()
		defer mu.Unlock()
		all = append(all, m.raw())
	})
	status := s.names.Status(tenant)
	found := map[string]got{}
	if err == nil {
		found, err = s.read.getLast(ctx, s.names.Stream, []string{status})
	}
	if err != nil {
		return ledger.Watch{}, fmt.Errorf("read the watch of tenant %s: %w", tenant, err)
	}
	return ledger.ReadWatch(all, found[status].raw()), nil
}
