package worker

import (
	"cmp"
	"slices"
	"sync/atomic"
	"time"

	"rollcall"

	"go.uber.org/zap"

	"rollcall/internal/ledger"
	"rollcall/worker/recordcache"
)

// meetings is what is known of a shard's meetings. It belongs to the shard's
// goroutine; others see a plan of those to ask about.
type meetings struct {
	log     *zap.Logger
	entries map[string]*entry // nil: nothing was read yet
	changed bool              // the plan is to be made anew
	sums    bool              // what is known of a meeting after its end is told
	grown   growths
	current atomic.Pointer[plan]
}

// plan is which meetings to ask about. It is shared, and never changed.
type plan struct {
	ids    []string // at every pass; sorted
	slow   []string // now and then
	asleep []string // of ids, those that are known not to have started
	// summaries are the records of those that have ended and are still to be told about.
	summaries []*rollcall.Record
	grown     []growth              // those whose list of members is to be read, for roles
	states    []*recordcache.Record // of ids, in any order, whose freshness counts
	aside     []string              // those whose record can be neither read nor stored; sorted
	erased    map[string][]string   // by meeting, who was forgotten; see [rollcall.Record]
}

func newMeetings(log *zap.Logger) *meetings {
	m := &meetings{log: log}
	m.current.Store(&plan{})
	return m
}

// plan returns which meetings to ask about. Any goroutine may call it.
func (m *meetings) plan() *plan { return m.current.Load() }

// known reports whether the shard's meetings were read.
func (m *meetings) known() bool { return m.entries != nil }

// entry is what is known of a meeting, from now on.
func (m *meetings) entry(id string) *entry {
	e := m.entries[id]
	if e == nil {
		e = &entry{}
		m.entries[id] = e
	}
	return e
}

// put takes what was read of all meetings; nil: it is given up.
func (m *meetings) put(entries map[string]*entry) {
	m.entries = entries
	m.replan()
}

// void discards what is known of these records, to be read again.
func (m *meetings) void(ids ...string) {
	for _, id := range ids {
		m.entries[id].record.Void()
	}
}

// voidAll discards what is known of every record.
func (m *meetings) voidAll() {
	for _, e := range m.entries {
		e.record.Void()
	}
}

// setTracked notes whether a meeting is tracked.
func (m *meetings) setTracked(e *entry, tracked bool) {
	if e.tracked != tracked {
		e.tracked = tracked
		m.replan()
	}
}

// track notes that a meeting is tracked from now on. The next answer counts,
// even one that is known already.
func (m *meetings) track(t ledger.Tracking) {
	e := m.entry(t.ConferenceID)
	e.tracking = t
	e.record.Void()
	m.setTracked(e, true)
}

// drop forgets a meeting that is not tracked.
func (m *meetings) drop(id string) {
	if e := m.entries[id]; e != nil && !e.tracked {
		delete(m.entries, id)
		m.replan()
	}
}

// refuse keeps a meeting apart that can be neither read nor stored. The others go on.
func (m *meetings) refuse(id string, err error) {
	e := m.entries[id]
	e.refused.note(err, time.Now())
	m.replan()
	m.log.Warn("meeting set aside: its record can be neither read nor stored",
		zap.String("meeting", id), zap.Int("attempt", e.refused.count),
		zap.Duration("again_in", e.refused.again()), zap.Error(err))
}

// replan notes that the meetings to ask about have changed. Many such changes,
// as when all meetings of a day end, make one new plan.
func (m *meetings) replan() { m.changed = true }

// makePlan shows others which meetings to ask about, where that has changed.
func (m *meetings) makePlan() {
	switch {
	case m.changed:
		m.current.Store(m.newPlan(time.Now()))
	case m.grown.changed:
		next := *m.plan()
		next.grown = m.grown.of(m.entries)
		m.current.Store(&next)
	}
}

func (m *meetings) newPlan(now time.Time) *plan {
	m.changed = false
	next := &plan{grown: m.grown.of(m.entries), ids: make([]string, 0, len(m.entries)), states: make([]*recordcache.Record, 0, len(m.entries))}
	for id, e := range m.entries {
		if e.refused.err != nil {
			next.aside = append(next.aside, id)
		}
		if erased := e.record.Erased(); len(erased) > 0 {
			if next.erased == nil {
				next.erased = map[string][]string{}
			}
			next.erased[id] = erased
		}
		if m.awaits(e, now) {
			next.summaries = append(next.summaries, e.record.Whole())
		}
		switch {
		case e.tracked:
			next.ids, next.states = append(next.ids, id), append(next.states, &e.record)
			if e.asleep() {
				next.asleep = append(next.asleep, id)
			}
		case e.watched(now):
			next.slow = append(next.slow, id)
		}
	}
	slices.Sort(next.ids)
	slices.Sort(next.aside)
	slices.SortFunc(next.summaries, func(a, b *rollcall.Record) int {
		return cmp.Or(a.EndedAt.Compare(b.EndedAt), cmp.Compare(a.ConferenceID, b.ConferenceID))
	})
	return next
}

// awaits reports whether the meeting is still to be told about after its end.
func (m *meetings) awaits(e *entry, now time.Time) bool { return m.sums && e.unsummarized(now) }
