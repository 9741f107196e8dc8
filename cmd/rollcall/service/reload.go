package service

import (
	"context"
	"reflect"
	"slices"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"rollcall/cmd/rollcall/config"
	"rollcall/cmd/rollcall/control"
	"rollcall/internal/streak"
	"rollcall/worker"
)

// reloadEvery is how often the configuration is read, to see whether it has changed.
const reloadEvery = 30 * time.Second

// reloading puts into force what changes in the configuration while the service works.
type reloading struct {
	*Service
	api     *control.Service
	waiting []string // keys whose change takes effect at the next start
}

// follow reads the configuration anew now and then, and at [Service.Hangup], until
// ctx ends.
func (s *reloading) follow(ctx context.Context) {
	tick := time.NewTicker(reloadEvery)
	defer tick.Stop()
	trouble := &streak.Log{Logger: s.log, What: "reloading the configuration (the one before stays in force)"}
	for {
		asked := false
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-s.hangups:
			asked = true
		}
		if s.Reload == nil {
			continue
		}
		changed, err := s.reload(ctx)
		if ctx.Err() != nil {
			return
		}
		if trouble.Note(err); err != nil {
			s.metrics.reloaded.Set(0)
		} else if s.metrics.reloaded.Set(1); asked && !changed {
			s.log.Info("configuration read; nothing has changed that takes effect now")
		}
	}
}

// reload reads the configuration and puts it into force. An error leaves the one
// before as it was, unless ctx has ended.
func (s *reloading) reload(ctx context.Context) (changed bool, err error) {
	next, err := s.Reload(ctx)
	if err != nil {
		return false, err
	}
	changes, err := s.prepare(next)
	if err != nil {
		return false, err
	}
	s.noteRestart(next)
	if len(changes) == 0 && next.Log.Level == s.cfg.Log.Level {
		return false, nil
	}
	for _, c := range changes {
		if err := s.change(ctx, c); err != nil {
			return true, err
		}
	}
	s.cfg.Tenants, s.cfg.Log.Level = next.Tenants, next.Log.Level
	if level, err := zapcore.ParseLevel(next.Log.Level); err == nil && s.Level != nil {
		s.Level.SetLevel(level)
	}
	s.metrics.inForce(s.cfg)
	s.log.Info("configuration reloaded", zap.Strings("tenants_changed", namesOf(changes)), zap.String("level", next.Log.Level))
	warnIfOverBudget(next.Tenants, s.log)
	return true, nil
}

// noteRestart says which keys have changed that take effect at the next start.
func (s *reloading) noteRestart(next config.Config) {
	keys := s.cfg.Differs(next)
	s.metrics.restart.Set(min(1, float64(len(keys))))
	if !slices.Equal(keys, s.waiting) && len(keys) > 0 {
		s.log.Warn("configuration changed in keys that take effect at the next start", zap.Strings("keys", keys))
	}
	s.waiting = keys
}

// change is one tenant that is replaced, added (old is nil) or taken out (next is nil).
type change struct{ old, next *tenant }

func (c change) name() string {
	if c.next != nil {
		return c.next.cfg.Name
	}
	return c.old.cfg.Name
}

func namesOf(changes []change) []string {
	names := []string{}
	for _, c := range changes {
		names = append(names, c.name())
	}
	return names
}

// prepare makes the tenants that are new or configured otherwise. Where one cannot be
// made, none is.
func (s *reloading) prepare(next config.Config) (changes []change, err error) {
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
	if c.next != nil && c.next.budget != nil {
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
		err = s.api.Add(controlledAs(c.name(), s.worker))
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
