package dingtalk

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"time"
)

// What an operator can do about a call without an answer, if it stays so.
const (
	fixName = "check the host of the tenant's endpoint (https://api.dingtalk.com or https://api.dingtalk.io) and this machine's name server"
	fixTLS  = "the server does not prove that it is the endpoint: check the tenant's endpoint, and whether a proxy on the way reads along"
	fixWay  = "check the tenant's endpoint, and this machine's way to it: firewall, HTTPS_PROXY"
)

// networkFault says why there is no whole answer. The end of the caller's own
// context is not a fault.
func (x *exchange) networkFault(ctx context.Context, op operation, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	// A dialer may notice the caller's deadline a moment before the context does.
	if deadline, set := ctx.Deadline(); set && !time.Now().Before(deadline) {
		return context.DeadlineExceeded
	}
	detail := "no answer from " + x.endpoint.Host + ": " + x.redactor.clean(err.Error(), maxMessage)
	if errors.Is(err, context.DeadlineExceeded) {
		detail = fmt.Sprintf("no whole answer from %s within %v", x.endpoint.Host, x.timeout)
	}
	return &Fault{Operation: string(op), Detail: detail, Fix: fixOf(err), class: classOfNetwork}
}

// fixOf returns what to look at, judging by the error.
func fixOf(err error) string {
	if name, ok := errors.AsType[*net.DNSError](err); ok && name.IsNotFound {
		return fixName
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return fixTLS
	}
	if _, ok := errors.AsType[x509.HostnameError](err); ok {
		return fixTLS
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return fixTLS
	}
	return fixWay
}
