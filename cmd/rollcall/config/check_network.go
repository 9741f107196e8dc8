package config

import (
	"fmt"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"rollcall/internal/address"
)

// nats never shows a value: an address may hold a password.
func (c checker) nats(n NATS) {
	if problem := brokerProblem(n.URL); problem != "" {
		c.Refuse("nats.url", problem)
	}
	c.oneWay(n)
	if (n.TLS.CertFile == "") != (n.TLS.KeyFile == "") {
		key := "nats.tls.cert_file"
		if n.TLS.KeyFile == "" {
			key = "nats.tls.key_file"
		}
		c.Refuse(key, "is required: a certificate and its key go together")
	}
	c.oneOf("nats.embedded.sync", n.Embedded.Sync, "always", "interval")
	c.address("nats.embedded.listen", n.Embedded.Listen)
	c.embedded(n)
}

// jetStream looks at how answers, and JetStream's API, are reached.
func (c checker) jetStream(n NATS, prefix string) {
	ours := "rollcall"
	if validPrefix(prefix) {
		ours, _, _ = strings.Cut(prefix, ".")
	}
	if first, _, _ := strings.Cut(n.InboxPrefix, "."); !tokens(n.InboxPrefix, "") || slices.Contains([]string{ours, "rollcall", "_R_", "_ROLLCALL"}, first) {
		c.Refuse("nats.inbox_prefix", shown(n.InboxPrefix)+" cannot begin inboxes")
	}
	if n.Domain != "" && !isToken(n.Domain) {
		c.Refuse("nats.domain", shown(n.Domain)+" is no domain of JetStream")
	}
	if n.JSPrefix != "" && !tokens(n.JSPrefix, "$") {
		c.Refuse("nats.js_prefix", shown(n.JSPrefix)+" cannot begin subjects")
	}
	if n.Domain != "" && n.JSPrefix != "" {
		c.Refuse("nats.js_prefix", "is given beside domain: keep one of them")
	}
}

// tokens reports whether all tokens of a subject are plain but for what one may begin with.
func tokens(subject, begin string) bool {
	return !slices.ContainsFunc(strings.Split(subject, "."), func(token string) bool { return !isToken(strings.TrimPrefix(token, begin)) })
}

// brokerProblem says what is wrong with the addresses of NATS, without showing
// any of them; "" where they are what the client connects to.
func brokerProblem(addresses string) string {
	sockets := make(map[bool]bool)
	for address := range strings.SplitSeq(addresses, ",") {
		if address = strings.TrimSpace(address); addresses == "" {
			break
		}
		if !strings.Contains(address, "://") {
			address = "nats://" + address
		}
		u, err := url.Parse(address)
		switch {
		case strings.Contains(address, "@"), err == nil && u.User != nil:
			return "holds a user, a password or a token, which every list of processes and many logs show: " +
				"take them out, and name their files with nats.user and nats.password_file, or nats.token_file, in the configuration"
		case err != nil, u.Hostname() == "", u.RawQuery != "", u.Fragment != "", !validPort(u.Port(), true),
			!slices.Contains([]string{"nats", "tls", "ws", "wss"}, u.Scheme):
			return "is not an address of NATS"
		case (u.Scheme == "nats" || u.Scheme == "tls") && u.Path != "" && u.Path != "/":
			return "is not an address of NATS, which has no path"
		}
		sockets[u.Scheme == "ws" || u.Scheme == "wss"] = true
	}
	if len(sockets) > 1 {
		return "mixes addresses of WebSockets (ws, wss) with others, which the client does not"
	}
	return ""
}

// CheckURL reports what is wrong with the addresses of NATS that come from a
// command line instead of a file; its error shows none of them.
func CheckURL(addresses string) error {
	problem := brokerProblem(addresses)
	if problem == "" {
		return nil
	}
	return fmt.Errorf("%s; allowed: nats://, tls://, ws:// or wss:// addresses without user and password, separated by commas", problem)
}

// oneWay wants at most one way to authenticate.
func (c checker) oneWay(n NATS) {
	if (n.User == "") != (n.PasswordFile == "") {
		key := "nats.user"
		if n.PasswordFile == "" {
			key = "nats.password_file"
		}
		c.Refuse(key, "is required: a user and a password file go together")
	}
	if n.TokenFile != "" && n.CredentialsFile != "" {
		c.Refuse("nats.token_file", "is given beside credentials_file: keep one way to authenticate")
	}
	if n.User != "" && (n.CredentialsFile != "" || n.TokenFile != "") {
		c.Refuse("nats.user", "is given beside another way to authenticate: keep one of them")
	}
}

// embedded guards the server inside the process, where others may reach it.
func (c checker) embedded(n NATS) {
	if n.URL != "" {
		return
	}
	if n.CredentialsFile != "" {
		c.Refuse("nats.credentials_file", "is of no use to the embedded server: give token_file, or user and password_file")
	}
	for _, tls := range []struct{ key, file string }{{"ca_file", n.TLS.CAFile}, {"cert_file", n.TLS.CertFile}} {
		if tls.file != "" {
			c.Refuse("nats.tls."+tls.key, "is of no use to the embedded server, which speaks no TLS: remove it, or run a NATS of your own with TLS and set nats.url")
		}
	}
	host, _, err := net.SplitHostPort(n.Embedded.Listen)
	if err == nil && !address.Loopback(host) && n.TokenFile == "" && n.User == "" {
		c.Refuse("nats.embedded.listen", "lets other machines in without credentials")
	}
}

// endpoint shows no value either: an address may hold a password.
func (c checker) endpoint(key, text string) {
	u, err := url.Parse(text)
	switch {
	case err != nil, u.Hostname() == "", u.User != nil, u.RawQuery != "", u.ForceQuery, u.Fragment != "",
		u.Path != "" && u.Path != "/", !validPort(u.Port(), true):
		c.Refuse(key, "is not an address of DingTalk's API")
	case u.Scheme == "http" && !address.Loopback(u.Hostname()):
		c.Refuse(key, "is not encrypted, and secrets would go over the network")
	case u.Scheme != "http" && u.Scheme != "https":
		c.Refuse(key, "has another scheme than https")
	}
}

// address wants host:port to listen on; no host means all of the machine's,
// port 0 any free one.
func (c checker) address(key, text string) {
	host, port, err := net.SplitHostPort(text)
	if err != nil || !validPort(port, false) || strings.ContainsAny(host, " \t/@") {
		c.Refuse(key, shown(text)+" is not an address to listen on")
	}
}

// hosts wants names as they stand in a Host header.
func (c checker) hosts(names []string) {
	c.texts("http.hosts", "name", names)
	for i, name := range names {
		if strings.ContainsAny(name, "/:*@ \t") {
			c.Refuse(fmt.Sprintf("http.hosts[%d]", i), shown(name)+" is no host name; allowed: a name without scheme, port and wildcard")
		}
	}
}

// pprof keeps the inside of the process from other machines.
func (c checker) pprof(h HTTP) {
	host, _, err := net.SplitHostPort(h.Listen)
	if err == nil && h.Pprof && !address.Loopback(host) {
		c.Refuse("http.pprof", "shows the inside of the process to other machines: let http.listen be on loopback")
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
