package natsconn

import (
	"errors"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Fix says what an operator can do where JetStream refuses for want of room or
// by a limit of the account; "" where the error says it itself, or is another.
func Fix(err error) string {
	api, is := errors.AsType[*jetstream.APIError](err)
	if !is {
		return ""
	}
	switch api.ErrorCode {
	case 10002:
		return "the account's max_storage leaves no room: raise it (nats account info shows it), lower stream.max_bytes, or remove streams that nobody needs"
	case 10005:
		return "no server has room for it, or too few are there for stream.replicas: see nats server report jetstream"
	case 10023, 10047:
		return "the server's disk, max_file_store in its configuration, or max_storage of the account leaves no room: free some, raise it, or lower stream.max_bytes"
	case 10026:
		return "the account's or the stream's limit of consumers is reached: remove those that nobody reads (nats consumer ls, nats consumer rm), or raise max_consumers"
	case 10027:
		return "the account's max_streams is reached: raise it, or remove streams that nobody needs; rollcall wants three"
	case 10028:
		return "the server's or the account's memory for JetStream is used up: raise max_mem"
	case 10039:
		return "enable JetStream for the account of this user"
	case 10074:
		return "set stream.replicas to 1, or connect to a cluster"
	case 10113:
		return "set stream.max_bytes, and create the buckets with a size of their own, or lift max_bytes_required of the account"
	case 10120:
		return "the account has no limits for this many replicas: set stream.replicas to a number that it has a tier for"
	case 10122:
		return "lower stream.max_bytes to the account's storage_max_stream_bytes"
	}
	return ""
}

// Explained returns an error with what [Fix] says about it, and with the
// account and the server concerned: a client learns nothing else from NATS.
func Explained(conn *nats.Conn, user string, err error) error {
	fix := Fix(err)
	if fix == "" {
		return err
	}
	where := "the account of this user"
	if user != "" {
		where = "the account of user " + user
	}
	if server := conn.ConnectedServerName(); server != "" {
		where += " on server " + server
	}
	return &explained{err, where + ": " + fix}
}

type explained struct {
	error
	fix string
}

// Error returns the error with its fix.
func (e *explained) Error() string { return e.error.Error() + "; " + e.fix }

// Unwrap returns the error alone.
func (e *explained) Unwrap() error { return e.error }
