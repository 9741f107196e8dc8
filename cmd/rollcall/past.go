package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	"rollcall"
	"rollcall/consume"
	"rollcall/wire"
)

// past folds what is stored up to a time.
type past struct {
	at       time.Time
	meetings map[meetingName]*folded
	blind    map[string]rollcall.WatchEvent // by tenant and shard: those that are lost
}

type meetingName struct{ tenant, id string }

// folded is a meeting as its events tell it.
type folded struct {
	roster  *consume.Roster
	unknown bool // the beginning of its epoch is missing
	over    bool
	later   bool   // something was stored of it after the time
	missing uint64 // events between others: of somebody who was forgotten, or lost
}

func newPast(at time.Time) *past {
	return &past{at: at, meetings: map[meetingName]*folded{}, blind: map[string]rollcall.WatchEvent{}}
}

// take folds a message; complain is told of one that cannot be read.
func (h *past) take(m consume.Stored, complain func(string)) {
	e, err := consume.Parse(m.Data)
	switch {
	case err != nil:
		complain("passed over a message that is no event: " + err.Error())
	case e.ConferenceID == "":
		if w, err := consume.ParseWatch(m.Data); err == nil && !m.At.After(h.at) {
			h.look(w)
		}
	default:
		h.fold(e, m.At.After(h.at))
	}
}

// look notes whether a shard is looked at. A division into other shards says nothing
// of those of before.
func (h *past) look(w rollcall.WatchEvent) {
	maps.DeleteFunc(h.blind, func(_ string, was rollcall.WatchEvent) bool { return was.Tenant == w.Tenant && was.Shards != w.Shards })
	shard := fmt.Sprint(w.Tenant, "/", w.Shard)
	if delete(h.blind, shard); w.Type == rollcall.WatchLost {
		h.blind[shard] = w
	}
}

func (h *past) fold(e consume.Event, later bool) {
	name := meetingName{e.Tenant, e.ConferenceID}
	m := h.meetings[name]
	if m == nil {
		m = &folded{roster: &consume.Roster{}}
		h.meetings[name] = m
	}
	if later {
		begun := e.Sequence > 1 && e.Epoch <= h.at.UnixMilli()
		m.unknown = m.unknown || begun && !m.later && m.roster.Epoch() == 0
		m.later = true
		return
	}
	change, err := m.roster.Apply(e)
	if change == consume.Anew {
		m.missing = 0
	}
	if gap, ok := errors.AsType[*consume.GapError](err); ok && gap.Want > 1 {
		m.roster.Skip(e)
		m.missing += gap.Got - gap.Want
		_, err = m.roster.Apply(e)
	}
	m.unknown = err != nil
	m.over = e.Type == rollcall.MeetingUntracked || m.roster.Meeting().Status == rollcall.StatusEnded
}

// complete reads the records of those meetings whose beginning is missing: where
// nothing was stored since, a record says how they stood.
func (h *past) complete(ctx context.Context, s *session, tenant, conference string) error {
	statuses, err := s.ledger().Statuses(ctx)
	if err != nil {
		return err
	}
	tenants := maps.Clone(statuses)
	for name := range h.meetings {
		tenants[name.tenant] = wire.Status{}
	}
	for of := range tenants {
		if tenant != "" && of != tenant {
			continue
		}
		records, err := s.ledger().LoadAll(ctx, of)
		if err != nil {
			return err
		}
		for _, r := range records {
			if r.Record != nil && (conference == "" || r.ConferenceID == conference) {
				h.compare(r.Record)
			}
		}
	}
	return nil
}

func (h *past) compare(r *rollcall.Record) {
	name := meetingName{r.Tenant, r.ConferenceID}
	over := r.Untracked || r.Meeting.Status == rollcall.StatusEnded
	m := h.meetings[name]
	if m == nil && !over && r.Epoch > 0 && r.Epoch <= h.at.UnixMilli() { // all of its events are gone
		m = &folded{roster: &consume.Roster{}, unknown: true, later: r.ObservedAt.After(h.at)}
		h.meetings[name] = m
	}
	if m != nil && m.unknown && !m.later && r.Partial == nil {
		*m = folded{roster: consume.RosterOf(r), over: over}
	}
}
