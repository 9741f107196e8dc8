// Package address answers what is asked of addresses in many places: whether
// only this machine reaches one, and where it is reached.
package address

import (
	"net"
	"strings"
)

// Loopback reports whether a host, a name or an IP address without a port, is
// this machine as nobody else can reach it. No host at all is not: it means every
// address of the machine.
func Loopback(host string) bool {
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}

// Dialable returns where host:port that is listened on is reached from this
// machine: an address that means all of the machine's is reached at 127.0.0.1.
func Dialable(listen string) string {
	host, port, err := net.SplitHostPort(listen)
	if ip := net.ParseIP(host); err != nil || host != "" && (ip == nil || !ip.IsUnspecified()) {
		return listen
	}
	return net.JoinHostPort("127.0.0.1", port)
}
