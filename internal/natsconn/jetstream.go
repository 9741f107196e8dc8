package natsconn

import (
	"fmt"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// JetStream reaches JetStream by its domain, or by the prefix under which the
// API of another account is imported; both "": that of the connection's account.
func JetStream(conn *nats.Conn, domain, prefix string) (js jetstream.JetStream, err error) {
	switch {
	case domain != "":
		// As a prefix, which the ledger's own requests follow.
		js, err = jetstream.NewWithAPIPrefix(conn, "$JS."+domain+".API")
	case prefix != "":
		js, err = jetstream.NewWithAPIPrefix(conn, prefix)
	default:
		js, err = jetstream.New(conn)
	}
	if err != nil {
		return nil, fmt.Errorf("open JetStream: %w", err)
	}
	return js, nil
}
