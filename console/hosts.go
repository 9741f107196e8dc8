package console

import (
	"net"
	"net/http"
	"net/netip"
	"os"
	"slices"
	"strings"
)

// hosts are the names under which the console answers. A page of a stranger,
// whose name is made to lead to this machine, may not read it through somebody's
// browser: that would ask under the stranger's name. An address is no name, and
// is what probes and scrapes ask under.
type hosts []string

// hostsOf are the names given, this machine's own, and the one listened on.
func hostsOf(listen net.Addr, configured string, given []string) hosts {
	all := hosts{"localhost"}
	for _, name := range append([]string{hostOf(listen.String()), hostOf(configured)}, given...) {
		all = append(all, plain(name))
	}
	if own, err := os.Hostname(); err == nil {
		all = append(all, plain(own))
	}
	return all
}

// answer reports whether a request is for us. One without a host, of HTTP/1.0,
// comes from no browser.
func (h hosts) answer(r *http.Request) bool {
	host := plain(hostOf(r.Host))
	if host == "" || strings.HasSuffix(host, ".localhost") || slices.Contains(h, host) {
		return true
	}
	_, err := netip.ParseAddr(host)
	return err == nil
}

// hostOf returns the host of an address that may have a port.
func hostOf(address string) string {
	if host, _, err := net.SplitHostPort(address); err == nil {
		return host
	}
	return strings.Trim(address, "[]")
}

func plain(host string) string { return strings.ToLower(strings.TrimSuffix(host, ".")) }

// known lets only requests under one of the names through.
func (h hosts) known(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !h.answer(r) {
			http.Error(w, "this host name is not one of ours: ask by address, or name it in http.hosts", http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}
