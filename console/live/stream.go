package live

import (
	"net/http"
	"slices"
	"time"

	"rollcall/console/live/assets"
)

// writeWithin is how long a part of the stream may take to be written. A page
// that reads more slowly is cut off, and begins anew.
const writeWithin = 10 * time.Second

// later tells a page, in place of more, to ask again in a second.
const later = "event: later\ndata: {}\n\n"

// stream serves frames as Server-Sent Events. Where the page had some before,
// Last-Event-ID (or the query's after, since a page that was hidden opens a
// stream of its own) says which, and what follows is served.
func (p *Page) stream(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("Content-Type", "text/event-stream; charset=utf-8")
	header.Set("Cache-Control", "no-store")
	header.Set("Vary", "Accept-Encoding")
	header.Set("X-Accel-Buffering", "no") // or nginx would keep frames back
	if r.Method == http.MethodHead {
		return
	}
	browser := r.URL.Query().Get("browser")
	room, stay := p.enter(browser)
	if !room {
		header.Set("Retry-After", "5")
		http.Error(w, "too many pages are open", http.StatusServiceUnavailable)
		return
	}
	defer p.leave(browser)
	reading, err := p.look(r.Context())
	if err != nil {
		return
	}
	out := writer{w: w, control: http.NewResponseController(w), gzipped: assets.Gzipped(r)}
	if out.gzipped {
		header.Set("Content-Encoding", "gzip")
		out.begin = gzipHeader()
	}
	last := r.Header.Get("Last-Event-ID")
	if last == "" {
		last = r.URL.Query().Get("after")
	}
	for {
		parts, reached, next := reading.board.after(last)
		if !stay {
			parts = append(slices.Clone(parts), p.later)
		}
		if out.write(parts) != nil || !stay {
			return
		}
		last = reached
		select {
		case <-next:
		case <-r.Context().Done():
			return
		case <-p.stopped:
			return
		}
	}
}

// writer writes parts of the stream in the form that the page reads.
type writer struct {
	w       http.ResponseWriter
	control *http.ResponseController
	gzipped bool
	begin   []byte // what comes before the first part
}

func (o *writer) write(parts []packed) error {
	_ = o.control.SetWriteDeadline(time.Now().Add(writeWithin)) // what cannot have one is no connection
	if err := o.bytes(o.begin); err != nil {
		return err
	}
	o.begin = nil
	for _, part := range parts {
		data := part.plain
		if o.gzipped {
			data = part.deflated
		}
		if err := o.bytes(data); err != nil {
			return err
		}
	}
	return o.control.Flush()
}

func (o *writer) bytes(data []byte) error {
	_, err := o.w.Write(data)
	return err
}
