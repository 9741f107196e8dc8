package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// watched is a world as people look at it: 1,000 meetings, asked about each
// second, in which 50 people do something meanwhile.
func watched() session {
	return session{
		client: rollcall, world: world{Meetings: 1000, People: 20}, tenants: 1, rates: []float64{0.25}, sync: "interval", schedule: "@every 1s",
	}
}

// measurePages measures what `rollcall console` takes while nobody looks, and
// while so many pages are open.
func (b *bench) measurePages(ctx context.Context) error {
	s, err := b.open(watched())
	if err != nil {
		return err
	}
	defer s.close()
	if err := b.startRollcall(s); err != nil {
		return err
	}
	if err := s.awaitPasses(ctx, 1); err != nil {
		return err
	}
	if err := s.begin(ctx, s.rates[0]); err != nil {
		return err
	}
	listen, err := freeAddress()
	if err != nil {
		return err
	}
	console, _, err := launch("console", s.dir, nil, b.worker, "console", "--nats", s.nats, "--listen", listen)
	if err != nil {
		return err
	}
	defer func() { _ = console.stop() }() // it was killed, if it did not end
	if err := awaitPage(ctx, console, "http://"+listen); err != nil {
		return err
	}
	if err := pause(ctx, b.warmUp+b.long); err != nil { // first it reads what has happened within an hour
		return err
	}
	for _, pages := range []int{0, b.pages} {
		b.say("%d pages are open", pages)
		l, err := b.lookAt(ctx, s, console, "http://"+listen, pages)
		if err != nil {
			return err
		}
		fmt.Fprintf(b.out, "%d pages open, %.0f changes a second in %s meetings of %d people: %.1f %% of a core; each page reads %.1f KB a second\n",
			pages, l.changes, grouped(s.world.Meetings), s.world.People, 100*l.core, l.read/1000/float64(max(pages, 1)))
	}
	return nil
}

// awaitPage waits until the page has something to show.
func awaitPage(ctx context.Context, console *process, address string) error {
	for ctx.Err() == nil {
		if body, err := get(ctx, address+"/live/ended"); err == nil { // which is answered once everything was read
			return body.Close()
		}
		select {
		case <-console.done:
			return fmt.Errorf("start the console: it has ended: %s", console.said)
		default:
		}
		if err := pause(ctx, 50*time.Millisecond); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// look is what happened while pages were open, a second.
type look struct {
	core    float64 // seconds of CPU that the console took
	changes float64 // that people made
	read    float64 // bytes that all pages read
}

// lookAt opens pages, and reads the clocks twice while they are open.
func (b *bench) lookAt(ctx context.Context, s *scene, console *process, address string, pages int) (look, error) {
	ctx, leave := context.WithCancel(ctx)
	defer leave()
	var bytes atomic.Int64
	failed := make(chan error, pages)
	var open sync.WaitGroup
	for range pages {
		open.Go(func() { failed <- follow(ctx, address, &bytes) })
	}
	defer func() { leave(); open.Wait() }()
	if err := pause(ctx, b.warmUp); err != nil {
		return look{}, err
	}
	from, err := s.looked(ctx, console, &bytes)
	if err == nil {
		err = pause(ctx, b.long)
	}
	if err != nil {
		return look{}, err
	}
	to, err := s.looked(ctx, console, &bytes)
	select {
	case early := <-failed:
		return look{}, errors.Join(err, early)
	default:
	}
	took := to.at.Sub(from.at).Seconds()
	changed := float64(to.served-from.served) * float64(s.world.People) * s.rates[0] / 100
	return look{(to.cpu - from.cpu).Seconds() / took, changed / took, float64(to.read-from.read) / took}, err
}

// glance is what stands on the clocks and counters at one moment.
type glance struct {
	at     time.Time
	cpu    time.Duration // of the console
	served int64         // meetings that were reported
	read   int64         // bytes
}

func (s *scene) looked(ctx context.Context, console *process, bytes *atomic.Int64) (g glance, err error) {
	n, err := s.served(ctx)
	if err != nil {
		return g, err
	}
	g.at, g.served, g.read = time.Now(), int64(n.Meetings), bytes.Load()
	g.cpu, err = console.cpu()
	return g, err
}

// follow reads a page's stream, compressed as browsers ask for it, until ctx is
// over. An end before that is an error.
func follow(ctx context.Context, address string, bytes *atomic.Int64) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address+"/live/stream", nil)
	if err != nil {
		return fmt.Errorf("open a page: %w", err)
	}
	request.Header.Set("Accept-Encoding", "gzip")
	response, err := (&http.Transport{}).RoundTrip(request)
	if err != nil {
		return fmt.Errorf("open a page: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("open a page: %s", response.Status)
	}
	buffer := make([]byte, 64<<10)
	for {
		n, err := response.Body.Read(buffer)
		bytes.Add(int64(n))
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read a page's stream: %w", cmp.Or(err, io.ErrUnexpectedEOF))
		}
	}
}
