package service

import (
	"context"
	"errors"

	"go.uber.org/zap"

	"rollcall/cmd/rollcall/forward"
	"rollcall/forwarder"
	"rollcall/internal/natsconn"
)

// Forward lets the service tell chat groups and webhooks, too, as its configuration
// says. It is called before Run.
func (s *Service) Forward() error {
	if len(s.cfg.Forward.Targets) == 0 {
		return errors.New("the configuration names nobody to tell: give it forward.targets and forward.routes")
	}
	f := &forward.Forwarding{Config: s.cfg, Log: s.log, Registry: s.registry}
	if err := f.Prepare(); err != nil {
		return err
	}
	s.forwarding = f
	return nil
}

// beginForwarding begins to tell. What a forwarder in another process writes to the
// embedded server, which lets nobody else make it, is made in any case.
func (s *Service) beginForwarding(ctx context.Context) error {
	if len(s.cfg.Forward.Targets) == 0 {
		return nil
	}
	if s.forwarding != nil {
		s.forwarding.Conn = s.conn
		s.beside(ctx, "forwarding", s.forwarding.Run, func() {})
		return nil
	}
	if s.embedded == nil {
		return nil
	}
	js, err := natsconn.JetStream(s.conn, s.cfg.NATS.Domain, s.cfg.NATS.JSPrefix)
	if err != nil {
		return err
	}
	if err := forwarder.Attach(s.conn, js, s.Names()).Make(ctx, s.cfg.Stream.Replicas); err != nil {
		s.log.Warn("nothing can be forwarded by another process", zap.Error(err))
	}
	return nil
}
