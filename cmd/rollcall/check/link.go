package check

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"

	"rollcall/internal/natsconn"
	"rollcall/internal/secret"
)

// link is the connection to NATS, and the checks of how it comes to be.
type link struct {
	check    *Check
	violated nats.ErrHandler // is called with what goes wrong beside the answers

	encrypted *tls.ConnectionState // nil: not
	err       error                // why there is no connection
	conn      *nats.Conn           // nil: none
	js        jetstream.JetStream
}

func (l *link) close() {
	if l.conn != nil {
		l.conn.Close()
	}
}

// peer is one address of nats.url.
type peer struct{ shown, host, address string }

func (l *link) peers() []peer {
	var peers []peer
	for text := range strings.SplitSeq(l.check.Broker.URL, ",") {
		text = strings.TrimSpace(text)
		if !strings.Contains(text, "://") {
			text = "nats://" + text
		}
		u, err := url.Parse(text)
		if err != nil {
			continue // what the configuration's own check refuses
		}
		port := u.Port()
		if port == "" {
			port = map[string]string{"ws": "80", "wss": "443"}[u.Scheme]
		}
		if port == "" {
			port = "4222"
		}
		peers = append(peers, peer{u.Redacted(), u.Hostname(), net.JoinHostPort(u.Hostname(), port)})
	}
	return peers
}

// name looks up each host of nats.url; one that is found is enough to go on.
func (l *link) name(ctx context.Context) Result {
	return l.any(func(s peer) Result { return l.check.lookUp(ctx, s.host, "nats.url") })
}

// any tries all servers: one that works is enough, and the others are worth a look.
func (l *link) any(try func(peer) Result) Result {
	var bad, good []Result
	for _, s := range l.peers() {
		if r := try(s); r.Verdict == Fail {
			bad = append(bad, r)
		} else {
			good = append(good, r)
		}
	}
	switch {
	case len(good) == 0 && len(bad) == 0:
		return fail("read nats.url", "it holds no address", "write for example nats://nats.example:4222")
	case len(good) == 0:
		return together(Fail, bad)
	case len(bad) == 0:
		return together(OK, good)
	}
	return together(Warn, append(bad, good...))
}

// together makes one result of several.
func together(verdict Verdict, of []Result) Result {
	if len(of) == 1 {
		of[0].Verdict = verdict
		return of[0]
	}
	var found, fixes []string
	for _, r := range of {
		found = append(found, r.Tried+": "+r.Found)
		if r.Fix != "" {
			fixes = append(fixes, r.Fix)
		}
	}
	return Result{Verdict: verdict, Found: strings.Join(found, "; "), Fix: strings.Join(fixes, "\n")}
}

// connect sees whether something answers, and whether it is a nats-server.
func (l *link) connect(ctx context.Context) Result {
	return l.any(func(s peer) Result { return l.knock(ctx, s) })
}

func (l *link) knock(ctx context.Context, s peer) Result {
	tried := "connect to " + s.shown
	if strings.HasPrefix(s.shown, "ws") { // where the client speaks first
		conn, err := new(net.Dialer).DialContext(ctx, "tcp", s.address)
		if err != nil {
			return fail(tried, l.check.why(ctx, err), fixReach)
		}
		_ = conn.Close() // nothing was written
		return ok(tried, "something listens there")
	}
	info, err := greet(ctx, s.address)
	switch {
	case err == nil:
		return ok(tried, "nats-server %s, %s", info.Version, info.Name)
	case errors.Is(err, errSilent):
		return ok(tried, "something listens there; it says nothing, as if it waited for TLS")
	case errors.Is(err, errNoNATS):
		return fail(tried, err.Error(), "check the port in nats.url: 4222 is the usual one for clients, 8222 is for monitoring, 6222 for the cluster itself")
	}
	return fail(tried, l.check.why(ctx, err), fixReach)
}

const fixReach = "start NATS there, check host and port in nats.url, or allow this machine to reach it through the firewall"

// tls makes the connection, and says whether it was encryption that failed;
// login says the rest.
func (l *link) tls(ctx context.Context) Result {
	const tried = "encrypt the connection"
	l.dial(ctx)
	if found, fix, is := l.trust().untrusted(l.err, l.check.Now()); is {
		return fail(tried, found, fix)
	}
	switch {
	case errors.Is(l.err, nats.ErrSecureConnWanted):
		return fail(tried, "the server offers no TLS, which nats.url asks for with tls://", "set up TLS in nats-server, or write nats:// in nats.url")
	case errors.Is(l.err, nats.ErrSecureConnRequired):
		return fail(tried, "the server wants TLS", "write tls:// in nats.url")
	case l.encrypted == nil:
		return ok(tried, "not encrypted: neither nats.url nor the server asks for TLS")
	}
	if cert := l.encrypted.PeerCertificates; len(cert) > 0 && cert[0].NotAfter.Before(l.check.Now().Add(14*24*time.Hour)) {
		return warn(tried, described(l.encrypted), "renew the server's certificate: it expires soon")
	}
	return ok(tried, "%s", described(l.encrypted))
}

func (l *link) trust() trust {
	host := "the host in nats.url"
	if peers := l.peers(); len(peers) == 1 {
		host = peers[0].host
	}
	return trust{host: host, key: "nats.url", authority: "name its file in nats.tls.ca_file"}
}

// dial connects as the worker would, but once.
func (l *link) dial(ctx context.Context) {
	deadline, _ := ctx.Deadline()
	each := time.Until(deadline) / time.Duration(len(l.peers()))
	cfg := l.check.Broker
	cfg.Options = append([]nats.Option{
		nats.Name("rollcall check"), nats.RetryOnFailedConnect(false), nats.NoReconnect(), nats.Timeout(each),
		nats.ErrorHandler(l.violated), l.observeTLS,
	}, cfg.Options...)
	l.conn, l.err = natsconn.Connect(cfg, zap.NewNop())
	if l.err == nil {
		l.js, l.err = natsconn.JetStream(l.conn, l.check.Config.NATS.Domain, l.check.Config.NATS.JSPrefix)
	}
}

// observeTLS notes the certificate that the server shows; it forces no TLS,
// which the client would start on ws:// as soon as it had settings for it.
func (l *link) observeTLS(o *nats.Options) error {
	if strings.HasPrefix(o.Url, "ws://") || len(o.Servers) > 0 && strings.HasPrefix(o.Servers[0], "ws://") {
		return nil
	}
	if o.TLSConfig == nil {
		o.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	o.TLSConfig.VerifyConnection = func(state tls.ConnectionState) error {
		l.encrypted = &state
		return nil
	}
	return nil
}

// login reports whether the server takes the credentials.
func (l *link) login(ctx context.Context) Result {
	tried := "log in with " + l.identity()
	if l.err == nil && l.check.Broker.Exposed(l.conn) {
		return warn(tried, "accepted by server "+l.conn.ConnectedServerName()+", but the secret went to another machine unencrypted",
			"set up TLS in nats-server, and write tls:// in nats.url")
	}
	if l.err == nil {
		return ok(tried, "accepted by server %s", l.conn.ConnectedServerName())
	}
	timeout, is := errors.AsType[net.Error](l.err)
	switch {
	case errors.Is(l.err, nats.ErrAuthorization), errors.Is(l.err, nats.ErrAuthRevoked), errors.Is(l.err, nats.ErrPermissionViolation):
		return fail(tried, "the server refuses it: "+shorter(l.err), l.credentialsFix())
	case errors.Is(l.err, nats.ErrAuthExpired), errors.Is(l.err, nats.ErrAccountAuthExpired):
		return fail(tried, "the credentials have expired: "+shorter(l.err), "have them renewed; rollcall reads the file anew whenever it connects")
	case errors.Is(l.err, nats.ErrTimeout), is && timeout.Timeout(), errors.Is(l.err, io.EOF):
		return fail(tried, "the server does not complete the login: "+shorter(l.err), "check the port in nats.url, and whether it wants tls://")
	}
	return fail(tried, shorter(l.err), "check nats.url and the keys beside it")
}

// identity says which user we log in as, without the secret part.
func (l *link) identity() string {
	n := l.check.Broker
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

func (l *link) credentialsFix() string {
	if l.identity() == "no credentials" {
		return "set nats.credentials_file, nats.token_file, or nats.user and nats.password_file"
	}
	return "check that they are those of this server and account, and not revoked"
}

// shorter returns an error of the NATS client without its own name in front.
func shorter(err error) string {
	text := fmt.Sprint(err)
	for _, front := range []string{"connect to NATS: ", "nats: ", "permissions violation: "} {
		text = strings.TrimPrefix(text, front)
	}
	return withoutPasswords(text)
}
