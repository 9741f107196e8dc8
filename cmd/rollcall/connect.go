package main

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/spf13/cobra"

	"rollcall/cmd/rollcall/config"
	"rollcall/internal/natsconn"
	"rollcall/store"
)

// reachable is how long a NATS that should be there may take to answer.
const reachable = 10 * time.Second

// connect connects as a reader to the NATS of the configuration, or to the one
// that a worker with that configuration embeds. What happens to the
// connection later is written to standard error.
func (p *program) connect(ctx context.Context, cfg config.Config) (*nats.Conn, error) {
	logger, err := newLogger(p.stderr, config.Log{Level: "warn", Format: "console"})
	if err != nil {
		return nil, err
	}
	broker, failed := cfg.NATS.Client(), make(chan error, 1)
	broker.Failed = func(err error) {
		select {
		case failed <- err:
		default: // nobody is waiting
		}
	}
	conn, err := natsconn.Connect(broker, logger)
	if err != nil {
		return nil, err
	}
	if err := connected(ctx, conn, failed); err != nil {
		conn.Close()
		return nil, err
	}
	return conn, nil
}

// session is what a command reads from NATS with.
type session struct {
	cfg  config.Config
	conn *nats.Conn // to be closed
	js   jetstream.JetStream
}

// open connects, and refuses what the flags name and cannot be right.
func (p *program) open(cmd *cobra.Command, f remoteFlags) (*session, error) {
	cfg, err := p.configured(cmd, f)
	if err != nil {
		return nil, err
	}
	conn, err := p.connect(cmd.Context(), cfg)
	if err != nil {
		return nil, err
	}
	js, err := natsconn.JetStream(conn, cfg.NATS.Domain, cfg.NATS.JSPrefix)
	if err == nil {
		err = known(cmd.Context(), js, cfg.Stream.Names(), f.tenant)
	}
	if err != nil {
		conn.Close()
		return nil, err
	}
	return &session{cfg, conn, js}, nil
}

// ledger is what is read from.
func (s *session) ledger() *store.JetStream { return store.Attach(s.js, s.cfg.Stream.Names()) }

// connected waits until the connection stands, or until no server can be right.
func connected(ctx context.Context, conn *nats.Conn, failed <-chan error) error {
	ctx, cancel := context.WithTimeoutCause(ctx, reachable, errors.New("it does not answer"))
	defer cancel()
	changed := conn.StatusChanged(nats.CONNECTED, nats.CLOSED)
	defer conn.RemoveStatusListener(changed)
	var last error
	for hopeless := 0; !conn.IsConnected(); {
		if conn.IsClosed() {
			return errors.New("connect to NATS: the connection was closed")
		}
		select {
		case <-changed:
		case last = <-failed:
			fix := futile(last)
			if fix == "" {
				hopeless = 0
				continue
			}
			if hopeless++; hopeless >= len(conn.Servers()) {
				return fmt.Errorf("connect to NATS: %w; %s", last, fix)
			}
		case <-ctx.Done():
			return fmt.Errorf("connect to NATS: %w; is \"rollcall run\" running, or should --nats name another?", cmp.Or(last, context.Cause(ctx)))
		}
	}
	return nil
}

// futile says how to fix what another attempt to connect would not; "" where it may.
func futile(err error) string {
	missing, noHost := errors.AsType[*net.DNSError](err)
	for _, refusal := range []error{nats.ErrAuthorization, nats.ErrAuthExpired, nats.ErrAuthRevoked, nats.ErrAccountAuthExpired} {
		if errors.Is(err, refusal) {
			return "the server answers and refuses the credentials: see nats.credentials_file, nats.token_file, or nats.user and nats.password_file in the configuration, which --config names"
		}
	}
	_, stranger := errors.AsType[x509.UnknownAuthorityError](err)
	_, plain := errors.AsType[tls.RecordHeaderError](err)
	switch {
	case noHost && missing.IsNotFound:
		return "there is no such host: see --nats, or nats.url in the configuration"
	case errors.Is(err, nats.ErrSecureConnWanted), plain:
		return "the server offers no TLS: write nats:// instead of tls://"
	case errors.Is(err, nats.ErrSecureConnRequired):
		return "the server wants TLS: write tls://"
	case stranger:
		return "its certificate is of an authority that is not trusted here: see nats.tls.ca_file in the configuration"
	case errors.Is(err, nats.ErrNoInfoReceived):
		return "what answers there is no NATS server: 4222 is the usual port for clients, 8222 is for monitoring, 6222 for the cluster itself"
	}
	return ""
}
