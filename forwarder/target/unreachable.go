package target

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"syscall"
)

// unreachable says why there is no answer, in words of its own: an *url.Error
// would print the whole address, and most errors below it a part.
func unreachable(err error) *Outcome {
	for _, c := range causes() {
		if c.is(err) {
			return &Outcome{Class: Unreachable, Unsure: c.unsure, Detail: c.detail}
		}
	}
	return &Outcome{Class: Unreachable, Unsure: true, Detail: "the connection failed before there was a whole answer"}
}

// cause is a way to get no answer. Unsure: the message may have arrived.
type cause struct {
	is     func(error) bool
	unsure bool
	detail string
}

// causes lists the known ones; the first that fits counts.
func causes() []cause {
	return []cause{
		{matches(errPrivate), false, errPrivate.Error()},
		{has[*net.DNSError], false, "the host's name cannot be resolved; check the address, and this machine's name server"},
		{matches(syscall.ECONNREFUSED), false, "the connection is refused; check the address, and this machine's way to it"},
		{dialing, false, "no connection can be made; check the address, and this machine's way to it: firewall, HTTPS_PROXY"},
		{has[*tls.CertificateVerificationError], false, "the server's certificate is not valid for the address"},
		{has[x509.HostnameError], false, "the server's certificate is for another host"},
		{matches(http.ErrSchemeMismatch), false, "the server does not speak TLS"},
		{has[tls.AlertError], false, "the server refuses the TLS handshake"},
		{matches(context.Canceled), true, "the attempt was stopped before there was an answer"},
		{timedOut, true, "there was no answer in time"},
		{matches(io.EOF), true, "the server closed the connection without an answer"},
		{matches(io.ErrUnexpectedEOF), true, "the server closed the connection within its answer"},
		{matches(syscall.ECONNRESET), true, "the server reset the connection"},
	}
}

func matches(want error) func(error) bool {
	return func(err error) bool { return errors.Is(err, want) }
}

func has[E error](err error) bool {
	_, is := errors.AsType[E](err)
	return is
}

// dialing reports whether there was not even a connection.
func dialing(err error) bool {
	op, is := errors.AsType[*net.OpError](err)
	return is && (op.Op == "dial" || op.Op == "proxyconnect")
}

func timedOut(err error) bool {
	wait, is := errors.AsType[net.Error](err)
	return is && wait.Timeout() || errors.Is(err, context.DeadlineExceeded)
}
