package forwarder

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"

	"rollcall/internal/streak"
	"rollcall/internal/wait"
)

// lease is for how long a lane stays with a process that does not write; it does
// so three times as often.
const lease = 15 * time.Second

// errLost says that another process works the lane.
var errLost = errors.New("another process has taken the lane over")

// lane is a route and one of its targets. It belongs to one goroutine.
type lane struct {
	*Forwarder
	route *Route
	*sender
	key string
	log *zap.Logger

	place    place
	revision uint64
	written  time.Time // when the place was last written
	queue    *queue
	ready    bool // everything that was there has come
	// notBefore is when the robots are looked at again, which cannot be used now.
	notBefore time.Time
	ails      bool // the target is in trouble, as far as this process knows
	templates streak.Log
}

// run works the lane whenever it is this process's, until ctx ends.
func (l *lane) run(ctx context.Context) {
	trouble := streak.Log{Logger: l.log, What: "forwarding"}
	pauses := wait.Growth{First: time.Second, Most: lease}.BackOff()
	for ctx.Err() == nil {
		err := l.acquire(ctx)
		if err == nil {
			l.metrics.held(l, true)
			err = l.work(ctx)
			l.metrics.held(l, false)
			pauses.Reset()
		}
		if ctx.Err() != nil {
			break
		}
		if errors.Is(err, errLost) {
			l.log.Info("route taken over by another process")
			continue
		}
		trouble.Note(err)
		wait.For(ctx, pauses.NextBackOff())
	}
	l.release(ctx)
}

// acquire waits until nobody works the lane, and takes it.
func (l *lane) acquire(ctx context.Context) error {
	seen, since := uint64(0), time.Now()
	for {
		data, revision, err := l.ledger.Read(ctx, l.key)
		if err != nil {
			return fmt.Errorf("read the place of the route: %w", err)
		}
		l.place, l.revision = place{}, revision
		if data != nil {
			if err := json.Unmarshal(data, &l.place); err != nil {
				return fmt.Errorf("read the place of the route in key %s: %w", l.key, err)
			}
			if l.place.Schema > 1 {
				return fmt.Errorf("the place of the route in key %s is of a newer version: update this program", l.key)
			}
		}
		if revision != seen {
			seen, since = revision, time.Now()
		}
		if l.place.Holder == "" || l.place.Holder == l.id || time.Since(since) > lease {
			return l.take(ctx)
		}
		if !wait.For(ctx, lease/5) {
			return ctx.Err()
		}
	}
}

// take writes this process into the place, which says where to begin if it is new.
func (l *lane) take(ctx context.Context) error {
	head, err := l.source.Head(ctx)
	if err != nil {
		return err
	}
	p := &l.place
	switch {
	case l.revision == 0 || p.Schema == 0:
		p.Stream, p.Since = head.Created, l.since
		if l.since.IsZero() {
			p.Floor = head.Last
		}
	case !p.Stream.Equal(head.Created): // made anew: all of it is new
		p.anew(head.Created)
	case p.Floor > head.Last: // restored from a backup: what it lost was told
		p.Floor, p.Groups = head.Last, nil
	}
	p.Schema, p.Holder = 1, l.id
	if p.Flight != nil { // somebody has died over it
		p.Flight.Unsure = true
		p.Lane.Repeated++
	}
	return l.save(ctx)
}

// anew forgets what is about a stream that is gone.
func (p *place) anew(created time.Time) {
	p.Stream, p.Floor, p.Since, p.Groups, p.Retries = created, 0, time.Time{}, nil, nil
}

// save writes the place. Where it cannot be known whether it was written the
// place is read: only who holds the lane writes it.
func (l *lane) save(ctx context.Context) error {
	l.place.Beat++
	l.place.Lane.Waiting, l.place.Lane.Oldest = l.queue.count+len(l.place.Retries), l.queue.oldest()
	data, err := json.Marshal(l.place)
	if err != nil {
		return fmt.Errorf("write the place of the route: %w", err)
	}
	revision, err := l.ledger.Write(ctx, l.key, data, l.revision)
	if err != nil {
		revision, err = l.settleWrite(ctx, err)
	}
	if err != nil {
		return err
	}
	l.revision, l.written = revision, time.Now()
	l.metrics.place(l)
	return nil
}

// settleWrite finds out whether a write that failed was stored.
func (l *lane) settleWrite(ctx context.Context, failed error) (uint64, error) {
	data, revision, err := l.ledger.Read(ctx, l.key)
	if err != nil {
		return 0, fmt.Errorf("write the place of the route: %w", failed)
	}
	var stored place
	if err := json.Unmarshal(data, &stored); err != nil && data != nil {
		return 0, fmt.Errorf("read the place of the route: %w", err)
	}
	switch {
	case stored.Holder == l.id && stored.Beat == l.place.Beat:
		return revision, nil
	case stored.Holder != l.id && stored.Holder != "":
		return 0, errLost
	}
	return 0, fmt.Errorf("write the place of the route: %w", failed)
}

// release lets the next process take the lane at once.
func (l *lane) release(ctx context.Context) {
	if l.place.Holder != l.id || l.revision == 0 {
		return
	}
	ctx, done := outlive(ctx)
	defer done()
	l.place.Holder = ""
	if err := l.save(ctx); err != nil && !errors.Is(err, errLost) {
		l.log.Warn("route not released; another process takes it over after the lease", zap.Error(err))
	}
}

// work reads and tells until something fails, the lane is lost, or ctx ends.
func (l *lane) work(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	l.queue, l.ready = newQueue(), false
	l.queue.read = l.place.Floor
	read := l.read(ctx)
	for {
		next, err := l.step(ctx)
		if err != nil {
			return err
		}
		if err := l.pause(ctx, read, next); err != nil {
			return err
		}
	}
}
