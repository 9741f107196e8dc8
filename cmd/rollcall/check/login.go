package check

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"go.uber.org/zap"

	"rollcall/internal/natsconn"
	"rollcall/internal/secret"
)

// tls makes the connection, and tells whether it was encryption that failed;
// login tells the rest.
func (b *broker) tls(ctx context.Context) Result {
	const tried = "encrypt the connection"
	b.dial(ctx)
	if found, mend, is := b.trust().untrusted(b.loginErr, b.check.Now()); is {
		return fail(tried, found, mend)
	}
	switch {
	case errors.Is(b.loginErr, nats.ErrSecureConnWanted):
		return fail(tried, "the server offers no TLS, which nats.url asks for with tls://", "set up TLS in nats-server, or write nats:// in nats.url")
	case errors.Is(b.loginErr, nats.ErrSecureConnRequired):
		return fail(tried, "the server wants TLS", "write tls:// in nats.url")
	case b.encrypted == nil:
		return ok(tried, "not encrypted: neither nats.url nor the server asks for TLS")
	}
	if cert := b.encrypted.PeerCertificates; len(cert) > 0 && cert[0].NotAfter.Before(b.check.Now().Add(14*24*time.Hour)) {
		return warn(tried, described(b.encrypted), "renew the server's certificate: it expires soon")
	}
	return ok(tried, "%s", described(b.encrypted))
}

func (b *broker) trust() trust {
	host := "the host in nats.url"
	if peers := b.peers(); len(peers) == 1 {
		host = peers[0].host
	}
	return trust{host: host, key: "nats.url", authority: "name its file in nats.tls.ca_file"}
}

// dial connects as the worker would, but once.
func (b *broker) dial(ctx context.Context) {
	deadline, _ := ctx.Deadline()
	each := time.Until(deadline) / time.Duration(len(b.peers()))
	cfg := b.check.Broker
	cfg.Options = append([]nats.Option{
		nats.Name("rollcall check"), nats.RetryOnFailedConnect(false), nats.NoReconnect(), nats.Timeout(each),
		nats.ErrorHandler(b.violated), b.observeTLS,
	}, cfg.Options...)
	b.conn, b.loginErr = natsconn.Connect(cfg, zap.NewNop())
	if b.loginErr == nil {
		b.js, b.loginErr = natsconn.JetStream(b.conn, b.check.Config.NATS.Domain, b.check.Config.NATS.JSPrefix)
	}
}

// observeTLS notes the certificate that the server shows; it forces no TLS, which
// the client would begin by itself on ws:// as soon as it had settings for it.
func (b *broker) observeTLS(o *nats.Options) error {
	if strings.HasPrefix(o.Url, "ws://") || len(o.Servers) > 0 && strings.HasPrefix(o.Servers[0], "ws://") {
		return nil
	}
	if o.TLSConfig == nil {
		o.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	o.TLSConfig.VerifyConnection = func(state tls.ConnectionState) error {
		b.encrypted = &state
		return nil
	}
	return nil
}

// login tells whether the server takes the credentials.
func (b *broker) login(ctx context.Context) Result {
	tried := "log in with " + b.identity()
	if b.loginErr == nil && b.check.Broker.Exposed(b.conn) {
		return warn(tried, "accepted by server "+b.conn.ConnectedServerName()+", but the secret went to another machine unencrypted",
			"set up TLS in nats-server, and write tls:// in nats.url")
	}
	if b.loginErr == nil {
		return ok(tried, "accepted by server %s", b.conn.ConnectedServerName())
	}
	timeout, is := errors.AsType[net.Error](b.loginErr)
	switch {
	case errors.Is(b.loginErr, nats.ErrAuthorization), errors.Is(b.loginErr, nats.ErrAuthRevoked), errors.Is(b.loginErr, nats.ErrPermissionViolation):
		return fail(tried, "the server refuses it: "+shorter(b.loginErr), b.credentialsMend())
	case errors.Is(b.loginErr, nats.ErrAuthExpired), errors.Is(b.loginErr, nats.ErrAccountAuthExpired):
		return fail(tried, "the credentials have expired: "+shorter(b.loginErr), "have them renewed; rollcall reads the file anew whenever it connects")
	case errors.Is(b.loginErr, nats.ErrTimeout), is && timeout.Timeout(), errors.Is(b.loginErr, io.EOF):
		return fail(tried, "the server does not complete the login: "+shorter(b.loginErr), "check the port in nats.url, and whether it wants tls://")
	}
	return fail(tried, shorter(b.loginErr), "check nats.url and the keys beside it")
}

// identity says as whom we log in, without what is secret of it.
func (b *broker) identity() string {
	n := b.check.Broker
	switch {
	case n.CredentialsFile != "":
		return "nats.credentials_file " + secret.Shown(n.CredentialsFile)
	case n.TokenFile != "":
		return "nats.token_file " + secret.Shown(n.TokenFile)
	case n.User != "":
		return fmt.Sprintf("nats.user %s and nats.password_file %s", n.User, secret.Shown(n.PasswordFile))
	case n.TLS.Cert != "":
		return "nats.tls.cert_file " + secret.Shown(n.TLS.Cert)
	}
	return "no credentials"
}

func (b *broker) credentialsMend() string {
	if b.identity() == "no credentials" {
		return "set nats.credentials_file, nats.token_file, or nats.user and nats.password_file"
	}
	return "check that they are those of this server and account, and not revoked"
}
