package publisher

import (
	"context"
	"fmt"

	"rollcall/internal/ledger"
	"rollcall/wire"
)

// PutStatus stores the tenant's status in place of the one before. Its errors
// are those of [Publisher.Commit].
func (p *Publisher) PutStatus(ctx context.Context, tenant string, s wire.Status) error {
	s.Tenant = tenant
	m, err := ledger.StatusMessage(p.Names, s)
	if err == nil {
		_, err = p.Commit(ctx, []ledger.Message{m})
	}
	if err != nil {
		return fmt.Errorf("put status of tenant %s: %w", tenant, err)
	}
	return nil
}
