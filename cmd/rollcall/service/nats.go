package service

import (
	"fmt"

	"rollcall/internal/embedded"
	"rollcall/internal/natsconn"
	"rollcall/internal/secret"
)

// openNATS connects to the NATS of the configuration, or to one of its own.
func (s *Service) openNATS() error {
	client := s.cfg.NATS.Client()
	if s.cfg.NATS.URL == "" {
		server, err := s.startEmbedded()
		if err != nil {
			return err
		}
		s.teardown.push("embedded NATS", quietly(server.Close))
		s.embedded, s.ownsDir = server, true
		s.disk = &disk{dir: s.cfg.DataDir, store: server, log: s.log}
		client = natsconn.Config{Options: server.Options()}
	}
	conn, err := natsconn.Connect(client, s.log)
	if err != nil {
		return err
	}
	s.teardown.push("connection to NATS", quietly(conn.Close))
	s.conn = conn
	return nil
}

func (s *Service) startEmbedded() (*embedded.Server, error) {
	n := s.cfg.NATS
	c := embedded.Config{
		DataDir: s.cfg.DataDir, Listen: n.Embedded.Listen, SyncAlways: n.Embedded.Sync == "always",
		Names: s.Names(), User: n.User, Logger: s.log,
	}
	for _, file := range []struct {
		key, path string
		into      *secret.String
	}{
		{"nats.password_file", n.PasswordFile, &c.Password},
		{"nats.token_file", n.TokenFile, &c.Token},
		{"nats.embedded.operator_token_file", n.Embedded.OperatorTokenFile, &c.Operator},
	} {
		if file.path == "" {
			continue
		}
		value, err := secret.ReadFile(file.path)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file.key, err)
		}
		*file.into = value
	}
	return embedded.Start(c)
}
