package live

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"time"

	"rollcall"
	"rollcall/console/live/assets"
	"rollcall/consume"
)

const (
	// keptTimelines is how many meetings are remembered as they were shown last.
	keptTimelines = 32
	// readers is how many meetings' events are read at a time.
	readers = 2
	// shownEvents is how many events of a meeting are listed, and shownPeople how many people.
	shownEvents, shownPeople = 1000, 500
)

// timelines reads meetings with all of their events. A meeting that has not
// changed is read once, for whoever looks at it.
type timelines struct {
	cfg     Config
	names   namer
	watches func(tenant string, after, before time.Time) string
	slots   chan struct{} // one for each read under way

	mu    sync.Mutex
	known map[string]*timelineRead
	turn  uint64
}

// timelineRead is one meeting as it was at a sequence.
type timelineRead struct {
	version string
	turn    uint64
	done    chan struct{} // closed once body or err is set
	body    assets.Body
	err     error
}

func newTimelines(cfg Config, watches func(string, time.Time, time.Time) string) *timelines {
	return &timelines{cfg: cfg, names: namer{cfg.HideNames}, watches: watches, slots: make(chan struct{}, readers), known: map[string]*timelineRead{}}
}

// of returns a meeting as it is shown.
func (t *timelines) of(ctx context.Context, m consume.Meeting) (*assets.Body, error) {
	read, mine := t.begin(m)
	if mine {
		read.body, read.err = t.read(ctx, m)
		t.finish(keyOf(m.Tenant, m.ConferenceID), read)
	}
	select {
	case <-read.done:
		return &read.body, read.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// begin returns the read of the meeting as it is now; mine: the caller does it.
func (t *timelines) begin(m consume.Meeting) (read *timelineRead, mine bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	key, version := keyOf(m.Tenant, m.ConferenceID), fmt.Sprintf("%d-%d-%t", m.Epoch, m.Sequence, m.Over)
	t.turn++
	if read = t.known[key]; read != nil && read.version == version {
		read.turn = t.turn
		return read, false
	}
	if len(t.known) >= keptTimelines && read == nil {
		oldest := ""
		for k, other := range t.known {
			if oldest == "" || other.turn < t.known[oldest].turn {
				oldest = k
			}
		}
		delete(t.known, oldest)
	}
	read = &timelineRead{version: version, turn: t.turn, done: make(chan struct{})}
	t.known[key] = read
	return read, true
}

// finish lets the others have it. What failed is read again by the next one.
func (t *timelines) finish(key string, read *timelineRead) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if read.err != nil && t.known[key] == read {
		delete(t.known, key)
	}
	close(read.done)
}

func (t *timelines) read(ctx context.Context, m consume.Meeting) (assets.Body, error) {
	select {
	case t.slots <- struct{}{}:
	case <-ctx.Done():
		return assets.Body{}, ctx.Err()
	}
	defer func() { <-t.slots }()
	upTo := consume.Event{Event: rollcall.Event{Tenant: m.Tenant, ConferenceID: m.ConferenceID, Epoch: m.Epoch, Sequence: m.Sequence}}
	feed := consume.Feed{Names: t.cfg.Names, JetStream: t.cfg.JetStream}
	var events []consume.Event
	if m.Sequence > 0 {
		var err error
		if events, err = consume.History(ctx, t.cfg.Conn, feed, upTo); err != nil {
			return assets.Body{}, err
		}
	}
	data, err := json.Marshal(t.draw(m, events))
	if err != nil {
		return assets.Body{}, err
	}
	return assets.Pack(data), nil
}

// ended lists the meetings that are over, the last first, as rows.
func (r *reading) ended(most int) []row {
	all := slices.DeleteFunc(r.meetings.List(), func(m consume.Meeting) bool { return !m.Over })
	slices.SortFunc(all, func(a, b consume.Meeting) int { return cmp.Compare(endOf(&b), endOf(&a)) })
	rows := []row{}
	for _, m := range all[:min(most, len(all))] {
		rows = append(rows, r.board.names.row(m, time.Time{}))
	}
	return rows
}

// endOf is when a meeting was over, as far as is known.
func endOf(m *consume.Meeting) int64 {
	return millis(cmp.Or(m.Info.EndTime, m.ObservedAt))
}
