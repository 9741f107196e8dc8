package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"rollcall"
	"rollcall/internal/ledger"
	"rollcall/wire"
)

// The bounds of one page of a tail.
const (
	tailPage      = 5000
	tailPageBytes = 8 << 20
)

// Tail reads what was stored of the tenant after a stream sequence. It is cheap
// where that lies near the end: it reads nothing before it.
func (s *JetStream) Tail(ctx context.Context, tenant string, after uint64) (ledger.Tail, error) {
	// No wildcard excludes the status, which has a token less, and none is needed.
	filter, from := s.names.Prefix+".*."+tenant+".>", after+1
	tail := newTail(s.names, tenant)
	least := s.seen.of(tenant)
	err := s.caughtUp(ctx, func() error {
		for whole := false; !whole; {
			answer, err := s.get(ctx, s.names.Stream, getRequest{
				Seq: from, NextFor: filter, Batch: tailPage, MaxBytes: tailPageBytes,
			}, func(m got) {
				tail.add(m.subject, m.data, m.sequence)
				from = m.sequence + 1
			})
			if err != nil {
				return err
			}
			whole = answer.whole
		}
		if from <= least { // the claim is one of the tenant's messages
			return fmt.Errorf("%w: it ends before sequence %d, and %d is stored", errBehind, from, least)
		}
		return nil
	})
	if err != nil {
		return ledger.Tail{}, fmt.Errorf("read what was stored of tenant %s after sequence %d: %w", tenant, after, err)
	}
	return tail.read(), nil
}

// LastEvents reads the last event of each of these meetings; those without one
// are not in the map.
func (s *JetStream) LastEvents(ctx context.Context, tenant string, ids []string) (map[string]ledger.Last, error) {
	tail := newTail(s.names, tenant)
	if err := s.lastEvents(ctx, tenant, ids, tail); err != nil {
		return nil, fmt.Errorf("read the last events of %d meetings of tenant %s: %w", len(ids), tenant, err)
	}
	return tail.read().Events, nil
}

// lastEvents asks about fewer meetings at a time where these have too many events.
func (s *JetStream) lastEvents(ctx context.Context, tenant string, ids []string, tail *tail) error {
	for part := range slices.Chunk(ids, maxGetSubjects/4) {
		filters := make([]string, len(part))
		for i, id := range part {
			filters[i] = tail.prefix + wire.Token(id) + ".>"
		}
		found := make(map[string]got)
		whole, err := s.getSure(ctx, s.names.Stream, filters, found)
		if half := len(part) / 2; half > 0 && (errors.Is(err, errTooMany) || err == nil && !whole) {
			if err = s.lastEvents(ctx, tenant, part[:half], tail); err == nil {
				err = s.lastEvents(ctx, tenant, part[half:], tail)
			}
		} else if err == nil && !whole {
			err = errors.New("the answer is too large")
		}
		if err != nil {
			return err
		}
		for _, m := range found {
			tail.add(m.subject, m.data, m.sequence)
		}
	}
	return nil
}

// tail gathers the last message of each kind, by meeting.
type tail struct {
	prefix                  string // of the subjects of events
	events, states, tracked map[string]got
	stateAt, trackedAt      string // the prefixes of the others
	last                    uint64 // sequence of all
}

func newTail(n wire.Names, tenant string) *tail {
	return &tail{
		prefix: n.Prefix + ".event." + tenant + ".", stateAt: n.State(tenant, ""), trackedAt: n.Tracked(tenant, ""),
		events: map[string]got{}, states: map[string]got{}, tracked: map[string]got{},
	}
}

func (t *tail) add(subject string, data []byte, sequence uint64) {
	t.last = max(t.last, sequence)
	kind, token := t.events, ""
	if rest, ok := strings.CutPrefix(subject, t.prefix); ok {
		token, _, _ = strings.Cut(rest, ".")
	} else if rest, ok := strings.CutPrefix(subject, t.stateAt); ok {
		kind, token = t.states, rest
	} else if rest, ok := strings.CutPrefix(subject, t.trackedAt); ok {
		kind, token = t.tracked, rest
	} else {
		return
	}
	if id := conferenceID(token); kind[id].sequence < sequence {
		kind[id] = got{subject: subject, sequence: sequence, data: data}
	}
}

func (t *tail) read() ledger.Tail {
	out := ledger.Tail{
		Events: make(map[string]ledger.Last, len(t.events)), Records: make(map[string]ledger.Stored, len(t.states)),
		Tracked: make(map[string]ledger.Tracking, len(t.tracked)),
		Last:    t.last,
	}
	for id, m := range t.events {
		out.Events[id] = lastEvent(m.data, m.sequence)
	}
	for id, m := range t.states {
		out.Records[id] = storedRecord(id, m.data, m.sequence)
	}
	for id, m := range t.tracked {
		out.Tracked[id] = storedTracking(m.subject, m.data, m.sequence)
	}
	return out
}

// lastEvent gives where an event stands in its meeting. One that cannot be read
// stands nowhere, but it is there.
func lastEvent(data []byte, sequence uint64) ledger.Last {
	e, err := wire.DecodeEvent(data)
	if err != nil {
		return ledger.Last{Revision: sequence}
	}
	return ledger.Last{Epoch: e.Epoch, Sequence: e.Sequence, Revision: sequence, Untracked: e.Type == rollcall.MeetingUntracked}
}

// Tail reads as [JetStream.Tail] does.
func (m *Memory) Tail(ctx context.Context, tenant string, after uint64) (found ledger.Tail, err error) {
	err = m.do(ctx, "tail", func() error {
		tail := newTail(m.names, tenant)
		for _, indexes := range m.stored {
			for _, i := range indexes {
				if msg := &m.log[i]; msg.Sequence > after && !m.expired(msg, time.Now()) {
					tail.add(msg.Subject, msg.Data, msg.Sequence)
				}
			}
		}
		found = tail.read()
		return nil
	})
	return found, err
}

// LastEvents reads as [JetStream.LastEvents] does.
func (m *Memory) LastEvents(ctx context.Context, tenant string, ids []string) (found map[string]ledger.Last, err error) {
	err = m.do(ctx, "last_events", func() error {
		tail := newTail(m.names, tenant)
		for _, id := range ids {
			for _, msg := range m.below(tail.prefix + wire.Token(id) + ".") {
				tail.add(msg.Subject, msg.Data, msg.Sequence)
			}
		}
		found = tail.read().Events
		return nil
	})
	return found, err
}

// Position tells as [JetStream.Position] does.
func (m *Memory) Position(ctx context.Context) (at ledger.Position, err error) {
	err = m.do(ctx, "position", func() error {
		at = ledger.Position{Stream: m.names.Stream, Created: m.created, Last: uint64(len(m.log))}
		return nil
	})
	return at, err
}

// Renew does nothing: a ledger in memory is there.
func (m *Memory) Renew(ctx context.Context) error {
	return m.do(ctx, "renew", func() error { return nil })
}
