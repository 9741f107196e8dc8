package live

import (
	"crypto/sha256"
	"crypto/subtle"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// admit lets whoever shows the token see the page, or comes through a trusted
// proxy; without a token everybody who reaches it. Others it answers itself.
func (p *Page) admit(w http.ResponseWriter, r *http.Request) bool {
	if p.proxied(r) {
		return true
	}
	if p.cfg.Token == nil {
		if len(p.cfg.Proxies) == 0 {
			return true // it listens on loopback
		}
		http.Error(w, "this page is shown through its proxy only: see http.page.proxies", http.StatusForbidden)
		return false
	}
	token, err := p.cfg.Token()
	if err != nil || token.Empty() {
		p.cfg.Logger.Warn("http.page.token_file cannot be read, so nobody sees the page")
		http.Error(w, "the token's file cannot be read; the log says so", http.StatusServiceUnavailable)
		return false
	}
	if shown(r, token.Reveal()) {
		return true
	}
	w.Header().Set("WWW-Authenticate", `Basic realm="Rollcall: any user, the token as the password", charset="UTF-8"`)
	http.Error(w, "the page asks for the token of http.page.token_file, as a password or as a bearer", http.StatusUnauthorized)
	return false
}

// shown reports whether a request carries the token. Hashes are compared, so
// that the time it takes says nothing, not even its length.
func shown(r *http.Request, token string) bool {
	given, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if _, password, basic := r.BasicAuth(); basic {
		given, ok = password, true
	}
	a, b := sha256.Sum256([]byte(given)), sha256.Sum256([]byte(token))
	return ok && subtle.ConstantTimeCompare(a[:], b[:]) == 1
}

// proxied reports whether a trusted proxy asks.
func (p *Page) proxied(r *http.Request) bool {
	from, err := netip.ParseAddrPort(r.RemoteAddr)
	return err == nil && slices.ContainsFunc(p.cfg.Proxies, func(trusted netip.Prefix) bool {
		return trusted.Contains(from.Addr().Unmap())
	})
}

// ownOnly refuses what a page of another site asks, through whose browser ever.
// A browser says of each such request which site it comes from.
func ownOnly(hosts []string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		site, origin := r.Header.Get("Sec-Fetch-Site"), r.Header.Get("Origin")
		if site != "" && site != "same-origin" && site != "none" || origin != "" && !own(origin, r.Host, hosts) {
			http.Error(w, "another site's page may not read this", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// own reports whether an origin is what was asked, or a name under which a
// proxy shows it.
func own(origin, host string, hosts []string) bool {
	u, err := url.Parse(origin)
	if err != nil || u.Host == "" {
		return false
	}
	if strings.EqualFold(u.Host, host) {
		return true
	}
	name := u.Host
	if alone, _, err := net.SplitHostPort(u.Host); err == nil {
		name = alone
	}
	return slices.ContainsFunc(hosts, func(known string) bool { return strings.EqualFold(known, name) })
}
