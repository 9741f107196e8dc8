package store

import (
	"context"
	"fmt"
	"runtime"
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
func (s *JetStream) LoadAll(ctx context.Context, tenant string) ([]ledger.Stored, error) {
	found, err := s.scan(ctx, every(s.names.State(tenant, "")))
	if err != nil {
		return nil, fmt.Errorf("load all records of tenant %s: %w", tenant, err)
	}
	return decodeAll(found), nil
}

// every turns a subject with an empty last token into the filter for all of them.
func every(prefix string) string { return prefix + "*" }

// decodeAll decodes records on all processors: a start with many meetings is
// bound by it.
func decodeAll(found []got) []ledger.Stored {
	records := make([]ledger.Stored, len(found))
	workers := runtime.GOMAXPROCS(0)
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for i := w; i < len(found); i += workers {
				records[i] = storedRecord(conferenceID(found[i].subject), found[i].data, found[i].sequence)
			}
		})
	}
	wg.Wait()
	return records
}

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
func (s *JetStream) Tracked(ctx context.Context, tenant string) ([]ledger.Tracking, error) {
	found, err := s.scan(ctx, every(s.names.Tracked(tenant, "")))
	if err != nil {
		return nil, fmt.Errorf("read the tracked set of tenant %s: %w", tenant, err)
	}
	last := make(map[string]got, len(found)) // what was written during the scan is there twice
	for _, m := range found {
		last[m.subject] = m
	}
	set := make([]ledger.Tracking, 0, len(last))
	for _, m := range last {
		if len(m.data) > 0 { // else a tombstone
			set = append(set, storedTracking(m.subject, m.data, m.sequence))
		}
	}
	return set, nil
}
