package poller

import (
	"maps"
	"slices"
	"strings"
	"time"
)

// Quarantined is a meeting that is refused even when asked about by itself.
type Quarantined struct {
	ConferenceID string
	Shard        int
	Class        Class     // how it is refused
	Until        time.Time // when it is asked about again
}

// quarantine keeps refused meetings away from the others, whose batches they
// would spoil. The zero value is empty. It is guarded by its poller's lock.
type quarantine struct {
	cells map[string]cell
}

type cell struct {
	shard    int
	class    Class // why
	until    time.Time
	refusals int // in a row
}

// lock takes a meeting in, for longer each time.
func (q *quarantine) lock(id string, shard int, class Class, now time.Time) (until time.Time) {
	if q.cells == nil {
		q.cells = make(map[string]cell)
	}
	terms := growth{time.Minute, time.Hour}
	c := q.cells[id]
	until = now.Add(terms.step(c.refusals))
	q.cells[id] = cell{shard, class, until, c.refusals + 1}
	return until
}

// release lets meetings go, and gives those of them that were in.
func (q *quarantine) release(ids []string) (released []string) {
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

// find gives why a meeting is here, [ClassNone] when it is not, and whether it
// may be asked about again.
func (q *quarantine) find(id string, now time.Time) (class Class, due bool) {
	c, in := q.cells[id]
	return c.class, in && !now.Before(c.until)
}

// keep drops the meetings of a shard but those of the sorted ids.
func (q *quarantine) keep(shard int, ids []string) {
	maps.DeleteFunc(q.cells, func(id string, c cell) bool {
		return c.shard == shard && !listed(ids, id)
	})
}

func (q *quarantine) list() []Quarantined {
	list := make([]Quarantined, 0, len(q.cells))
	for id, c := range q.cells {
		list = append(list, Quarantined{id, c.shard, c.class, c.until})
	}
	slices.SortFunc(list, func(a, b Quarantined) int {
		return strings.Compare(a.ConferenceID, b.ConferenceID)
	})
	return list
}
