package service

import (
	"context"
	"slices"
	"time"

	"go.uber.org/zap"

	"rollcall/poller/budget"
)

// returning is how long a stop waits for reserved calls to be given back.
const returning = time.Second / 2

// attachBudget returns the tenant's budget the ledger, and data_dir where it is ours alone.
func (s *Service) attachBudget(t *tenant) {
	if t.budget == nil {
		return
	}
	var slip *budget.Slip
	if s.ownsDir {
		slip = budget.NewSlip(s.cfg.DataDir, t.cfg.Name)
	}
	t.budget.Attach(s.ledger, slip)
}

// closeBudgets returns what is reserved.
func (s *Service) closeBudgets() {
	ctx, cancel := context.WithTimeout(context.Background(), returning)
	defer cancel()
	for _, t := range s.current() {
		s.closeBudget(ctx, t)
	}
}

// closeBudget returns what is reserved of a tenant's calls. What cannot be returned
// now is, by the next process on the same data_dir.
func (s *Service) closeBudget(ctx context.Context, t *tenant) {
	if t.budget == nil {
		return
	}
	if err := t.budget.Close(ctx); err != nil {
		s.log.Warn("reserved calls kept in data_dir for the next start", zap.String("tenant", t.cfg.Name), zap.Error(err))
	}
}

// budgeted reports whether any tenant has a number of calls.
func (s *Service) budgeted() bool {
	return slices.ContainsFunc(s.current(), func(t *tenant) bool { return t.budget != nil })
}
