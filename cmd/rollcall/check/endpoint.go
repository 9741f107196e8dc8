package check

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync/atomic"
	"syscall"
)

// proxy is what stands between here and DingTalk; nil: nothing that is known of.
func (t *tenant) proxy() *url.URL {
	if t.check.Transport.Proxy == nil {
		return nil
	}
	request := &http.Request{URL: t.url}
	found, err := t.check.Transport.Proxy(request)
	if err != nil {
		return nil
	}
	return found
}

// name looks up the host that is dialled: the endpoint's, or the proxy's.
func (t *tenant) name(ctx context.Context) Result {
	if p := t.proxy(); p != nil {
		return t.check.lookUp(ctx, p.Hostname(), "HTTPS_PROXY")
	}
	return t.check.lookUp(ctx, t.url.Hostname(), "endpoint")
}

// lookUp resolves a host; key says where it is configured.
func (c *Check) lookUp(ctx context.Context, host, key string) Result {
	tried := "look up " + host
	if net.ParseIP(host) != nil {
		return ok(tried, "it is an address already")
	}
	found, err := c.Resolve(ctx, host)
	if err == nil && len(found) > 0 {
		return ok(tried, "%s", several(found))
	}
	if notFound, is := errors.AsType[*net.DNSError](err); is && notFound.IsNotFound {
		return fail(tried, "there is no such host", "check "+key+" for a misspelt name"+usual(key)+", and which name server this machine asks")
	}
	return fail(tried, "no answer from the name server: "+c.why(ctx, err), "check this machine's name server and network")
}

// usual says what stands at a key for nearly everybody.
func usual(key string) string {
	if key == "endpoint" {
		return " (it is https://api.dingtalk.io, or https://api.dingtalk.com in mainland China)"
	}
	return ""
}

// several names up to three of a list.
func several(of []string) string {
	if len(of) > 3 {
		return strings.Join(of[:3], ", ") + fmt.Sprintf(" and %d more", len(of)-3)
	}
	return strings.Join(of, ", ")
}

// why says a failure in words: the step's deadline as such, and no password
// that stands in an address.
func (c *Check) why(ctx context.Context, err error) string {
	timeout, is := errors.AsType[net.Error](err)
	if errors.Is(err, errSlow) || errors.Is(err, context.DeadlineExceeded) || is && timeout.Timeout() || ctx.Err() != nil {
		return fmt.Sprintf("it took more than %s", c.Timeout)
	}
	if err == nil {
		return "nothing came back"
	}
	return withoutPasswords(err.Error())
}

// progress is how far a connection has come.
type progress struct{ connected, encrypted atomic.Bool }

func (p *progress) trace() *httptrace.ClientTrace {
	return &httptrace.ClientTrace{
		ConnectDone:      func(_, _ string, err error) { p.connected.Store(err == nil || p.connected.Load()) },
		TLSHandshakeDone: func(_ tls.ConnectionState, err error) { p.encrypted.Store(err == nil) },
	}
}

// connect makes one request without credentials; any answer shows that the way
// is open. It is not metered.
func (t *tenant) connect(ctx context.Context) Result {
	tried := "connect to " + t.endpoint()
	if p := t.proxy(); p != nil {
		tried += " through the proxy " + p.Host
	}
	var p progress
	request, err := http.NewRequestWithContext(httptrace.WithClientTrace(ctx, p.trace()), http.MethodHead, t.endpoint()+"/", nil)
	if err != nil {
		return fail(tried, "it is no address", "check endpoint")
	}
	response, err := t.check.Transport.RoundTrip(request)
	if err != nil {
		return t.unreachable(ctx, tried, &p, err)
	}
	_ = response.Body.Close() // a HEAD has none
	return ok(tried, "it answers; %s", described(response.TLS))
}

func (t *tenant) unreachable(ctx context.Context, tried string, p *progress, err error) Result {
	trust := trust{host: t.url.Hostname(), key: "endpoint", authority: "add it to the system's authorities, or name its file in SSL_CERT_FILE"}
	if found, fix, is := trust.untrusted(err, t.check.Now()); is {
		return fail(tried, found, fix)
	}
	why := t.check.why(ctx, err)
	switch {
	case t.proxy() != nil && !p.encrypted.Load():
		return fail(tried, why, "check HTTPS_PROXY and the credentials in it, and that the proxy lets this machine reach "+t.url.Host)
	case strings.Contains(err.Error(), "HTTP response to HTTPS client"):
		return fail(tried, "what answers there speaks no TLS: another service, or a proxy in between", "check endpoint and its port, and HTTPS_PROXY")
	case errors.Is(err, syscall.ECONNREFUSED):
		return fail(tried, "connection refused: nothing listens there", "check endpoint and its port"+usual("endpoint"))
	case p.encrypted.Load():
		return fail(tried, "the connection stands and is encrypted, but no answer comes: "+why, "try again later; check whether a proxy or firewall is in between")
	case p.connected.Load() && t.url.Scheme == "https":
		return fail(tried, "the connection stands, but encryption does not come about: "+why, "a proxy or firewall in between may cut it: allow this machine to reach "+t.url.Host)
	case p.connected.Load():
		return fail(tried, "the connection stands, but no answer comes: "+why, "check endpoint and its port")
	}
	return fail(tried, why, "allow this machine to reach "+t.url.Host+" through the firewall, or set HTTPS_PROXY")
}
