package service

import (
	"context"
	"errors"

	"go.uber.org/zap"

	"rollcall/cmd/rollcall/config"
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
	f := &forward.Forwarding{Config: s.cfg, Log: s.log, Registry: s.registry, Conn: s.conn}
	err := f.Prepare()
	if err == nil {
		err = f.Begin()
	}
	if err == nil {
		s.forwarding = f
	}
	return err
}

// beginForwarding begins to tell, or lets others.
func (s *Service) beginForwarding(ctx context.Context) error {
	if s.forwarding == nil {
		return admitForwarders(ctx, s, s.cfg.Forward)
	}
	s.beside(ctx, "forwarding", s.forwarding.Run, func() {})
	return nil
}

// admitForwarders makes what forwarders in other processes write to the embedded
// server, which lets nobody else make it.
func admitForwarders(ctx context.Context, s *Service, cfg config.Forward) error {
	if s.embedded == nil || len(cfg.Targets) == 0 {
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
