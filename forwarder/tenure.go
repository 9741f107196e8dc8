package forwarder

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"

	"rollcall/internal/wait"
)

// lease is for how long a lane stays with a process that does not write; it does
// so three times as often.
const lease = 15 * time.Second

// errLost says that another process works the lane.
var errLost = errors.New("another process has taken the lane over")

// tenure is the place of a lane and the lease on it: one value in the ledger, which
// only the process that holds the lane writes.
type tenure struct {
	places Ledger
	source Source
	id     string    // of this process
	slot   string    // the key of the place
	since  time.Time // where a lane begins that is new
	log    *zap.Logger

	place    place
	revision uint64
	written  time.Time // when the place was last written
}

// acquire waits until nobody works the lane, and takes it.
func (t *tenure) acquire(ctx context.Context) error {
	seen, since := uint64(0), time.Now()
	for {
		data, revision, err := t.places.Read(ctx, t.slot)
		if err != nil {
			return fmt.Errorf("read the place of the route: %w", err)
		}
		t.place, t.revision = place{}, revision
		if data != nil {
			if err := json.Unmarshal(data, &t.place); err != nil {
				return fmt.Errorf("read the place of the route in key %s: %w", t.slot, err)
			}
			if t.place.Schema > 1 {
				return fmt.Errorf("the place of the route in key %s is of a newer version: update this program", t.slot)
			}
		}
		if revision != seen {
			seen, since = revision, time.Now()
		}
		if t.place.Holder == "" || t.place.Holder == t.id || time.Since(since) > lease {
			return t.take(ctx)
		}
		if !wait.For(ctx, lease/5) {
			return ctx.Err()
		}
	}
}

// take writes this process into the place, which says where to begin if it is new.
func (t *tenure) take(ctx context.Context) error {
	head, err := t.source.Head(ctx)
	if err != nil {
		return err
	}
	p := &t.place
	switch {
	case t.revision == 0 || p.Schema == 0:
		p.Stream, p.Since = head.Created, t.since
		if t.since.IsZero() {
			p.Floor = head.Last
		}
	case !p.Stream.Equal(head.Created): // made anew: all of it is new
		p.anew(head.Created)
	case p.Floor > head.Last: // restored from a backup: what it lost was told
		p.Floor, p.Groups = head.Last, nil
	}
	p.Schema, p.Holder = 1, t.id
	if p.Flight != nil { // somebody has died over it
		p.Flight.Unsure = true
		p.Lane.Repeated++
	}
	return t.save(ctx)
}

// anew forgets what is about a stream that is gone.
func (p *place) anew(created time.Time) {
	p.Stream, p.Floor, p.Since, p.Groups, p.Retries = created, 0, time.Time{}, nil, nil
}

// save writes the place. Where it cannot be known whether it was written the
// place is read: only who holds the lane writes it.
func (t *tenure) save(ctx context.Context) error {
	t.place.Beat++
	t.place.Seen = time.Now()
	data, err := json.Marshal(t.place)
	if err != nil {
		return fmt.Errorf("write the place of the route: %w", err)
	}
	revision, err := t.places.Write(ctx, t.slot, data, t.revision)
	if err != nil {
		revision, err = t.settleWrite(ctx, err)
	}
	if err != nil {
		return err
	}
	t.revision, t.written = revision, time.Now()
	return nil
}

// settleWrite finds out whether a write that failed was stored.
func (t *tenure) settleWrite(ctx context.Context, failed error) (uint64, error) {
	data, revision, err := t.places.Read(ctx, t.slot)
	if err != nil {
		return 0, fmt.Errorf("write the place of the route: %w", failed)
	}
	var stored place
	if err := json.Unmarshal(data, &stored); err != nil && data != nil {
		return 0, fmt.Errorf("read the place of the route: %w", err)
	}
	switch {
	case stored.Holder == t.id && stored.Beat == t.place.Beat:
		return revision, nil
	case stored.Holder != t.id && stored.Holder != "":
		return 0, errLost
	}
	return 0, fmt.Errorf("write the place of the route: %w", failed)
}

// release lets the next process take the lane at once.
func (t *tenure) release(ctx context.Context) {
	if t.place.Holder != t.id || t.revision == 0 {
		return
	}
	ctx, done := outlive(ctx)
	defer done()
	t.place.Holder = ""
	if err := t.save(ctx); err != nil && !errors.Is(err, errLost) {
		t.log.Warn("route not released; another process takes it over after the lease", zap.Error(err))
	}
}
