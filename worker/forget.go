package worker

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"rollcall"
	"rollcall/differ"
	"rollcall/internal/ledger"
	"rollcall/wire"
)

// ErrNoUser: nobody can have that id.
var ErrNoUser = errors.New("the id of a user has 1 to 256 bytes")

// Privacy has a worker forget people.
type Privacy struct{ worker *Worker }

// PrivacyOf returns the worker's; its configuration needs an [Eraser].
func PrivacyOf(w *Worker) Privacy { return Privacy{w} }

// Trace is what the ledger holds of somebody in one meeting.
type Trace struct {
	ConferenceID string
	Events       int  // about the person, or with the person in them
	Recorded     bool // the record shows the person
}

// suspect is somebody of whom the ledger is to be rid of.
type suspect struct {
	tenant string
	keys   []string // under which the person can be known
	words  [][]byte // the same as a person's key stands in JSON
}

func newSuspect(w *Worker, tenant, userID string) (s suspect, err error) {
	if userID == "" || len(userID) > rollcall.MaxID {
		return s, ErrNoUser
	}
	for _, t := range w.all() {
		if t.cfg.Name != tenant {
			continue
		}
		s.tenant, s.keys = tenant, []string{differ.KeyOf(userID)}
		if t.cfg.Pseudonyms != nil {
			s.keys = append(s.keys, t.cfg.Pseudonyms.Of(userID))
		}
		for _, key := range s.keys {
			s.words = append(s.words, wire.AppendString([]byte(`"key":`), key))
		}
		return s, nil
	}
	return s, fmt.Errorf("%w: %s", ErrNoTenant, tenant)
}

// in returns the keys of the person that an event holds: one about the person, or one
// of the meeting that lists people.
func (s *suspect) in(event ledger.Raw) (keys []string) {
	for i, word := range s.words {
		if !bytes.Contains(event.Data, word) {
			continue
		}
		e, known, err := wire.ParseEvent(event.Data)
		if err != nil || !known || e.Participant == nil || e.Participant.Key == s.keys[i] {
			keys = append(keys, s.keys[i])
		}
	}
	return keys
}

// shown returns the keys of the person that a record shows.
func (s *suspect) shown(r *rollcall.Record) (keys []string) {
	if r == nil {
		return nil
	}
	for _, key := range s.keys {
		if slices.ContainsFunc(r.Roster, func(p rollcall.Participant) bool { return p.Key == key }) ||
			slices.ContainsFunc(r.Memory, func(m rollcall.Memory) bool { return m.Participant.Key == key }) {
			keys = append(keys, key)
		}
	}
	return keys
}

// Traces returns where the ledger holds anything of the user, by meeting. It changes
// nothing.
func (p Privacy) Traces(ctx context.Context, tenant, userID string) ([]Trace, error) {
	who, err := newSuspect(p.worker, tenant, userID)
	if err != nil {
		return nil, err
	}
	found := map[string]*Trace{}
	at := func(id string) *Trace {
		if found[id] == nil {
			found[id] = &Trace{ConferenceID: id}
		}
		return found[id]
	}
	err = p.worker.cfg.Eraser.Events(ctx, tenant, "", func(m ledger.Raw) {
		if len(who.in(m)) > 0 {
			at(ledger.MeetingOfEvent(m.Subject)).Events++
		}
	})
	if err != nil {
		return nil, fmt.Errorf("look for traces of a user: %w", err)
	}
	records, err := p.worker.cfg.Ledger.LoadAll(ctx, tenant)
	if err != nil {
		return nil, fmt.Errorf("look for traces of a user: %w", err)
	}
	for _, r := range records {
		if len(who.shown(r.Record)) > 0 {
			at(r.ConferenceID).Recorded = true
		}
	}
	traces := make([]Trace, 0, len(found))
	for _, t := range found {
		traces = append(traces, *t)
	}
	slices.SortFunc(traces, func(a, b Trace) int { return bytes.Compare([]byte(a.ConferenceID), []byte(b.ConferenceID)) })
	return traces, nil
}

// Forget takes what tells who a user is out of a meeting's record, publishes that, and
// erases the events about the user. What was done before stays done: it may be called
// again after any error, and then does the rest. It returns what it found.
func (p Privacy) Forget(ctx context.Context, tenant, conferenceID, userID string) (Trace, error) {
	who, err := newSuspect(p.worker, tenant, userID)
	if err != nil {
		return Trace{}, err
	}
	s, err := p.worker.shardOf(tenant, conferenceID)
	if err != nil {
		return Trace{}, err
	}
	trace := Trace{ConferenceID: conferenceID}
	events, err := run(ctx, s, func(ctx context.Context) ([]uint64, error) {
		return s.forget(ctx, conferenceID, &who, &trace)
	})
	for i := 0; i < len(events) && err == nil; i++ {
		err = p.worker.cfg.Eraser.Erase(ctx, events[i])
	}
	if err != nil {
		return Trace{}, fmt.Errorf("forget a user in meeting %q: %w", conferenceID, err)
	}
	return trace, nil
}

// OverwriteFiles overwrites what NATS has deleted in its files, where these can be reached.
func (p Privacy) OverwriteFiles(ctx context.Context) (messages int, reached bool, err error) {
	if p.worker.cfg.Overwrite == nil {
		return 0, false, nil
	}
	messages, err = p.worker.cfg.Overwrite(ctx)
	return messages, true, err
}

// forget has the record go on without the person, and returns the events to erase.
func (s *shard) forget(ctx context.Context, id string, who *suspect, trace *Trace) (events []uint64, err error) {
	l := s.own.held()
	if l == nil {
		return nil, ErrNotHeld
	}
	s.tracker.catchUp(ctx)
	if s.meetings.entries[id] == nil { // the shard does not look after the meeting, and need not know it
		defer s.meetings.drop(id)
	}
	if err := s.trust.load(ctx, slices.Values([]string{id})); err != nil {
		return nil, err
	}
	e := s.meetings.entries[id]
	keys := who.shown(e.record.Whole())
	trace.Recorded = len(keys) > 0
	err = s.cfg.Eraser.Events(ctx, s.tenant.Name, id, func(m ledger.Raw) {
		if found := who.in(m); len(found) > 0 {
			events, keys = append(events, m.Sequence), append(keys, found...)
		}
	})
	if err != nil {
		return nil, err
	}
	trace.Events = len(events)
	slices.Sort(keys)
	for _, key := range slices.Compact(keys) {
		if err := s.forgetKey(ctx, l, id, key); err != nil {
			return nil, err
		}
	}
	return events, s.own.stillOurs(ctx)
}

// forgetKey commits the record without the person of a key, and the event that says so,
// as far as the meeting is recorded.
func (s *shard) forgetKey(ctx context.Context, l *lease, id, key string) error {
	now := time.Now().UTC()
	s.commits.process(ctx, &rollcall.Observation{
		Tenant: s.tenant.Name, Shard: s.number, Number: l.next(), AskedAt: now, AnsweredAt: now,
		Sightings: []rollcall.Sighting{{ConferenceID: id, Kind: rollcall.SightingForgotten, Forgotten: key}},
	})
	if ctx.Err() != nil {
		return ctx.Err()
	}
	e := s.meetings.entries[id]
	done := e.record.None() || slices.Contains(e.record.Erased(), rollcall.Forgotten(s.tenant.Name, id, key))
	switch {
	case done:
		return nil
	case e.refused.err != nil:
		return e.refused.err
	}
	return errOverlap
}
