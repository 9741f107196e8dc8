package forwarder

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"rollcall"
	"rollcall/consume"
	"rollcall/wire"
)

// memory is a ledger and a source in memory, which many forwarders share.
type memory struct {
	t testing.TB

	mu          sync.Mutex
	values      map[string]value
	revision    uint64
	undelivered map[string]Undelivered
	created     time.Time
	stored      []consume.Stored
	more        chan struct{}              // closed when something is stored
	next        map[string]*rollcall.Event // of each meeting
	of          map[string][][]byte        // the events of each meeting
	broken      func(what string) error    // asked before and after each write
	unread      func() error               // asked when an event is read again
}

type value struct {
	data     []byte
	revision uint64
}

func newMemory(t testing.TB) *memory {
	return &memory{
		t: t, values: map[string]value{}, undelivered: map[string]Undelivered{}, created: time.Now(),
		more: make(chan struct{}), next: map[string]*rollcall.Event{}, of: map[string][][]byte{}, broken: func(string) error { return nil },
		unread: func() error { return nil },
	}
}

func (m *memory) Read(_ context.Context, key string) ([]byte, uint64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	v := m.values[key]
	return v.data, v.revision, nil
}

func (m *memory) Write(ctx context.Context, key string, data []byte, revision uint64) (uint64, error) {
	if err := errors.Join(ctx.Err(), m.broken("before "+key)); err != nil {
		return 0, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.values[key].revision != revision {
		return 0, fmt.Errorf("write %s: %w", key, ErrStale)
	}
	m.revision++
	m.values[key] = value{data, m.revision}
	return m.revision, m.broken("after " + key)
}

func (m *memory) Undelivered(_ context.Context, u Undelivered) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.undelivered[u.ID] = u
	return nil
}

func (m *memory) Head(context.Context) (Head, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return Head{m.created, uint64(len(m.stored))}, nil
}

func (m *memory) Follow(ctx context.Context, f consume.Feed, each func(consume.Stored) error) error {
	for next, behind := max(f.From, 1), true; ; {
		m.mu.Lock()
		ready, more := m.stored[min(int(next)-1, len(m.stored)):], m.more
		m.mu.Unlock()
		for _, s := range ready {
			if next++; s.At.Before(f.Since) {
				continue
			}
			if err := each(s); err != nil {
				return err
			}
		}
		if behind {
			behind = false
			f.CaughtUp()
		}
		select {
		case <-more:
		case <-ctx.Done():
			return nil
		}
	}
}

func (m *memory) Get(_ context.Context, sequence uint64) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.unread(); err != nil {
		return nil, err
	}
	return m.stored[sequence-1].Data, nil
}

func (m *memory) Visits(_ context.Context, ended consume.Event) ([]consume.Visit, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var a consume.Attendance
	for _, data := range m.of[ended.ConferenceID][:ended.Sequence] {
		if e, err := consume.Parse(data); err == nil {
			_, _ = a.Apply(e)
		}
	}
	return a.Visits(ended.Time), nil
}

// happen stores what happens in a meeting now, as one poll sees it.
func (m *memory) happen(meeting string, types ...rollcall.Type) {
	for i, t := range types {
		m.event(meeting, t, "mei", i+1, len(types), rollcall.ProvenanceObserved)
	}
}

// event stores one event.
func (m *memory) event(meeting string, t rollcall.Type, person string, index, count int, p rollcall.Provenance) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now().UTC().Truncate(time.Millisecond)
	e := m.next[meeting]
	if e == nil {
		e = &rollcall.Event{Tenant: "acme", ConferenceID: meeting, Epoch: 1, Meeting: rollcall.Conference{Title: "Meeting " + meeting, Status: rollcall.StatusStarted}}
		m.next[meeting] = e
	}
	e.Sequence++
	e.Type, e.Index, e.Count, e.Provenance, e.Reason, e.Participant = t, index, count, p, rollcall.ReasonNone, nil
	e.Time, e.Window = now, rollcall.Window{After: now.Add(-15 * time.Second), Before: now}
	if reasons := rollcall.Reasons(t); reasons[0] != rollcall.ReasonNone {
		e.Reason = reasons[0]
	}
	if t.Entity() == "participant" {
		e.Participant = &rollcall.Participant{
			Key: person, UserID: person, Nick: "N " + person, Attendance: rollcall.AttendancePresent, Mic: rollcall.DeviceClosed, Camera: rollcall.DeviceClosed, Session: 1,
		}
	}
	data := wire.AppendEvent(nil, e)
	m.of[meeting] = append(m.of[meeting], data)
	m.put(data)
}

func (m *memory) put(data []byte) {
	m.stored = append(m.stored, consume.Stored{Data: data, Sequence: uint64(len(m.stored)) + 1, At: time.Now(), Stream: m.created})
	close(m.more)
	m.more = make(chan struct{})
}

// place is what a lane remembers.
func (m *memory) place(key string) (p place) {
	data, _, _ := m.Read(context.Background(), key)
	if err := json.Unmarshal(data, &p); err != nil {
		m.t.Errorf("the place of %s: %v", key, err)
	}
	return p
}
