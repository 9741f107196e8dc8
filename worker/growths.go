package worker

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"rollcall"
)

// growths are the meetings that have started, or that somebody has joined, since
// their list of members was read. They belong to the shard's goroutine.
type growths struct {
	wanted  bool                       // roles are; otherwise there are none
	since   map[string]rollcall.Number // by meeting, the question whose answer last showed it
	changed bool                       // the plan does not show it yet
}

// growth is a meeting whose list is to be read, as others see it.
type growth struct {
	id   string
	read time.Time // when its list was asked for that was read last; zero: none was
}

// told notes what of these events shows that a meeting has grown. They need not be
// stored yet: nobody knows of a commit whose answer is lost.
func (g *growths) told(id string, number rollcall.Number, events []rollcall.Event) {
	if g.wanted && slices.ContainsFunc(events, func(e rollcall.Event) bool {
		return e.Type == rollcall.MeetingStarted || e.Type == rollcall.ParticipantJoined
	}) {
		g.note(id, number)
	}
}

// found notes of a record that was read from the ledger whether the list was not
// read since somebody came, as when a worker died before it.
func (g *growths) found(id string, r *rollcall.Record) {
	if g.wanted && r != nil && lacksRoles(r) {
		g.note(id, rollcall.Number{}) // any question comes after it
	}
}

func (g *growths) note(id string, number rollcall.Number) {
	if g.since == nil {
		g.since = make(map[string]rollcall.Number)
	}
	if since, known := g.since[id]; !known || number.After(since) {
		g.since[id], g.changed = number, true
	}
}

// read notes that a list was read and stored. Who was seen by a later question than
// that for the list may not be in it.
func (g *growths) read(id string, number rollcall.Number) {
	if since, grown := g.since[id]; grown {
		if number.After(since) {
			delete(g.since, id)
		}
		g.changed = true // also where only the time of the reading has
	}
}

// of returns the meetings whose list is to be read, those first of which it was not
// read for longest, and forgets those that are over.
func (g *growths) of(entries map[string]*entry) []growth {
	g.changed = false
	maps.DeleteFunc(g.since, func(id string, _ rollcall.Number) bool {
		e := entries[id]
		return e == nil || !e.tracked || e.record.Over()
	})
	all := make([]growth, 0, len(g.since))
	for id := range g.since {
		if e := entries[id]; e.record.Live() && e.refused.err == nil {
			all = append(all, growth{id, e.record.Shown().RolesAt})
		}
	}
	slices.SortFunc(all, func(a, b growth) int { return cmp.Or(a.read.Compare(b.read), cmp.Compare(a.id, b.id)) })
	return all
}

// lacksRoles reports whether somebody is in a meeting of whom no list was read that
// could tell the roles.
func lacksRoles(r *rollcall.Record) bool {
	return len(r.Roster) > 0 && (r.RolesAt.IsZero() || r.Partial != nil || slices.ContainsFunc(r.Roster, func(p rollcall.Participant) bool {
		return p.UserID != "" && p.Attendance == rollcall.AttendancePresent && p.Roles == rollcall.Roles{}
	}))
}
