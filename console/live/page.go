// Package live is the page that one keeps open: which meetings go on, who is in
// them, and first of all how old that is. It stands on [consume.Watch], so it
// shows the meetings of all workers, and needs a reader's rights.
//
// It promises that what it shows is never younger than it says; that a page
// costs nothing while nobody looks, and little more for fifty pages than for
// one, since everything is encoded once for all of them; and that what strangers
// write (names, titles) stays text.
package live

import (
	"context"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"

	"rollcall/console/live/assets"
	"rollcall/consume"
	"rollcall/internal/secret"
)

// Config says what the page shows, and to whom.
type Config struct {
	Conn *nats.Conn
	// JetStream is used in place of the connection's own; nil: that one.
	JetStream jetstream.JetStream
	Names     consume.Names
	// Token returns what whoever looks has to show; nil: nothing.
	Token func() (secret.String, error)
	// Proxies are asked for no token: they have asked already who looks.
	Proxies []netip.Prefix
	// Hosts are names under which a proxy may show the page.
	Hosts []string
	// HideNames shows initials in place of names, and nothing else of a person.
	HideNames bool
	// Books reads how the tenants' months stand and who works for them; nil: nobody knows.
	Books func(context.Context) ([]Book, error)
	// Targets reads how those are doing whom the forwarder tells; nil: there are none.
	Targets func(context.Context) ([]Target, error)
	// Always reads all the time, and not only while somebody looks.
	Always bool
	Logger *zap.Logger
}

// Page is the live page. It is made by [New]; Run reads what it shows.
type Page struct {
	cfg    Config
	files  *assets.Files
	charts charts
	later  packed // ends a stream that does not stay
	mux    *http.ServeMux

	mu      sync.Mutex
	viewers int
	streams map[string]int // viewers by the name of their browser
	used    time.Time      // when somebody last looked
	wanted  chan struct{}  // receives when somebody looks
	reading *reading       // nil: nobody has looked lately
	begun   chan struct{}  // closed once reading is set; made anew when it is not any more
	over    bool
	stopped chan struct{} // closed when over
}

// maxViewers is how many streams are open at a time. There is room beside them
// for whoever asks about health.
const maxViewers = 128

// maxOfABrowser is how many streams of one browser stay open: it opens six
// connections to a server, and a page more must load all the same.
const maxOfABrowser = 4

// linger is for how long everything is read on after the last one has looked.
const linger = 5 * time.Minute

// New makes a page. It reads nothing before Run.
func New(cfg Config) (*Page, error) {
	files, err := assets.New()
	if err != nil {
		return nil, err
	}
	if cfg.Logger == nil {
		cfg.Logger = zap.NewNop()
	}
	p := &Page{cfg: cfg, files: files, wanted: make(chan struct{}, 1), begun: make(chan struct{}), stopped: make(chan struct{})}
	p.streams = map[string]int{}
	p.later = new(packer).pack([]byte(later))
	p.charts.series = map[string]*series{}
	p.route()
	return p, nil
}

// Run reads while somebody looks, until ctx ends. It returns nil.
func (p *Page) Run(ctx context.Context) error {
	defer p.stop()
	for ctx.Err() == nil {
		if !p.cfg.Always {
			select {
			case <-p.wanted:
			case <-ctx.Done():
				return nil
			}
		}
		r := newReading(p)
		p.begin(r)
		r.run(ctx)
	}
	return nil
}

func (p *Page) begin(r *reading) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.reading, p.used = r, time.Now()
	close(p.begun)
}

func (p *Page) stop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.over = true
	close(p.stopped)
}

func (p *Page) want() {
	select {
	case p.wanted <- struct{}{}:
	default: // it is known
	}
}

// look returns what is read, and begins with it where nobody has looked lately.
// The error is that of ctx, or says that the page stops.
func (p *Page) look(ctx context.Context) (*reading, error) {
	for {
		p.mu.Lock()
		r, begun := p.reading, p.begun
		p.used = time.Now()
		if r == nil {
			p.want()
		}
		p.mu.Unlock()
		if r != nil {
			return r, nil
		}
		select {
		case <-begun:
		case <-p.stopped:
			return nil, http.ErrServerClosed
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// enter counts one more stream of a browser, "" where that is not known. room:
// there is room for it; stay: for longer than a moment.
func (p *Page) enter(browser string) (room, stay bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.viewers >= maxViewers || p.over {
		return false, false
	}
	p.viewers++
	p.streams[browser]++
	return true, browser == "" || p.streams[browser] <= maxOfABrowser
}

func (p *Page) leave(browser string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.viewers--
	if p.streams[browser]--; p.streams[browser] == 0 {
		delete(p.streams, browser)
	}
	p.used = time.Now()
}

// retire takes what is read away where nobody has looked lately, and reports
// whether it did. Whoever comes from now on waits for the next one.
func (p *Page) retire(now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cfg.Always || p.viewers > 0 || now.Sub(p.used) <= linger {
		return false
	}
	p.reading, p.begun = nil, make(chan struct{})
	return true
}
