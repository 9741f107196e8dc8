package consumetest

import (
	"bytes"
	"fmt"
	"slices"

	"rollcall"
	"rollcall/wire"
)

// Repeat has every event come again behind the three that follow it, as what
// was acknowledged too late does.
func (s Sequence) Repeat() (faulty Sequence) {
	for i, m := range s {
		faulty = append(faulty, m)
		if i >= 3 {
			faulty = append(faulty, s[i-3])
		}
	}
	return append(faulty, s[max(0, len(s)-3):]...)
}

// Gap leaves out the n-th message, from 0. What the missing event told is then
// in the record alone: see [Sequence.WithRecords].
func (s Sequence) Gap(n int) Sequence { return slices.Delete(slices.Clone(s), n, n+1) }

// Reorder exchanges the n-th poll, from 0, with the one after it, as where a
// process dies with events that it had not acknowledged.
func (s Sequence) Reorder(n int) Sequence {
	polls := s.polls()
	if n+1 < len(polls) {
		polls[n], polls[n+1] = polls[n+1], polls[n]
	}
	return slices.Concat(polls...)
}

// polls cuts the sequence behind the last event of each poll.
func (s Sequence) polls() (polls []Sequence) {
	first := 0
	for i, e := range s.Events() {
		if e.Index == e.Count {
			polls, first = append(polls, s[first:i+1]), i+1
		}
	}
	return append(polls, s[first:])
}

// NewEpoch has every meeting that goes on found anew, behind the sequence, as it was.
func (s Sequence) NewEpoch() Sequence {
	last := map[string]rollcall.Event{}
	for _, e := range s.Events() {
		last[e.ConferenceID] = e
	}
	faulty := slices.Clone(s)
	rosters := s.Rosters()
	for _, id := range ids(rosters) {
		e := last[id]
		if e.Meeting.Status != rollcall.StatusStarted || e.Type == rollcall.MeetingUntracked {
			continue
		}
		faulty = append(faulty, Of(found(e, rosters[id]))...)
	}
	return faulty
}

func ids(rosters map[string][]rollcall.Participant) (all []string) {
	for id := range rosters {
		all = append(all, id)
	}
	slices.Sort(all)
	return all
}

// found is how a meeting is told that was found as after e, with these people.
func found(e rollcall.Event, roster []rollcall.Participant) (events []rollcall.Event) {
	e.Epoch, e.Provenance, e.Reason = e.Epoch+1_000_000, rollcall.ProvenanceBaseline, ""
	e.Window = rollcall.Window{Before: e.Window.Before}
	e.Time, e.Exact = e.Window.Before, false
	tell := func(t rollcall.Type, p *rollcall.Participant) {
		e.Type, e.Participant, e.Sequence = t, p, e.Sequence+1
		events = append(events, e)
	}
	e.Sequence = 0
	tell(rollcall.MeetingStarted, nil)
	for _, p := range roster {
		switch p.Attendance {
		case rollcall.AttendanceInvited:
			tell(rollcall.ParticipantInvited, &p)
		case rollcall.AttendanceJoining:
			tell(rollcall.ParticipantJoining, &p)
		case rollcall.AttendancePresent:
			tell(rollcall.ParticipantJoined, &p)
			if p.Mic == rollcall.DeviceOpen {
				tell(rollcall.ParticipantMicOpened, &p)
			}
			if p.Camera == rollcall.DeviceOpen {
				tell(rollcall.ParticipantCameraOpened, &p)
			}
		}
	}
	for i := range events {
		events[i].Index, events[i].Count = i+1, len(events)
	}
	return events
}

// UnknownType puts an event of a type that nobody knows yet before the n-th,
// from 0, of a meeting, with attributes and fields that nobody knows either;
// what follows in the meeting has sequences one higher.
func (s Sequence) UnknownType(n int) Sequence {
	events := s.Events()
	at := events[n]
	var faulty Sequence
	for i, e := range events {
		if i == n {
			waved := e
			waved.Type = "participant.waved"
			m := message(&waved)
			m.Data = bytes.Replace(m.Data, []byte(`"data":{`), []byte(`"newattribute":"x","data":{"newField":{"a":[1]},`), 1)
			faulty = append(faulty, m)
		}
		if e.ConferenceID == at.ConferenceID && e.Epoch == at.Epoch && e.Sequence >= at.Sequence {
			e.Sequence++
		}
		faulty = append(faulty, message(&e))
	}
	return faulty
}

// NewerSchema has the n-th message, from 0, come in schema 2 first. A consumer
// of schema 1 must say so, and go on with what it knows.
func (s Sequence) NewerSchema(n int) Sequence {
	m := s[n]
	m.Data = bytes.Replace(m.Data, []byte(wire.DataSchema), []byte("rollcall:event:2"), 1)
	return slices.Insert(slices.Clone(s), n, m)
}

// WithRecords puts the record of each meeting behind each of its polls, as they
// stand in the stream.
func (s Sequence) WithRecords() (whole Sequence, err error) {
	soFar := map[string]Sequence{}
	for i, e := range s.Events() {
		soFar[e.ConferenceID] = append(soFar[e.ConferenceID], s[i])
		whole = append(whole, s[i])
		if e.Index != e.Count {
			continue
		}
		m, err := record(e, soFar[e.ConferenceID].Rosters()[e.ConferenceID], nil)
		if err != nil {
			return nil, err
		}
		whole = append(whole, m)
	}
	return whole, nil
}

// PartialRecord puts a record before the last event of the first poll that has
// several: it says that more of the poll is on the way, and is to be awaited.
func (s Sequence) PartialRecord() (Sequence, error) {
	for i, e := range s.Events() {
		if e.Index == e.Count || e.Index != e.Count-1 {
			continue
		}
		m, err := record(e, s[:i+1].Rosters()[e.ConferenceID], &rollcall.Partial{Provenance: e.Provenance, WindowAfter: e.Window.After})
		if err != nil {
			return nil, err
		}
		return slices.Insert(slices.Clone(s), i+1, m), nil
	}
	return s, nil
}

// record is the meeting's record after an event.
func record(e rollcall.Event, roster []rollcall.Participant, partial *rollcall.Partial) (Message, error) {
	r := &rollcall.Record{
		Tenant: e.Tenant, ConferenceID: e.ConferenceID, Epoch: e.Epoch, Sequence: e.Sequence, ObservedAt: e.Window.Before,
		Number: rollcall.Number{Term: 1, Poll: e.Sequence}, Meeting: e.Meeting, Roster: roster, Partial: partial, Labels: e.Labels,
	}
	if r.Untracked = e.Type == rollcall.MeetingUntracked; r.Untracked || e.Meeting.Status == rollcall.StatusEnded {
		r.EndReason, r.EndedAt = e.Reason, e.Time
	}
	data, err := wire.EncodeRecord(nil, r)
	if err != nil {
		return Message{}, fmt.Errorf("make the record of %s: %w", e.ConferenceID, err)
	}
	return Message{names().State(e.Tenant, e.ConferenceID), data}, nil
}

// Many has the events happen in so many meetings at once: more than a batched
// direct get can list, from 1,025 on. Their ids are those of the sequence with
// -1, -2 … behind them.
func (s Sequence) Many(meetings int) (many Sequence) {
	for _, e := range s.Events() {
		id := e.ConferenceID
		for n := range meetings {
			e.ConferenceID = fmt.Sprintf("%s-%d", id, n+1)
			many = append(many, message(&e))
		}
	}
	return many
}
