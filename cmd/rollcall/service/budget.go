package service

import (
	"context"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"rollcall/cmd/rollcall/config"
	"rollcall/poller"
	"rollcall/poller/budget"
)

// budgets are the tenants' budgets by their names; one without a number has none.
type budgets map[string]*budget.Budget

// returning is how long a stop waits for reserved calls to be given back.
const returning = 5 * time.Second

// openBudgets gives each tenant with a number of calls its budget.
func (s *Service) openBudgets() error {
	s.budgets = make(budgets)
	for i := range s.tenants {
		cfg, t := s.cfg.Tenants[i], &s.tenants[i]
		if cfg.Poll.MonthlyCalls == config.Unlimited {
			continue
		}
		asker, ok := t.Asker.(*poller.Poller)
		if !ok {
			return fmt.Errorf("tenant %s: a budget needs a poller that asks for its calls", t.Name)
		}
		b := budget.New(budget.Config{
			Tenant: t.Name, Calls: int64(cfg.Poll.MonthlyCalls), Finds: finds(cfg.Track), Logger: s.log,
		})
		asker.Spend, t.Budget = spend(b, cfg.Track), b
		limited := t.Holds
		t.Holds = func(held, shards int) {
			limited(held, shards)
			b.Share(held, shards)
		}
		s.budgets[t.Name] = b
	}
	if err := s.registry.Register(s.budgets); err != nil {
		return fmt.Errorf("register metrics: %w", err)
	}
	return nil
}

// attachBudgets gives the budgets the ledger, and data_dir where it is ours alone.
func (s *Service) attachBudgets(ledger budget.Ledger) {
	for name, b := range s.budgets {
		var slip *budget.Slip
		if s.embedded != nil || s.lock != nil {
			slip = budget.NewSlip(s.cfg.DataDir, name)
		}
		b.Attach(ledger, slip)
	}
}

// closeBudgets gives back what is reserved. What cannot be given back now is,
// by the next process on the same data_dir.
func (s *Service) closeBudgets(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, returning)
	defer cancel()
	for name, b := range s.budgets {
		if err := b.Close(ctx); err != nil {
			s.log.Warn("reserved calls wait in data_dir for the next start", zap.String("tenant", name), zap.Error(err))
		}
	}
}

// figure is one of the figures of a budget.
type figure struct {
	desc *prometheus.Desc
	of   func(budget.Figures) float64
}

func figures() []figure {
	gauge := func(name, help string, of func(budget.Figures) float64) figure {
		return figure{prometheus.NewDesc("rollcall_budget_"+name, help, []string{"tenant"}, nil), of}
	}
	return []figure{
		gauge("calls", "Calls that may be spent in the calendar month (UTC+8).",
			func(f budget.Figures) float64 { return float64(f.Limit) }),
		gauge("calls_left", "Calls of the month that are neither spent nor reserved.",
			func(f budget.Figures) float64 { return float64(f.Left) }),
		gauge("calls_reserved", "Calls that this worker has reserved and not spent.",
			func(f budget.Figures) float64 { return float64(f.Held) }),
		gauge("pace_seconds", "Time between two calls about tracked meetings that the budget allows this worker now (0: none).",
			func(f budget.Figures) float64 { return f.Pace.Seconds() }),
		gauge("accounts_lost", "Accounts of a month that were gone or unreadable, and that this worker has written anew.",
			func(f budget.Figures) float64 { return float64(f.Lost) }),
	}
}

// Describe tells the metrics of budgets.
func (b budgets) Describe(to chan<- *prometheus.Desc) {
	for _, f := range figures() {
		to <- f.desc
	}
}

// Collect measures the budgets whose account was read.
func (b budgets) Collect(to chan<- prometheus.Metric) {
	for name, one := range b {
		now := one.Figures()
		if !now.Started {
			continue
		}
		for _, f := range figures() {
			to <- prometheus.MustNewConstMetric(f.desc, prometheus.GaugeValue, f.of(now), name)
		}
	}
}
