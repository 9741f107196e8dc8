package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"time"
)

// bench is what is measured with.
type bench struct {
	*options
	dir       string // everything is below it
	began     time.Time
	empty     float64 // bytes of live heap in a worker that tracks next to nothing
	worker    string  // the built programs
	plainFile string
}

// say prints how far the bench has come.
func (b *bench) say(format string, args ...any) {
	fmt.Fprintf(b.progress, "%5.0fs  %s\n", time.Since(b.began).Seconds(), fmt.Sprintf(format, args...))
}

func (b *bench) build() error {
	b.say("build")
	b.worker, b.plainFile = filepath.Join(b.dir, "rollcall"), filepath.Join(b.dir, "plain")
	for pkg, file := range map[string]string{"./cmd/rollcall": b.worker, "./bench/plain": b.plainFile} {
		if out, err := exec.Command("go", "build", "-o", file, pkg).CombinedOutput(); err != nil {
			return fmt.Errorf("build %s: %w\n%s", pkg, err, out)
		}
	}
	return nil
}

// session is one start of the worker or the plain script, and what is measured
// of it, rate by rate.
type session struct {
	client  client
	world   world
	tenants int
	rates   []float64
	sync    string
	// schedule is the worker's; "": one poll follows the other.
	schedule string

	name      string        // of the situation; "": none is told apart
	qps       int           // of each tenant; 0: as many as Rollcall allows
	roundTrip time.Duration // to DingTalk
	tls       bool          // DingTalk is asked over TLS
	embedded  bool          // the worker brings the broker
	servers   int           // of the broker, over which the stream is replicated; 0: one
	workers   int           // that share the tenants; 0: one
	stale     time.Duration // somebody else writes a record again so often; 0: nobody does
}

// client is a program under measurement.
type client string

const (
	rollcall   client = "rollcall"
	plain      client = "plain"
	bytesFirst client = "plain, bytes first" // the script, which decodes what has changed alone
)

func (d session) String() string {
	text := fmt.Sprintf("%s, %s meetings of %d people, sync: %s", d.client, grouped(d.world.Meetings), d.world.People, d.sync)
	if d.name != "" {
		text = d.name + ": " + text
	}
	return text
}

// play measures a session and holds what was stored against the truth. The
// scene is handed to then, with the client stopped, before it is taken down.
func (b *bench) play(ctx context.Context, d session, then func(*scene) error) ([]*sample, error) {
	s, err := b.open(d)
	if err != nil {
		return nil, err
	}
	defer s.close()
	if err := b.start(s); err != nil {
		return nil, err
	}
	if err := s.awaitCalm(ctx); err != nil {
		return nil, err
	}
	samples, err := b.samples(ctx, s)
	if err != nil {
		return nil, err
	}
	if err := s.settle(ctx, samples); err != nil {
		return nil, err
	}
	if then != nil {
		return samples, then(s)
	}
	return samples, nil
}

func (b *bench) samples(ctx context.Context, s *scene) (all []*sample, err error) {
	if s.stale > 0 {
		end, fault := s.meddle(ctx)
		if fault != nil {
			return nil, fmt.Errorf("store records again: %w", fault)
		}
		defer func() { err = errors.Join(err, end()) }()
	}
	for _, rate := range s.rates {
		m, err := b.sample(ctx, s, rate)
		if err != nil {
			return nil, err
		}
		all = append(all, m)
	}
	return all, nil
}

// settle lets the client see that nothing more changes, stops it, which must store
// first what it holds, and judges what was stored. A worker that brings the broker
// is judged before.
func (s *scene) settle(ctx context.Context, samples []*sample) error {
	if err := s.begin(ctx, hold); err != nil {
		return err
	}
	if err := s.awaitCalm(ctx); err != nil {
		return err
	}
	steps := []func() error{s.stopClients, func() error { return s.judge(ctx, samples) }}
	switch {
	case s.session.client != rollcall:
		steps = steps[:1] // its losses are its own
	case s.embedded:
		slices.Reverse(steps)
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// start starts the session's client.
func (b *bench) start(s *scene) error {
	if s.session.client != rollcall {
		return b.startPlain(s)
	}
	return b.startRollcall(s)
}
