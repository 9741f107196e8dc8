package poller

import (
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"rollcall/internal/wait"
)

// Quarantined is a meeting that is refused even when asked about alone.
type Quarantined struct {
	ConferenceID string
	Shard        int
	Class        Class     // how it is refused
	Until        time.Time // when it is asked about again
}

// quarantine keeps refused meetings away from the others, whose batches they
// would spoil. It serves all shards of a poller. The zero value is empty.
type quarantine struct {
	mu    sync.Mutex
	cells map[string]cell
}

type cell struct {
	shard    int
	class    Class // why
	until    time.Time
	refusals int // in a row
}

// lock takes a meeting in, for longer each time. again reports whether it was
// in already.
func (q *quarantine) lock(id string, shard int, class Class, now time.Time) (until time.Time, again bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.cells == nil {
		q.cells = make(map[string]cell)
	}
	terms := wait.Growth{First: time.Minute, Most: time.Hour}
	c := q.cells[id]
	until = now.Add(terms.Step(c.refusals))
	q.cells[id] = cell{shard, class, until, c.refusals + 1}
	return until, c.refusals > 0
}

// release lets meetings go, and returns those of them that were in.
func (q *quarantine) release(ids ...string) (released []string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.cells) == 0 {
		return nil
	}
	for _, id := range ids {
		if _, in := q.cells[id]; in {
			delete(q.cells, id)
			released = append(released, id)
		}
	}
	return released
}

func (q *quarantine) empty() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.cells) == 0
}

// find returns why a meeting is in, [ClassNone] when it is not, and when it may
// be asked about again.
func (q *quarantine) find(id string) (class Class, until time.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	c := q.cells[id]
	return c.class, c.until
}

// keep drops the meetings of a shard but those of the sorted ids.
func (q *quarantine) keep(shard int, ids []string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	maps.DeleteFunc(q.cells, func(id string, c cell) bool {
		return c.shard == shard && !contains(ids, id)
	})
}

func (q *quarantine) list() []Quarantined {
	q.mu.Lock()
	defer q.mu.Unlock()
	list := make([]Quarantined, 0, len(q.cells))
	for id, c := range q.cells {
		list = append(list, Quarantined{id, c.shard, c.class, c.until})
	}
	slices.SortFunc(list, func(a, b Quarantined) int {
		return strings.Compare(a.ConferenceID, b.ConferenceID)
	})
	return list
}
