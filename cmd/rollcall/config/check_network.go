package config

import (
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// nats never shows a value: an address may hold a password.
func (c checker) nats(n NATS) {
	for address := range strings.SplitSeq(n.URL, ",") {
		if n.URL != "" && !validBroker(strings.TrimSpace(address)) {
			c.refuse("nats.url", "is not an address of NATS")
		}
	}
	c.oneWay(n)
	if (n.TLS.CertFile == "") != (n.TLS.KeyFile == "") {
		key := "nats.tls.cert_file"
		if n.TLS.KeyFile == "" {
			key = "nats.tls.key_file"
		}
		c.refuse(key, "is required: a certificate and its key go together")
	}
	c.oneOf("nats.embedded.sync", n.Embedded.Sync, "always", "interval")
	c.address("nats.embedded.listen", n.Embedded.Listen)
	c.embedded(n)
}

// validBroker accepts what the NATS client connects to. A password in the
// address would end in logs; it has its own file.
func validBroker(address string) bool {
	if !strings.Contains(address, "://") {
		address = "nats://" + address
	}
	u, err := url.Parse(address)
	return err == nil && u.Hostname() != "" && u.User == nil && u.RawQuery == "" && validPort(u.Port(), true) &&
		slices.Contains([]string{"nats", "tls", "ws", "wss"}, u.Scheme)
}

// oneWay wants at most one way to authenticate.
func (c checker) oneWay(n NATS) {
	if (n.User == "") != (n.PasswordFile == "") {
		key := "nats.user"
		if n.PasswordFile == "" {
			key = "nats.password_file"
		}
		c.refuse(key, "is required: a user and a password file go together")
	}
	if n.TokenFile != "" && n.CredentialsFile != "" {
		c.refuse("nats.token_file", "is given beside credentials_file: keep one way to authenticate")
	}
	if n.User != "" && (n.CredentialsFile != "" || n.TokenFile != "") {
		c.refuse("nats.user", "is given beside another way to authenticate: keep one of them")
	}
}

// embedded guards the server inside the process, where others may reach it.
func (c checker) embedded(n NATS) {
	if n.URL != "" {
		return
	}
	if n.CredentialsFile != "" {
		c.refuse("nats.credentials_file", "is of no use to the embedded server: give token_file, or user and password_file")
	}
	host, _, err := net.SplitHostPort(n.Embedded.Listen)
	if err == nil && !loopback(host) && n.TokenFile == "" && n.User == "" {
		c.refuse("nats.embedded.listen", "lets other machines in without credentials")
	}
}

// endpoint shows no value either: an address may hold a password.
func (c checker) endpoint(key, address string) {
	u, err := url.Parse(address)
	switch {
	case err != nil, u.Hostname() == "", u.User != nil, u.RawQuery != "", u.ForceQuery, u.Fragment != "",
		u.Path != "" && u.Path != "/", !validPort(u.Port(), true):
		c.refuse(key, "is not an address of DingTalk's API")
	case u.Scheme == "http" && !loopback(u.Hostname()):
		c.refuse(key, "is not encrypted, and secrets would go over the network")
	case u.Scheme != "http" && u.Scheme != "https":
		c.refuse(key, "has another scheme than https")
	}
}

// address wants host:port to listen on; no host means all of the machine's,
// port 0 any free one.
func (c checker) address(key, address string) {
	host, port, err := net.SplitHostPort(address)
	if err != nil || !validPort(port, false) || strings.ContainsAny(host, " \t/@") {
		c.refuse(key, shown(address)+" is not an address to listen on")
	}
}

// pprof keeps the inside of the process from other machines.
func (c checker) pprof(h HTTP) {
	host, _, err := net.SplitHostPort(h.Listen)
	if err == nil && h.Pprof && !loopback(host) {
		c.refuse("http.pprof", "shows the inside of the process to other machines: let http.listen be on loopback")
	}
}

// validPort accepts a number of a port, or none where it is optional.
func validPort(port string, optional bool) bool {
	if port == "" {
		return optional
	}
	_, err := strconv.ParseUint(port, 10, 16)
	return err == nil
}

// loopback reports whether a host is this machine only.
func loopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}
