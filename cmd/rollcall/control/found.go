package control

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/nats-io/nats.go"
	"go.uber.org/zap"
)

// verbFound is not for operators: a worker that has read a list of ongoing
// meetings sends it to the others, and each takes what belongs to its shards.
const verbFound = "found"

// taking bounds how long a worker takes what another has found.
const taking = 30 * time.Second

// mostFound is how many meetings one message holds: with the longest ids it has
// half of what NATS takes.
const mostFound = 1000

// found is what a list says.
type found struct {
	Schema    int      `json:"schema"`
	From      string   `json:"from"` // the service that sends it, which has taken it already
	Source    string   `json:"source"`
	Listed    []string `json:"listed"`
	Gone      []string `json:"gone"`
	Restarted bool     `json:"restarted"`
}

// Found has this worker and all others take what a list says; see
// [Worker]. Nobody answers: a worker that misses it takes it from the next
// reading of the list.
func (s *Service) Found(ctx context.Context, tenant, source string, listed, gone []string, restarted bool) error {
	if err := s.worker.Found(ctx, tenant, source, listed, gone, restarted); err != nil {
		return err
	}
	whole := found{Schema: Schema, From: s.presence.id, Source: source, Listed: listed, Gone: gone, Restarted: restarted}
	for _, part := range whole.parts() {
		data, err := json.Marshal(part)
		if err != nil {
			return fmt.Errorf("tell what was found: %w", err)
		}
		if err := s.conn.Publish(s.names.Shard(tenant, verbFound), data); err != nil {
			return fmt.Errorf("tell what was found: %w", err)
		}
	}
	return nil
}

// Busy asks this worker; see [Worker].
func (s *Service) Busy(tenant string) (tracked int, looks bool) { return s.worker.Busy(tenant) }

// parts cuts what was found to the size of messages. A part of a list says
// nothing about what is not in it.
func (f found) parts() (all []found) {
	cut := func(listed, gone []string, restarted bool) {
		all = append(all, found{f.Schema, f.From, f.Source, listed, gone, restarted})
	}
	if max(len(f.Listed), len(f.Gone)) <= mostFound/2 {
		cut(f.Listed, f.Gone, f.Restarted)
		return all
	}
	for ids := range slices.Chunk(f.Listed, mostFound) {
		cut(ids, nil, false)
	}
	for ids := range slices.Chunk(f.Gone, mostFound) {
		cut(nil, ids, false)
	}
	return all
}

// hear takes what other workers find of a tenant.
func (s *Service) hear(t Tenant) error {
	e := newEndpoint(s, t, verbFound)
	if err := s.subscribe(t.Name, s.names.Shard(t.Name, verbFound), "", e.takeFound); err != nil {
		return fmt.Errorf("tenant %s, %s: %w", t.Name, verbFound, err)
	}
	return nil
}

func (e *endpoint) takeFound(m *nats.Msg) {
	var f found
	s := e.service
	if json.Unmarshal(m.Data, &f) != nil || f.Schema != Schema || f.From == s.presence.id {
		return
	}
	// What is not admitted is sent again with the next reading.
	_ = e.admit(func(ctx context.Context) {
		ctx, cancel := context.WithTimeout(ctx, taking)
		defer cancel()
		if err := s.worker.Found(ctx, e.tenant.Name, f.Source, f.Listed, f.Gone, f.Restarted); err != nil && ctx.Err() == nil {
			s.log.Warn("meetings that another worker found not taken", zap.String("tenant", e.tenant.Name), zap.Error(err))
		}
	})
}
