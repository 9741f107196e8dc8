package store

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"rollcall/internal/ledger"
)

// loadAtOnce is how many meetings are asked about with one request.
const loadAtOnce = 100

// Load reads the records of these meetings and their entries in the tracked
// set, many with one request. A record and its entry are read at one moment: that
// one is there without the other is how they are stored. A meeting with neither
// stored is not in the map; one whose record cannot be read is there with the
// error.
func (s *JetStream) Load(ctx context.Context, tenant string, ids []string) (map[string]ledger.Stored, error) {
	records := make(map[string]ledger.Stored, len(ids))
	for part := range slices.Chunk(ids, loadAtOnce) {
		if err := s.loadInto(ctx, tenant, part, records); err != nil {
			return nil, fmt.Errorf("load records of tenant %s: %w", tenant, err)
		}
	}
	return records, nil
}

// loadInto reads fewer meetings at a time where the server does not answer for
// all of them at once: what it leaves out belongs to another moment.
func (s *JetStream) loadInto(ctx context.Context, tenant string, ids []string, records map[string]ledger.Stored) error {
	var subjects []string
	for _, id := range ids {
		if name := s.names.State(tenant, id); id != "" && !slices.Contains(subjects, name) {
			subjects = append(subjects, name, s.names.Tracked(tenant, id))
		}
	}
	if len(subjects) == 0 {
		return nil
	}
	found := make(map[string]got, len(subjects))
	whole, err := s.read.getSure(ctx, s.names.Stream, subjects, found)
	switch half := len(ids) / 2; {
	case err != nil:
		return err
	case !whole && half > 0:
		if err = s.loadInto(ctx, tenant, ids[:half], records); err == nil {
			err = s.loadInto(ctx, tenant, ids[half:], records)
		}
		return err
	case !whole:
		return fmt.Errorf("the record of meeting %.300q is too large for an answer", ids[0])
	}
	for _, id := range ids {
		state, entry := found[s.names.State(tenant, id)], found[s.names.Tracked(tenant, id)]
		if stored := ledger.ReadMeeting(id, state.raw(), entry.raw()); stored.ConferenceID != "" {
			records[id] = stored
		}
	}
	return nil
}

func (m got) raw() ledger.Raw {
	return ledger.Raw{Subject: m.subject, Sequence: m.sequence, Data: m.data}
}

// LoadAll reads all records of the tenant, in no order.
func (s *JetStream) LoadAll(ctx context.Context, tenant string) (records []ledger.Stored, err error) {
	var mu sync.Mutex
	err = s.read.readAll(ctx, every(s.names.State(tenant, "")), func(m got) {
		stored := ledger.ReadRecord(ledger.MeetingOf(m.subject), m.raw())
		mu.Lock()
		defer mu.Unlock()
		records = append(records, stored)
	})
	if err != nil {
		return nil, fmt.Errorf("load all records of tenant %s: %w", tenant, err)
	}
	return records, nil
}

// every turns a subject with an empty last token into the filter for all of them.
func every(prefix string) string { return prefix + "*" }

// Tracked reads the tracked set of the tenant, in no order.
func (s *JetStream) Tracked(ctx context.Context, tenant string) (set []ledger.Tracking, err error) {
	var mu sync.Mutex
	err = s.read.readAll(ctx, every(s.names.Tracked(tenant, "")), func(m got) {
		tracking := ledger.ReadTracking(m.raw())
		mu.Lock()
		defer mu.Unlock()
		if !tracking.Gone {
			set = append(set, tracking)
		}
	})
	if err != nil {
		return nil, fmt.Errorf("read the tracked set of tenant %s: %w", tenant, err)
	}
	return set, nil
}
