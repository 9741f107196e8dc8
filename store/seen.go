package store

import (
	"sync"
)

// seen is what a ledger knows to be stored, because it stored it: whatever it
// reads afterwards must include that. A replica that lags is asked again.
type seen struct {
	mu       sync.Mutex
	subject  string // of a claim, which is there for good
	sequence uint64
	reached  uint64            // of whatever was stored last
	claims   map[string]uint64 // by tenant: the last one
}

// Reached records the stream sequence of a message that was committed.
func (s *JetStream) Reached(sequence uint64) {
	s.read.seen.mu.Lock()
	defer s.read.seen.mu.Unlock()
	s.read.seen.reached = max(s.read.seen.reached, sequence)
}

func (s *seen) note(tenant, subject string, sequence uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.claims == nil {
		s.claims = make(map[string]uint64)
	}
	s.claims[tenant] = max(s.claims[tenant], sequence)
	if sequence > s.sequence {
		s.subject, s.sequence = subject, sequence
	}
}

func (s *seen) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.subject, s.sequence, s.reached, s.claims = "", 0, 0, nil
}

// of is the last claim of a tenant.
func (s *seen) of(tenant string) uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.claims[tenant]
}

func (s *seen) last() (subject string, sequence uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.subject, s.sequence
}

// anchor returns a message that is there, and how far a replica must have come.
func (s *seen) anchor() (subject string, least uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.subject == "" {
		return "", 0
	}
	return s.subject, max(s.sequence, s.reached)
}
