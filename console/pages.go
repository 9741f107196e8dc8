package console

import (
	"io"
	"net/http"
	"net/http/pprof"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"rollcall/console/live"
)

// index names what there is; it needs neither script nor style.
const index = `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Rollcall</title></head>
<body>
<h1>Rollcall</h1>
<ul>
<li><a href="/livez">/livez</a>: this process works</li>
<li><a href="/readyz">/readyz</a>: meetings are being looked at, and what keeps them from it</li>
<li><a href="/metrics">/metrics</a>: numbers for Prometheus</li>
</ul>
</body>
</html>
`

// pages routes to everything the console shows.
func (s *Server) pages() http.Handler {
	mux := http.NewServeMux()
	if s.Page == nil {
		mux.HandleFunc("/{$}", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			_, _ = io.WriteString(w, index)
		})
	} else {
		for _, route := range live.Routes() {
			mux.Handle(route, s.Page)
		}
	}
	mux.HandleFunc("/livez", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		text := "alive"
		if why := s.stuck(); why != "" {
			w.WriteHeader(http.StatusServiceUnavailable)
			text = why
		}
		_, _ = io.WriteString(w, text+"\n")
	})
	mux.Handle("/readyz", ready(s.Health))
	if s.Metrics != nil {
		mux.Handle("/metrics", promhttp.HandlerFor(s.Metrics, promhttp.HandlerOpts{
			MaxRequestsInFlight: 8, // a scrape walks everything; a crowd of them must not
			Timeout:             writeTimeout - time.Second,
		}))
	}
	if s.Profiles {
		profiled(mux)
	}
	return mux
}

// profiled shows what the process is busy with, as `go tool pprof` reads it.
// The index serves the profiles that have a name: heap, allocs, goroutine.
func profiled(mux *http.ServeMux) {
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
}

// guarded lets only reading through, and has browsers trust nothing.
func guarded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'")
		header.Set("X-Content-Type-Options", "nosniff")
		header.Set("X-Frame-Options", "DENY")
		header.Set("Referrer-Policy", "no-referrer")
		header.Set("Cross-Origin-Resource-Policy", "same-origin")
		header.Set("Cache-Control", "no-store")
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			header.Set("Allow", "GET, HEAD")
			http.Error(w, "only GET and HEAD", http.StatusMethodNotAllowed)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// stuck says why this process is to be started again; "" while it works.
func (s *Server) stuck() string {
	if s.Stuck == nil {
		return ""
	}
	return s.Stuck()
}
