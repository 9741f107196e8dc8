package ledgertest

import (
	"context"
	"fmt"
	"strings"
	"time"

	"rollcall/internal/ledger"
)

// memoryBudget is an entry of the budget in memory.
type memoryBudget struct {
	data     []byte
	revision uint64
	written  time.Time
}

// ReadBudget reads as [store.JetStream.ReadBudget] does.
func (m *Memory) ReadBudget(ctx context.Context, tenant, key string) (data []byte, revision uint64, written time.Time, err error) {
	err = m.do(ctx, "read_budget", func() error {
		entry := m.budgets[tenant+"."+key]
		data, revision, written = append([]byte(nil), entry.data...), entry.revision, entry.written
		return nil
	})
	return data, revision, written, err
}

// WriteBudget writes as [store.JetStream.WriteBudget] does.
func (m *Memory) WriteBudget(ctx context.Context, tenant, key string, data []byte, expect uint64) (revision uint64, err error) {
	err = m.do(ctx, "write_budget", func() error {
		name := tenant + "." + key
		if now := m.budgets[name].revision; now != expect {
			return fmt.Errorf("write the budget of tenant %s: %w: it is at %d, not at %d", tenant, ledger.ErrStale, now, expect)
		}
		if m.budgets == nil {
			m.budgets = make(map[string]memoryBudget)
		}
		m.budgeted++
		revision = m.budgeted
		m.budgets[name] = memoryBudget{append([]byte(nil), data...), revision, time.Now()}
		return nil
	})
	return revision, err
}

// Budgets reads as [store.JetStream.Budgets] does.
func (m *Memory) Budgets(ctx context.Context, key string) (all map[string][]byte, err error) {
	all = make(map[string][]byte)
	err = m.do(ctx, "budgets", func() error {
		for name, entry := range m.budgets {
			if tenant, ok := strings.CutSuffix(name, "."+key); ok {
				all[tenant] = append([]byte(nil), entry.data...)
			}
		}
		return nil
	})
	return all, err
}
