package service

import (
	"context"
	"reflect"
	"strings"

	"go.uber.org/zap"

	"rollcall/cmd/rollcall/config"
	"rollcall/cmd/rollcall/control"
	"rollcall/cmd/rollcall/reload"
	"rollcall/worker"
)

// live reports whether a key takes effect without a start. Where a forwarder of its
// own serves is of no matter to a worker.
func live(key string) bool {
	return key == "tenants" || strings.HasPrefix(key, "tenants[") || key == "tenants_dir" || strings.HasPrefix(key, "forward.")
}

// reloading puts into force what changes in the configuration while the service works.
type reloading struct {
	*Service
	api *control.Service
}

// follow follows the configuration until ctx ends.
func (s *reloading) follow(ctx context.Context) {
	follower := reload.Follower{
		Config: &s.cfg, Read: s.Reload, Live: live, Prepare: s.prepare, Asked: s.hangups, Level: s.Level, Log: s.log, Metrics: s.metrics.config,
	}
	follower.Run(ctx)
}

// prepare makes the tenants, and whom the forwarder tells. Where one cannot be made,
// none is. The function returned, nil if nothing changes, puts them into force.
func (s *reloading) prepare(next config.Config) (apply func(context.Context) error, err error) {
	forwards, err := s.prepareForwarding(next.Forward)
	if err != nil {
		return nil, err
	}
	changes, err := s.prepareTenants(next)
	if err != nil || len(changes) == 0 && forwards == nil {
		return nil, err
	}
	return func(ctx context.Context) error {
		for _, c := range changes {
			if err := s.change(ctx, c); err != nil {
				return err
			}
			s.log.Info("tenant changed", zap.String("tenant", c.name()))
		}
		if forwards != nil {
			if err := forwards(ctx); err != nil {
				return err
			}
		}
		s.cfg.Tenants, s.cfg.Forward = next.Tenants, next.Forward
		warnIfOverBudget(next.Tenants, s.log)
		return nil
	}, nil
}

// change is one tenant that is replaced, added (old is nil) or taken out (next is nil).
type change struct{ old, next *tenant }

func (c change) name() string {
	if c.next != nil {
		return c.next.cfg.Name
	}
	return c.old.cfg.Name
}

// prepareForwarding makes other targets and routes, and returns what puts them into
// force; nil: they are the same.
func (s *reloading) prepareForwarding(next config.Forward) (apply func(context.Context) error, err error) {
	if s.forwarding != nil {
		replace, err := s.forwarding.Replace(next)
		if replace == nil {
			return nil, err
		}
		return func(context.Context) error { replace(); return nil }, nil
	}
	if reflect.DeepEqual(s.cfg.Forward, next) {
		return nil, nil
	}
	return func(ctx context.Context) error { return admitForwarders(ctx, s.Service, next) }, nil
}

// prepareTenants makes the tenants that are new or configured otherwise.
func (s *reloading) prepareTenants(next config.Config) (changes []change, err error) {
	before := map[string]*tenant{}
	for _, t := range s.tenants.current() {
		before[t.cfg.Name] = t
	}
	for _, cfg := range next.Tenants {
		old := before[cfg.Name]
		delete(before, cfg.Name)
		if old != nil && reflect.DeepEqual(old.cfg, cfg) {
			continue
		}
		t, err := s.tenants.make(cfg)
		if err != nil {
			for _, c := range changes {
				c.next.client.Close()
			}
			return nil, err
		}
		changes = append(changes, change{old, t})
	}
	for _, t := range s.tenants.current() { // in their order
		if before[t.cfg.Name] != nil {
			changes = append(changes, change{old: t})
		}
	}
	return changes, nil
}

// change lets one tenant take another's place. The others go on.
func (s *reloading) change(ctx context.Context, c change) error {
	if c.next != nil && c.next.counted() {
		if err := s.ledger.OpenBudget(ctx, s.cfg.Stream.Ledger(), s.log); err != nil {
			return err
		}
	}
	if c.old != nil {
		c.old.findNoMore()
	}
	err := s.worker.Replace(ctx, c.name(), func() *worker.Tenant { return s.handOver(ctx, c) })
	if err != nil {
		return err
	}
	switch {
	case c.next == nil:
		s.api.Remove(c.name())
		s.metrics.forget(c.name())
		return nil
	case c.old == nil:
		err = s.api.Add(controlledAs(c.name(), s.worker, s.tenants))
	}
	c.next.find(ctx, s.api, s.log)
	return err
}

// handOver is called when the old tenant asks nothing any more. It returns the next
// one as the worker needs it; nil: there is none.
func (s *reloading) handOver(ctx context.Context, c change) *worker.Tenant {
	if c.old != nil {
		within, cancel := context.WithTimeout(ctx, returning)
		c.old.returnCalls(within, s.log)
		cancel()
		c.old.client.Close()
	}
	s.tenants.exchange(c.old, c.next)
	if c.next == nil {
		return nil
	}
	c.next.spendFrom(s.ledger, s.ownDir())
	watched := c.next.watched()
	return &watched
}
