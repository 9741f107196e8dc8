package service

import (
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"

	"rollcall/internal/natsconn"
	"rollcall/internal/wait"
	"rollcall/publisher"
	"rollcall/store"
	"rollcall/worker"
)

// openLedger waits for NATS as long as it takes: without the ledger nothing is
// asked. It returns nil when ctx ends before.
func (s *Service) openLedger(ctx context.Context) (*store.JetStream, error) {
	js, err := natsconn.JetStream(s.conn, s.cfg.NATS.Domain, s.cfg.NATS.JSPrefix)
	if err != nil {
		return nil, err
	}
	pause := publisher.NewBackOff()
	for said := ""; ; {
		ledger, err := s.tryLedger(ctx, js)
		if err == nil {
			return ledger, nil
		}
		if ctx.Err() != nil {
			return nil, nil
		}
		err = s.explained(err)
		if !passes(err) {
			return nil, err
		}
		if text := err.Error(); text != said {
			said = text
			s.log.Warn("waiting for NATS; nothing is asked before", zap.Error(err))
		}
		wait.For(ctx, pause.NextBackOff())
	}
}

// explained gives an error of the ledger with what to do about it.
func (s *Service) explained(err error) error {
	if words := s.disk.blamed(err); words != "" {
		return fmt.Errorf("%w; %s", err, words)
	}
	return natsconn.Explained(s.conn, s.cfg.NATS.User, err)
}

func (s *Service) tryLedger(ctx context.Context, js jetstream.JetStream) (*store.JetStream, error) {
	if !s.conn.IsConnected() {
		return nil, errors.Join(nats.ErrDisconnected, s.conn.LastError())
	}
	stream := store.StreamConfig{
		Replicas: s.cfg.Stream.Replicas, Retention: s.cfg.Stream.Retention, MaxBytes: s.cfg.Stream.MaxBytes,
	}
	ledger, err := store.Open(ctx, js, s.Names(), stream, s.log)
	if err == nil && s.budgeted() {
		err = ledger.OpenBudget(ctx, stream, s.log)
	}
	if err == nil {
		err = s.adopt(ctx, ledger)
	}
	return ledger, err
}

// adopt holds the journal against the ledger that is there now.
func (s *Service) adopt(ctx context.Context, ledger *store.JetStream) error {
	now, err := ledger.Position(ctx)
	if err != nil {
		return err
	}
	return worker.Adopt(s.backlog, now, s.log)
}
