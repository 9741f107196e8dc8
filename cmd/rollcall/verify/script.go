package verify

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"rollcall"
	"rollcall/consume/consumetest"
)

// script writes the events of one meeting.
type script struct {
	next   rollcall.Event // with the sequence and the time of the last
	roster []rollcall.Participant
	told   []rollcall.Event
}

// pace is from one poll to the next.
const pace = 15 * time.Second

// begin is a meeting that has started.
func begin(tenant, id string) *script {
	at := time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC)
	s := &script{next: rollcall.Event{
		Tenant: tenant, ConferenceID: id, Epoch: at.UnixMilli(), Provenance: rollcall.ProvenanceObserved,
		Meeting: rollcall.Conference{Title: "Stand-up", StartTime: at, Status: rollcall.StatusStarted},
		Window:  rollcall.Window{Before: at},
	}}
	s.tell(rollcall.MeetingStarted)
	return s
}

// tell adds one event of each of these people, or of the meeting, in a poll.
func (s *script) tell(t rollcall.Type, keys ...string) {
	e := s.next
	e.Type, e.Count = t, max(1, len(keys))
	e.Window = rollcall.Window{After: e.Window.Before, Before: e.Window.Before.Add(pace)}
	e.Time = e.Window.Before
	if t == rollcall.MeetingUntracked {
		e.Reason = rollcall.ReasonOperator
	}
	for i := range e.Count {
		e.Index, e.Sequence = i+1, e.Sequence+1
		if len(keys) > 0 {
			e.Participant = s.person(t, keys[i])
		}
		s.roster = rollcall.Fold(s.roster, []rollcall.Event{e})
		s.told = append(s.told, e)
	}
	s.next.Sequence, s.next.Window = e.Sequence, e.Window
}

// person returns the person with the key, as after this.
func (s *script) person(t rollcall.Type, key string) *rollcall.Participant {
	p := rollcall.Participant{Key: key, UserID: key, Nick: "Nick of " + key, Session: 1}
	if name, ok := strings.CutPrefix(key, "anon:"); ok {
		p.UserID = ""
		p.Nick, _, _ = strings.Cut(name, "#")
	}
	for i := range s.roster {
		if s.roster[i].Key == key {
			p = s.roster[i]
		}
	}
	switch t {
	case rollcall.ParticipantMicOpened:
		p.Mic = rollcall.DeviceOpen
	case rollcall.ParticipantCameraOpened:
		p.Camera = rollcall.DeviceOpen
	case rollcall.ParticipantLeft:
		p.Attendance = rollcall.AttendanceLeft
	case rollcall.ParticipantKickedOut:
		p.Attendance = rollcall.AttendanceKickedOut
	}
	return &p
}

// back sets the clock back by three polls.
func (s *script) back() { s.next.Window.Before = s.next.Window.Before.Add(-3 * pace) }

func (s *script) events() consumetest.Sequence { return consumetest.Of(s.told) }

// scenarios are the written scenarios with every fault, each in a tenant of its own.
func scenarios() (all []rule, err error) {
	for _, name := range consumetest.Scenarios() {
		s, err := consumetest.Scenario(name)
		if err != nil {
			return nil, err
		}
		for _, f := range faults() {
			r := rule{
				right: "scenario " + name + " " + f.name, fault: "losing track in scenario " + name + " " + f.name,
				tenant: fmt.Sprintf("scenario-%d", len(all)+1), joined: true,
			}
			own := inTenant(s, r.tenant)
			lines := data(f.happen(own))
			if f.record {
				records, err := lastRecords(own)
				if err != nil {
					return nil, err
				}
				lines = append(lines, records...)
			}
			r.parts = [][][]byte{lines}
			all = append(all, r)
		}
	}
	return all, nil
}

// fault is what a stream can do to its readers.
type fault struct {
	name   string
	happen func(consumetest.Sequence) consumetest.Sequence
	record bool // without the record nobody can know what was
}

func faults() []fault {
	type sequence = consumetest.Sequence
	return []fault{
		{"as it was", func(s sequence) sequence { return s }, false},
		{"repeated", sequence.Repeat, false},
		{"with a new epoch", sequence.NewEpoch, false},
		{"with a gap", func(s sequence) sequence { return s.Gap(len(s) / 2) }, true},
		{"out of order", func(s sequence) sequence { return s.Reorder(1) }, true},
		{"with an unknown type", func(s sequence) sequence { return s.UnknownType(2) }, false},
		{"with a newer schema", func(s sequence) sequence { return s.NewerSchema(3) }, false},
	}
}

// inTenant is the sequence as it happens to another tenant.
func inTenant(s consumetest.Sequence, tenant string) consumetest.Sequence {
	events := s.Events()
	for i := range events {
		events[i].Tenant = tenant
	}
	return consumetest.Of(events)
}

// lastRecords are lines with the last record of each meeting.
func lastRecords(s consumetest.Sequence) ([][]byte, error) {
	whole, err := s.WithRecords()
	last := map[string][]byte{}
	for _, m := range whole {
		if strings.HasPrefix(m.Subject, "meetings.state.") {
			last[m.Subject] = recordLine(m)
		}
	}
	lines := make([][]byte, 0, len(last))
	for _, subject := range slices.Sorted(maps.Keys(last)) {
		lines = append(lines, last[subject])
	}
	return lines, err
}

func recordLine(m consumetest.Message) []byte { return fmt.Appendf(nil, `{"record":%s}`, m.Data) }
