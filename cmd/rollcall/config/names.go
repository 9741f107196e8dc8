package config

import (
	"rollcall/internal/address"
	"rollcall/internal/natsconn"
	"rollcall/store"
	"rollcall/wire"
)

// Names are the names on the bus that derive from the stream's.
func (s Stream) Names() wire.Names {
	return wire.Names{Stream: s.Name, Prefix: s.Prefix, Source: s.Source}
}

// Ledger is how the stream and its buckets are made.
func (s Stream) Ledger() store.StreamConfig {
	return store.StreamConfig{
		Replicas: s.Replicas, Retention: s.Retention,
		MaxBytes: s.MaxBytes, WorkersMaxBytes: s.WorkersMaxBytes, BudgetMaxBytes: s.BudgetMaxBytes,
	}
}

// Client says how to connect to the NATS of url, or as a reader to the one that a
// worker with this configuration embeds.
func (n NATS) Client() natsconn.Config {
	c := natsconn.Config{
		URL: n.URL, CredentialsFile: n.CredentialsFile, TokenFile: n.TokenFile, User: n.User, PasswordFile: n.PasswordFile,
		InboxPrefix: n.InboxPrefix,
		TLS:         natsconn.TLS{CA: n.TLS.CAFile, Cert: n.TLS.CertFile, Key: n.TLS.KeyFile},
	}
	if c.URL == "" {
		c.URL = "nats://" + address.Dialable(n.Embedded.Listen)
	}
	return c
}
