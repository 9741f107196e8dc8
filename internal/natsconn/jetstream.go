package natsconn

import (
	"fmt"
	"strings"

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

// KeySubject returns where a value is published that is stored under a subject of a
// bucket, $KV.BUCKET.KEY. To a JetStream in a domain a leaf node passes on what is below
// its API alone; the server there takes that out again.
func KeySubject(js jetstream.JetStream, subject string) string {
	if InDomain(js) {
		return strings.TrimSuffix(js.Options().APIPrefix, ".") + "." + subject
	}
	return subject
}

// InDomain reports whether a JetStream is reached by a domain, maybe through a leaf
// node. Nobody says there that nobody answers: what is not there is not answered.
func InDomain(js jetstream.JetStream) bool { return strings.HasPrefix(js.Options().APIPrefix, "$JS.") }
