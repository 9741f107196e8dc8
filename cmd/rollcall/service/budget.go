package service

import (
	"context"
	"slices"
	"time"

	"go.uber.org/zap"

	"rollcall/poller/budget"
)

// returning is how long a stop waits for reserved calls to be given back.
const returning = 5 * time.Second

// attachBudgets returns the budgets the ledger, and data_dir where it is ours alone.
func (s *Service) attachBudgets(ledger budget.Ledger) {
	for _, t := range s.tenants {
		if t.budget == nil {
			continue
		}
		var slip *budget.Slip
		if s.ownsDir {
			slip = budget.NewSlip(s.cfg.DataDir, t.cfg.Name)
		}
		t.budget.Attach(ledger, slip)
	}
}

// closeBudgets returns what is reserved. What cannot be returned now is, by the
// next process on the same data_dir.
func (s *Service) closeBudgets() {
	ctx, cancel := context.WithTimeout(context.Background(), returning)
	defer cancel()
	for _, t := range s.tenants {
		if t.budget == nil {
			continue
		}
		if err := t.budget.Close(ctx); err != nil {
			s.log.Warn("reserved calls kept in data_dir for the next start", zap.String("tenant", t.cfg.Name), zap.Error(err))
		}
	}
}

// budgeted reports whether any tenant has a number of calls.
func (s *Service) budgeted() bool {
	return slices.ContainsFunc(s.tenants, func(t *tenant) bool { return t.budget != nil })
}
