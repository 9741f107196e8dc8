package service

import (
	"fmt"

	"rollcall/cmd/rollcall/config"
	"rollcall/poller"
)

func (s *Service) openTenants() error {
	s.egress = &poller.Egress{Limiter: egressLimiter(s.cfg.EgressQPS)}
	s.metrics = newMetrics(s.registry)
	s.metrics.inForce(s.cfg)
	s.teardown.push("the clients of the tenants", quietly(func() {
		for _, t := range s.current() {
			t.client.Close()
		}
	}))
	for _, cfg := range s.cfg.Tenants {
		t, err := s.newTenant(cfg)
		if err != nil {
			return err
		}
		s.tenants = append(s.tenants, t)
	}
	s.registry.MustRegister(budgetMetrics{s.current}, newHealthMetrics(s))
	return nil
}

// newTenant makes a tenant that does nothing yet. Its client is to be closed.
func (s *Service) newTenant(cfg config.Tenant) (*tenant, error) {
	t, err := newTenant(cfg, s.egress, s.metrics, s.log)
	if err == nil {
		if err = t.openFinders(s.log); err != nil {
			t.client.Close()
		}
	}
	if err != nil {
		return nil, fmt.Errorf("tenant %s: %w", cfg.Name, err)
	}
	return t, nil
}

// current are the tenants now.
func (s *Service) current() []*tenant {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.tenants
}
