package live

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"rollcall/console/live/assets"
	"rollcall/wire"
)

// policy lets the page load and run what this server serves, and nothing else:
// no inline script or style, and no text that becomes markup.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"

// readWithin is how long a meeting's events may take to be read.
const readWithin = 10 * time.Second

// Routes are the patterns that the page answers, for whoever routes to it.
func Routes() []string { return []string{"/{$}", "/meeting/", "/live/"} }

func (p *Page) route() {
	p.mux = http.NewServeMux()
	p.mux.HandleFunc("/{$}", p.shell)
	p.mux.HandleFunc("/meeting/{tenant}/{meeting}", p.shell)
	p.mux.Handle("/live/assets/", http.StripPrefix("/live/assets", p.files))
	data := http.NewServeMux()
	data.HandleFunc("/live/stream", p.stream)
	data.HandleFunc("/live/ended", p.ended)
	data.HandleFunc("/live/charts", p.chart)
	data.HandleFunc("/live/targets", p.targets)
	data.HandleFunc("/live/meeting/{tenant}/{meeting}", p.meeting)
	p.mux.Handle("/live/", ownOnly(p.cfg.Hosts, data))
}

// ServeHTTP serves the page to whoever may see it.
func (p *Page) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("Content-Security-Policy", policy)
	header.Set("Cross-Origin-Opener-Policy", "same-origin")
	header.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=()")
	if p.admit(w, r) {
		p.mux.ServeHTTP(w, r)
	}
}

// serveJSON answers with a value, under its ETag.
func serveJSON(w http.ResponseWriter, r *http.Request, value any) {
	data, err := json.Marshal(value)
	if err != nil {
		http.Error(w, "the answer cannot be written", http.StatusInternalServerError)
		return
	}
	body := assets.Pack(data)
	body.Serve(w, r, "application/json")
}

// chart serves what the charts are drawn of.
func (p *Page) chart(w http.ResponseWriter, r *http.Request) { serveJSON(w, r, p.charts.all()) }

// targets serves how those are doing whom the forwarder tells.
func (p *Page) targets(w http.ResponseWriter, r *http.Request) {
	all := []Target{}
	if p.cfg.Targets != nil {
		ctx, cancel := context.WithTimeout(r.Context(), readWithin)
		defer cancel()
		var err error
		if all, err = p.cfg.Targets(ctx); err != nil {
			failed(w, err)
			return
		}
	}
	serveJSON(w, r, all)
}

// shownEnded is how many meetings that are over are listed.
const shownEnded = 500

// ended lists the meetings that are over, the last first.
func (p *Page) ended(w http.ResponseWriter, r *http.Request) {
	reading, ok := p.readable(w, r)
	if !ok {
		return
	}
	serveJSON(w, r, reading.ended(shownEnded))
}

// meeting serves one meeting with its people and events.
func (p *Page) meeting(w http.ResponseWriter, r *http.Request) {
	conference, ok := wire.Value(r.PathValue("meeting"))
	if !ok {
		http.NotFound(w, r)
		return
	}
	reading, ok := p.readable(w, r)
	if !ok {
		return
	}
	m, ok := reading.meetings.Get(r.PathValue("tenant"), conference)
	if !ok {
		http.NotFound(w, r)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), readWithin)
	defer cancel()
	body, err := reading.timeline.of(ctx, m)
	if err != nil {
		failed(w, err)
		return
	}
	body.Serve(w, r, "application/json")
}

// readable waits until everything was read, and answers itself where it is not.
func (p *Page) readable(w http.ResponseWriter, r *http.Request) (*reading, bool) {
	ctx, cancel := context.WithTimeout(r.Context(), readWithin)
	defer cancel()
	reading, err := p.look(ctx)
	if err == nil {
		select {
		case <-reading.synced:
			return reading, true
		case <-ctx.Done():
			err = ctx.Err()
		case <-p.stopped:
			err = http.ErrServerClosed
		}
	}
	failed(w, err)
	return nil, false
}

func failed(w http.ResponseWriter, err error) {
	text := "NATS cannot be read now"
	if errors.Is(err, context.DeadlineExceeded) {
		text = "NATS does not answer in time"
	}
	w.Header().Set("Retry-After", "2")
	http.Error(w, text, http.StatusServiceUnavailable)
}
