package service

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cenkalti/backoff/v4"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"rollcall/internal/natsconn"
	"rollcall/internal/streak"
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
	attempt := func() (*store.JetStream, error) {
		ledger, err := s.tryLedger(ctx, js)
		if err == nil || ctx.Err() != nil {
			return ledger, err
		}
		if err = s.explained(err); !passes(err) {
			return nil, backoff.Permanent(err)
		}
		return nil, err
	}
	waiting := streak.Log{Logger: s.log, What: "opening the ledger (polling waits for it)"}
	ledger, err := backoff.RetryNotifyWithData(attempt, backoff.WithContext(publisher.NewBackOff(), ctx),
		func(err error, _ time.Duration) { waiting.Note(err) })
	switch {
	case err == nil:
		waiting.Note(nil)
	case ctx.Err() != nil:
		return nil, nil
	}
	return ledger, err
}

// explained returns an error of the ledger with what to do about it.
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
	stream := s.cfg.Stream.Ledger()
	ledger, err := store.Open(ctx, js, s.Names(), stream, s.log)
	if err == nil && s.tenants.budgeted() {
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
