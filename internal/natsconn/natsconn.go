// Package natsconn connects to NATS the way Rollcall needs it. The connection
// comes back forever, keeps nothing to be sent later (what was published while
// disconnected fails at once, so that its publisher may decide), reads secrets
// anew from their files each time it connects, and logs when it is lost and
// found, once each. Neither the log nor an error shows credentials.
package natsconn

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"go.uber.org/zap"

	"rollcall/internal/address"
)

const (
	clientName    = "rollcall"
	dialTimeout   = 2 * time.Second // a server that hangs takes the connection and says nothing
	pingInterval  = 2 * time.Second // a server that hangs is noticed within three, and another one taken
	reconnectWait = 500 * time.Millisecond
	jitter        = 250 * time.Millisecond
	syncQueue     = 2048 // messages that wait for a reader; the client's 64 Ki take 512 KB for each small read
)

// Config says where to connect, and as which user. At most one way to
// authenticate is given.
type Config struct {
	URL             string // one or more, separated by commas
	CredentialsFile string // a .creds file
	TokenFile       string // a file that holds a token
	User            string // together with PasswordFile
	PasswordFile    string
	TLS             TLS
	// Failed is called for each attempt to connect that fails; it may be nil.
	Failed      func(error)
	InboxPrefix string // of the subjects on which answers are waited for; "": _INBOX
	// Options are added last, such as those of the embedded server; with them
	// the URL may be empty.
	Options []nats.Option
}

// TLS names files in PEM; "" for the system's authorities, and for no
// certificate of one's own.
type TLS struct {
	CA, Cert, Key string
}

// Connect returns a connection, which need not be established yet: while the
// server is away it is tried again and again. An error is a mistake in the
// configuration.
func Connect(cfg Config, logger *zap.Logger) (*nats.Conn, error) {
	options, err := cfg.options()
	if err != nil {
		return nil, fmt.Errorf("connect to NATS: %w", err)
	}
	w := &watcher{log: logger, addressed: cfg.URL != "", exposed: cfg.Exposed, failed: cfg.Failed}
	options = append(options, w.options()...)
	conn, err := nats.Connect(cfg.URL, append(options, cfg.Options...)...)
	if err != nil {
		return nil, fmt.Errorf("connect to NATS: %w", err)
	}
	if conn.IsConnected() {
		w.connected(conn)
	}
	return conn, nil
}

// Exposed reports whether a token or a password went unencrypted to another
// machine when the connection was made. Keys of a .creds file are never sent.
func (cfg *Config) Exposed(conn *nats.Conn) bool {
	if cfg.TokenFile == "" && cfg.PasswordFile == "" {
		return false
	}
	if _, err := conn.TLSConnectionState(); err == nil {
		return false
	}
	host, _, err := net.SplitHostPort(conn.ConnectedAddr())
	return err == nil && !address.Loopback(host)
}

func (cfg *Config) options() ([]nats.Option, error) {
	options := []nats.Option{
		nats.Name(clientName), nats.Timeout(dialTimeout), nats.PingInterval(pingInterval),
		nats.FlusherTimeout(3 * time.Second), nats.RetryOnFailedConnect(true), nats.MaxReconnects(-1), nats.ReconnectBufSize(-1),
		nats.ReconnectWait(reconnectWait), nats.ReconnectJitter(jitter, jitter),
		nats.SyncQueueLen(syncQueue),
		// Credentials are renewed in their files; the client would give up
		// after two refusals.
		nats.IgnoreAuthErrorAbort(),
	}
	if err := cfg.checkURL(); err != nil {
		return nil, err
	}
	auth, err := cfg.authentication()
	if err != nil {
		return nil, err
	}
	if cfg.InboxPrefix != "" {
		options = append(options, nats.CustomInboxPrefix(cfg.InboxPrefix))
	}
	tls, err := cfg.TLS.options()
	return append(append(options, auth...), tls...), err
}

// checkURL refuses what is no URL before the client does, whose error would
// show all of it, and credentials in a URL, which every list of processes shows.
func (cfg *Config) checkURL() error {
	if cfg.URL == "" && len(cfg.Options) == 0 {
		return errors.New("nats.url is empty")
	}
	for i, one := range strings.Split(cfg.URL, ",") {
		one = strings.TrimSpace(one)
		if !strings.Contains(one, "://") {
			one = "nats://" + one
		}
		u, err := url.Parse(one)
		if cfg.URL != "" && (err != nil || u.Hostname() == "") {
			return fmt.Errorf("nats.url: entry %d is no address such as nats://host:4222", i+1)
		}
		if cfg.URL != "" && u.User != nil {
			return fmt.Errorf("nats.url: entry %d holds a user, a password or a token: name their files with nats.user and nats.password_file, or nats.token_file", i+1)
		}
	}
	return nil
}
