package simulator

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"
)

// Simulator is a world and DingTalk's API to it. Its methods may be called
// from many goroutines. It owns no goroutine, so there is nothing to close.
type Simulator struct {
	cfg   Config
	ids   []string
	mu    sync.Mutex // guards what follows
	world *world
	auth  *auth
	armed *faultSet
	push  *pushes
	serve journal[Served]
	runs  int
}

// New makes a world that begins now. Impossible settings are an error.
func New(cfg Config) (*Simulator, error) {
	cfg, err := cfg.complete()
	if err != nil {
		return nil, fmt.Errorf("make simulator: %w", err)
	}
	s := &Simulator{
		cfg: cfg, world: newWorld(cfg), auth: newAuth(cfg), armed: newFaultSet(cfg),
		serve: journal[Served]{keep: cfg.Keep},
	}
	s.push = newPushes(cfg, s.armed, &s.mu)
	s.world.told = s.push.tell
	for ordinal := range cfg.Meetings {
		s.ids = append(s.ids, cfg.conferenceID(ordinal))
	}
	return s, nil
}

// ConferenceIDs returns the ids of the meetings that are there at the start.
// They depend on the seed, Meetings and Hostile alone.
func (s *Simulator) ConferenceIDs() []string { return slices.Clone(s.ids) }

// Run lets the world follow the clock until ctx is over, then returns nil.
// While it runs, whatever is asked of the simulator is asked of the world at
// that very instant. [Config] Now must keep pace with time.Now.
func (s *Simulator) Run(ctx context.Context) error {
	s.setLive(1)
	defer s.setLive(-1)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-timer.C:
			timer.Reset(s.keepUp())
		}
	}
}

func (s *Simulator) setLive(by int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.world.follow()
	s.runs += by
	s.world.live = s.runs > 0
	s.world.follow()
}

// keepUp brings the world up to now and says how long it may be left alone.
// Requests bring it up to now themselves, so the rest need not be short.
func (s *Simulator) keepUp() time.Duration {
	const shortest, longest = 10 * time.Millisecond, time.Minute
	s.mu.Lock()
	defer s.mu.Unlock()
	s.world.follow()
	next, _ := s.world.upcoming()
	if next.IsZero() {
		return longest
	}
	return min(max(next.Sub(s.world.at), shortest), longest)
}

// StepTo lets everything happen until an instant, without a clock, and returns
// the facts of it. An instant in the past does nothing.
func (s *Simulator) StepTo(to time.Time) []Fact {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := s.world.facts.last()
	s.world.advance(to)
	return slices.Clone(s.world.facts.since(before))
}

// StepFacts lets the world go on until at least n more facts have happened,
// and returns them. There are fewer only if nothing more happens on its own.
// One thing may make several facts at one instant, which stay together.
func (s *Simulator) StepFacts(n int) []Fact {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := s.world.facts.last()
	for s.world.facts.last() < before+uint64(max(n, 0)) {
		next, _ := s.world.upcoming()
		if next.IsZero() {
			break
		}
		s.world.advance(next)
	}
	return slices.Clone(s.world.facts.since(before))
}

// Now is the instant up to which everything has happened.
func (s *Simulator) Now() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.world.follow()
	return s.world.at
}

// Happened lists what happened, in order: all of it, or with [Config] Keep at
// least the last so many facts. What a world begins with are facts as well.
func (s *Simulator) Happened() []Fact { return s.HappenedSince(0) }

// HappenedSince lists the remembered facts with a number greater than n.
func (s *Simulator) HappenedSince(n uint64) []Fact {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.world.follow()
	return slices.Clone(s.world.facts.since(n))
}

// Served lists the answers that were given, in order: all of them, or with
// [Config] Keep at least the last so many.
func (s *Simulator) Served() []Served { return s.ServedSince(0) }

// ServedSince lists the remembered answers with a number greater than n.
func (s *Simulator) ServedSince(n uint64) []Served {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.serve.since(n))
}

// RevokeTokens makes every token that was given out invalid.
func (s *Simulator) RevokeTokens() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.auth.revoke()
}
