package main

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"rollcall"
	"rollcall/cmd/rollcall/control"
	"rollcall/cmd/rollcall/printer"
	"rollcall/consume"
	"rollcall/internal/safetext"
	"rollcall/wire"
)

// then is what was known at a time.
type then struct {
	Schema   int           `json:"schema"`
	At       wire.Time     `json:"at"`
	Meetings []meetingThen `json:"meetings"` // sorted by tenant and id
	Blind    []blindThen   `json:"blind"`    // where nobody looked
}

// meetingThen is a meeting that was going on, or that was asked for.
type meetingThen struct {
	Tenant       string        `json:"tenant"`
	ConferenceID string        `json:"conferenceId"`
	Epoch        int64         `json:"epoch"`
	Sequence     uint64        `json:"sequence"`          // of the last event
	Known        bool          `json:"known"`             // otherwise the beginning is missing, and nobody can tell
	Missing      uint64        `json:"missing,omitempty"` // events: of somebody who was forgotten, or lost
	Meeting      *wire.Meeting `json:"meeting"`
	Roster       []wire.Person `json:"roster"`
	over         bool
}

// blindThen is a shard at which nobody looked.
type blindThen struct {
	Tenant string    `json:"tenant"`
	Shard  int       `json:"shard"`
	Shards int       `json:"shards"`
	Since  wire.Time `json:"since"`
	Reason string    `json:"reason"`
}

// show shows the rosters of a time.
func (wanted replayFlags) show(p *program, cmd *cobra.Command, at time.Time) error {
	feed, err := wanted.feed()
	if err != nil {
		return err
	}
	s, err := openStream(p, cmd, wanted.remoteFlags)
	if err != nil {
		return err
	}
	defer s.conn.Close()
	feed.JetStream, feed.Names, feed.Watch = s.js, s.names(), wanted.conference == ""
	past := newPast(at)
	if err := consume.Read(cmd.Context(), s.conn, feed, func(m consume.Stored) error { past.take(m, p.complain); return nil }); err != nil {
		return err
	}
	if err := past.complete(cmd.Context(), s, wanted.tenant, wanted.conference); err != nil {
		return err
	}
	told := past.tell(wanted.eventFlags)
	if wanted.asJSON {
		return writeJSON(p.stdout, told)
	}
	return told.write(p.stdout)
}

// tell returns the meetings that are wanted. Those that are over are left out,
// unless one is named.
func (h *past) tell(wanted eventFlags) then {
	told := then{Schema: 1, At: wire.Time{Time: h.at}, Meetings: []meetingThen{}, Blind: []blindThen{}}
	for name, m := range h.meetings {
		one := meetingThen{Tenant: name.tenant, ConferenceID: name.id, Known: !m.unknown, Roster: []wire.Person{}, over: m.over}
		if m.unknown && !m.over || m.roster.Epoch() > 0 {
			one.fill(m)
		} else {
			continue // it began later
		}
		if wanted.matches(&one) {
			told.Meetings = append(told.Meetings, one)
		}
	}
	slices.SortFunc(told.Meetings, func(a, b meetingThen) int {
		return cmp.Or(cmp.Compare(a.Tenant, b.Tenant), cmp.Compare(a.ConferenceID, b.ConferenceID))
	})
	for _, shard := range slices.Sorted(maps.Keys(h.blind)) {
		w := h.blind[shard]
		told.Blind = append(told.Blind, blindThen{w.Tenant, w.Shard, w.Shards, wire.Time{Time: w.Window.After}, string(w.Reason)})
	}
	return told
}

func (one *meetingThen) fill(m *folded) {
	if m.unknown {
		return
	}
	meeting := m.roster.Meeting()
	shown := control.MeetingOf(&meeting)
	one.Meeting, one.Epoch, one.Sequence = &shown, m.roster.Epoch(), m.roster.Sequence()
	one.Roster, one.Missing = control.RosterOf(m.roster.People()), m.missing
}

func (f *eventFlags) matches(m *meetingThen) bool {
	switch {
	case f.conference != "":
		return true
	case m.over:
		return false
	}
	return f.title == "" || m.Meeting != nil && strings.EqualFold(m.Meeting.Title, f.title)
}

// write shows the meetings, one after the other, each with its people.
func (told then) write(out io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "as known at %s: %s\n", told.At.Local().Format(time.DateTime), counted(int64(len(told.Meetings)), "meeting"))
	for _, w := range told.Blind {
		of := ""
		if w.Shards > 1 {
			of = fmt.Sprintf(" of shard %d of %d", w.Shard, w.Shards)
		}
		fmt.Fprintf(&b, "nobody looked at the meetings%s of tenant %s since %s (%s)\n", of, w.Tenant, local(w.Since), safetext.Field(printer.WhyBlind(rollcall.Reason(w.Reason)), 60))
	}
	for _, m := range told.Meetings {
		b.WriteString("\n")
		if !m.Known {
			fmt.Fprintf(&b, "%s  %s  not known: its beginning is missing\n", m.Tenant, m.ConferenceID)
			continue
		}
		fmt.Fprintf(&b, "%s  %s  %s, %d present  (%s)\n", safetext.Field(cmp.Or(m.Meeting.Title, "-"), titleWidth), m.ConferenceID, m.Meeting.Status, m.Meeting.Present, m.Tenant)
		if m.Missing > 0 {
			fmt.Fprintf(&b, "missing: %s, of somebody who was forgotten, or lost\n", counted(int64(m.Missing), "event"))
		}
		if len(m.Roster) > 0 {
			if err := writeTable(&b, peopleRows(m.Roster)); err != nil {
				return err
			}
		}
	}
	_, err := io.WriteString(out, b.String())
	return err
}
