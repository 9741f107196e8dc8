package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/nats-io/nats.go"

	"rollcall/cmd/rollcall/config"
	"rollcall/internal/natsconn"
)

// reachable is how long a NATS that should be there may take to answer.
const reachable = 10 * time.Second

// reach connects as a reader to the NATS of the configuration, or to the one
// that a worker with that configuration embeds. What happens to the
// connection later is told on standard error.
func (p *program) reach(ctx context.Context, cfg config.Config) (*nats.Conn, error) {
	logger, err := newLogger(p.stderr, config.Log{Level: "warn", Format: "console"})
	if err != nil {
		return nil, err
	}
	conn, err := natsconn.Connect(brokerOf(cfg), logger)
	if err != nil {
		return nil, fmt.Errorf("connect to NATS: %w", err)
	}
	if err := connected(ctx, conn); err != nil {
		conn.Close()
		return nil, err
	}
	return conn, nil
}

// brokerOf says where the NATS of a configuration is for those who read.
func brokerOf(cfg config.Config) natsconn.Config {
	broker := natsconn.Config{
		URL:             cfg.NATS.URL,
		CredentialsFile: cfg.NATS.CredentialsFile,
		TokenFile:       cfg.NATS.TokenFile,
		User:            cfg.NATS.User,
		PasswordFile:    cfg.NATS.PasswordFile,
		TLS:             natsconn.TLS{CA: cfg.NATS.TLS.CAFile, Cert: cfg.NATS.TLS.CertFile, Key: cfg.NATS.TLS.KeyFile},
	}
	if broker.URL == "" {
		broker.URL = "nats://" + dialable(cfg.NATS.Embedded.Listen)
	}
	return broker
}

// dialable turns an address to listen on, which may mean all of this
// machine's, into one to connect to.
func dialable(listen string) string {
	host, port, err := net.SplitHostPort(listen)
	if ip := net.ParseIP(host); err != nil || host != "" && (ip == nil || !ip.IsUnspecified()) {
		return listen
	}
	return net.JoinHostPort("127.0.0.1", port)
}

// connected waits until the connection stands.
func connected(ctx context.Context, conn *nats.Conn) error {
	ctx, cancel := context.WithTimeoutCause(ctx, reachable, errors.New("it does not answer"))
	defer cancel()
	changed := conn.StatusChanged(nats.CONNECTED, nats.CLOSED)
	defer conn.RemoveStatusListener(changed)
	for !conn.IsConnected() {
		if conn.IsClosed() {
			return errors.New("connect to NATS: the connection was closed")
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("connect to NATS: %w; is \"rollcall run\" running, or should --nats name another?", context.Cause(ctx))
		}
	}
	return nil
}
