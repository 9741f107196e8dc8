package check

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"
	"time"
)

// trust is what an operator can do about an authority that is not trusted.
type trust struct {
	host, key string // what was called, and the key that says so
	authority string // how an authority is made to be trusted
}

// untrusted says what is wrong with a TLS connection, if that is what err is about.
func (t trust) untrusted(err error, now time.Time) (found, fix string, is bool) {
	if unknown, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return t.unknown(unknown.Cert)
	}
	if wrong, ok := errors.AsType[x509.HostnameError](err); ok {
		return t.wrongHost(wrong.Certificate)
	}
	if invalid, ok := errors.AsType[x509.CertificateInvalidError](err); ok {
		return t.invalid(invalid, now)
	}
	if _, ok := errors.AsType[x509.SystemRootsError](err); ok {
		return "this machine has no list of authorities that it trusts", "install the system's package of certificates (ca-certificates)", true
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return "what answers there speaks no TLS: another service, or a proxy in between", "check " + t.key + " and its port, and HTTPS_PROXY", true
	}
	if alert, ok := errors.AsType[tls.AlertError](err); ok {
		return "the server refuses the TLS connection: " + alert.Error(), "if it wants a certificate of the client, see nats.tls.cert_file; otherwise its TLS is set up in another way than ours allows", true
	}
	return "", "", false
}

func (t trust) unknown(cert *x509.Certificate) (found, fix string, is bool) {
	issuer := "somebody"
	if cert != nil {
		issuer = nameOf(cert.Issuer.String())
	}
	return "the certificate was issued by " + issuer + ", an unknown authority: this machine does not trust it",
		fmt.Sprintf("if that is a proxy or firewall in between which opens encrypted connections: have %s exempted from it, or trust its authority (%s)", t.host, t.authority), true
}

func (t trust) wrongHost(cert *x509.Certificate) (found, fix string, is bool) {
	return fmt.Sprintf("the certificate is for another host: for %s, not for %s", hostsOf(cert), t.host),
		"check " + t.key + "; if it is right, a proxy in between or a wrong name server answers in that host's place", true
}

func (t trust) invalid(err x509.CertificateInvalidError, now time.Time) (found, fix string, is bool) {
	clock := "the clock of this machine says " + stamp(now) + ": if that is wrong, set it; otherwise whoever runs " + t.host + " must renew the certificate"
	switch {
	case err.Reason == x509.Expired && err.Cert != nil && now.Before(err.Cert.NotBefore):
		return "the certificate is not valid before " + stamp(err.Cert.NotBefore), clock, true
	case err.Reason == x509.Expired && err.Cert != nil:
		return "the certificate has expired on " + stamp(err.Cert.NotAfter), clock, true
	}
	return "the certificate is not valid: " + err.Error(), "whoever runs " + t.host + " must fix it; if a proxy is in between, that is its own", true
}

// described says how a connection is encrypted, and by whose certificate.
func described(state *tls.ConnectionState) string {
	if state == nil {
		return "not encrypted"
	}
	text := tls.VersionName(state.Version)
	if len(state.PeerCertificates) > 0 {
		cert := state.PeerCertificates[0]
		text += fmt.Sprintf(", certificate for %s from %s until %s", hostsOf(cert), nameOf(cert.Issuer.String()), stamp(cert.NotAfter))
	}
	return text
}

// hostsOf names up to three of the hosts that a certificate is for.
func hostsOf(cert *x509.Certificate) string {
	if cert == nil {
		return "nobody"
	}
	names := append([]string{}, cert.DNSNames...)
	for _, ip := range cert.IPAddresses {
		names = append(names, ip.String())
	}
	switch {
	case len(names) == 0:
		return nameOf(cert.Subject.String())
	case len(names) > 3:
		names = append(names[:3], "others")
	}
	return strings.Join(names, ", ")
}

func nameOf(name string) string {
	if name == "" {
		return "somebody without a name"
	}
	return fmt.Sprintf("%q", name)
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }
