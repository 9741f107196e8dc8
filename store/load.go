package store

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"rollcall/internal/ledger"
	"rollcall/wire"
)

// Load reads the records of these meetings, many with one request. A meeting
// without a record is not in the map; one whose record cannot be read is there
// with the error.
func (s *JetStream) Load(ctx context.Context, tenant string, ids []string) (map[string]ledger.Stored, error) {
	wanted := make(map[string]string, len(ids)) // by subject, so that each is asked for once
	subjects := make([]string, 0, len(ids))
	for _, id := range ids {
		name := s.names.State(tenant, id)
		if _, twice := wanted[name]; !twice && id != "" {
			wanted[name] = id
			subjects = append(subjects, name)
		}
	}
	found, err := s.getLast(ctx, s.names.Stream, subjects)
	if err != nil {
		return nil, fmt.Errorf("load records of tenant %s: %w", tenant, err)
	}
	records := make(map[string]ledger.Stored, len(found))
	for name, m := range found {
		records[wanted[name]] = storedRecord(wanted[name], m.data, m.sequence)
	}
	return records, nil
}

// LoadAll reads all records of the tenant, in no order.
func (s *JetStream) LoadAll(ctx context.Context, tenant string) (records []ledger.Stored, err error) {
	var mu sync.Mutex
	err = s.readAll(ctx, every(s.names.State(tenant, "")), func(m got) {
		stored := storedRecord(conferenceID(m.subject), m.data, m.sequence)
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

// conferenceID reads the meeting's id from the last token of a subject; a token
// that no id has is given as it is.
func conferenceID(name string) string {
	token := name[strings.LastIndexByte(name, '.')+1:]
	if id, ok := wire.Value(token); ok {
		return id
	}
	return token
}

// Tracked reads the tracked set of the tenant, in no order.
func (s *JetStream) Tracked(ctx context.Context, tenant string) (set []ledger.Tracking, err error) {
	var mu sync.Mutex
	err = s.readAll(ctx, every(s.names.Tracked(tenant, "")), func(m got) {
		tracking := storedTracking(m.subject, m.data, m.sequence)
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
