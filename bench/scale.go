package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// scale measures how cost and memory grow with the number of meetings, over
// many organizations, and how long a start with their records takes.
func (b *bench) scale(ctx context.Context) error {
	if err := b.measureEmpty(ctx); err != nil {
		return err
	}
	var sessions []session
	for _, n := range []int{1_000, 10_000, 100_000} {
		sessions = append(sessions, session{
			client: rollcall, world: world{Meetings: n, People: 10}, tenants: 50, rates: []float64{hold, 1}, sync: "interval",
		})
	}
	rs, starts := newRows(sessions), make(map[int]*start)
	for run := range min(b.runs, 3) {
		for _, d := range sessions {
			b.say("run %d: %s, %d tenants", run+1, d, d.tenants)
			samples, err := b.play(ctx, d, func(s *scene) error { return b.restart(ctx, s, starts) })
			if err != nil {
				return fmt.Errorf("%s: %w", d, err)
			}
			rs.add(d, samples)
		}
	}
	b.say("done")
	b.printRows(rs)
	b.printStarts(sessions, starts)
	return nil
}

// start is how long starts took, in seconds.
type start struct {
	ready  []float64 // until /readyz says so
	loaded []float64 // until it says that it holds every meeting, whose records it has read
	asked  []float64 // until every meeting of every tenant was asked about
}

// restart starts the worker on what a session has stored.
func (b *bench) restart(ctx context.Context, s *scene, starts map[int]*start) error {
	if err := s.begin(ctx, hold); err != nil {
		return err
	}
	began := time.Now()
	if err := b.startRollcall(s); err != nil {
		return err
	}
	if err := s.awaitReady(ctx); err != nil {
		return err
	}
	ready := time.Since(began)
	if err := s.awaitLoaded(ctx); err != nil {
		return err
	}
	loaded := time.Since(began)
	if err := s.awaitPasses(ctx, 1); err != nil {
		return err
	}
	n := s.world.Meetings
	if starts[n] == nil {
		starts[n] = &start{}
	}
	starts[n].ready = append(starts[n].ready, ready.Seconds())
	starts[n].loaded = append(starts[n].loaded, loaded.Seconds())
	starts[n].asked = append(starts[n].asked, time.Since(began).Seconds())
	return nil
}

// awaitLoaded waits until the worker reports to the others that it holds all.
func (s *scene) awaitLoaded(ctx context.Context) error {
	return s.jetStream(func(js jetstream.JetStream) error {
		workers, err := js.KeyValue(ctx, "MEETINGS_WORKERS")
		if err != nil {
			return fmt.Errorf("look up the workers: %w", err)
		}
		for held := 0; held < s.world.Meetings; {
			if err := pause(ctx, 50*time.Millisecond); err != nil {
				return err
			}
			if held, err = holds(ctx, workers); err != nil {
				return err
			}
		}
		return nil
	})
}

// holds is how many meetings the workers hold in all.
func holds(ctx context.Context, workers jetstream.KeyValue) (n int, err error) {
	list, err := workers.ListKeys(ctx)
	if err != nil {
		return 0, fmt.Errorf("list the workers: %w", err)
	}
	for key := range list.Keys() {
		entry, err := workers.Get(ctx, key)
		if errors.Is(err, jetstream.ErrKeyNotFound) {
			continue // it has gone meanwhile
		}
		if err != nil {
			return 0, fmt.Errorf("look up worker %s: %w", key, err)
		}
		var said struct {
			Shards []struct {
				Tracked int `json:"tracked"`
			} `json:"shards"`
		}
		if err := json.Unmarshal(entry.Value(), &said); err != nil {
			return 0, fmt.Errorf("read what worker %s says: %w", key, err)
		}
		for _, shard := range said.Shards {
			n += shard.Tracked
		}
	}
	return n, nil
}

// awaitReady waits until the worker says that it is ready.
func (s *scene) awaitReady(ctx context.Context) error {
	for ctx.Err() == nil {
		body, err := get(ctx, s.console+"/readyz")
		if err == nil {
			_, _ = io.Copy(io.Discard, body)
			return body.Close()
		}
		select {
		case <-s.client.done:
			return fmt.Errorf("start the worker: it has ended: %s", s.client.said)
		default:
		}
		if err := pause(ctx, 20*time.Millisecond); err != nil {
			return fmt.Errorf("start the worker: %w", err)
		}
	}
	return ctx.Err()
}

func (b *bench) printStarts(sessions []session, starts map[int]*start) {
	fmt.Fprint(b.out, "\nThe start with stored records, in seconds: until it is ready, until it holds all, and until everything was asked about\n\n")
	for _, d := range sessions {
		s := starts[d.world.Meetings]
		format := "%8s  %s  %s  %s\n"
		if b.markdown {
			format = "| %s | %s | %s | %s |\n"
		}
		fmt.Fprintf(b.out, format, grouped(d.world.Meetings), spread("%.1f", s.ready), spread("%.1f", s.loaded), spread("%.1f", s.asked))
	}
}
