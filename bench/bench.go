package main

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
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
}

// client is a program under measurement.
type client string

const (
	rollcall client = "rollcall"
	plain    client = "plain"
)

func (d session) String() string {
	return fmt.Sprintf("%s, %s meetings of %d people, sync: %s", d.client, grouped(d.world.Meetings), d.world.People, d.sync)
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
	if err := s.awaitCalm(ctx, b.batch); err != nil {
		return nil, err
	}
	var samples []*sample
	for _, rate := range d.rates {
		m, err := b.sample(ctx, s, rate)
		if err != nil {
			return nil, err
		}
		samples = append(samples, m)
	}
	if err := s.settle(ctx); err != nil {
		return nil, err
	}
	if d.client == rollcall {
		if err := s.judge(ctx, samples); err != nil {
			return nil, fmt.Errorf("what was stored is not what has happened: %w", err)
		}
	}
	if then != nil {
		return samples, then(s)
	}
	return samples, nil
}

// settle lets the client see that nothing more changes, and stops it. What
// it holds it must store first.
func (s *scene) settle(ctx context.Context) error {
	if err := s.begin(ctx, hold); err != nil {
		return err
	}
	if err := s.awaitPasses(ctx, 2); err != nil {
		return err
	}
	return s.client.stop()
}

// start starts the session's client.
func (b *bench) start(s *scene) error {
	if s.session.client == plain {
		return b.startPlain(s)
	}
	return b.startRollcall(s)
}
