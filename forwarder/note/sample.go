package note

import (
	"time"

	"rollcall"
	"rollcall/consume"
)

// Hostile is a name that tries to mention, to link, to style and to break out
// of a message, in every service's markup.
const Hostile = "@all [x](http://evil.example) **b** <at id=all></at> <!channel> `c`"

// sampler makes the events of a meeting on a morning in November.
type sampler struct {
	batch    Batch
	sequence uint64
	id       string
	state    rollcall.Conference
	minute   int // after 10:00
	span     time.Duration
	found    bool
}

func sampleOf(title string) *sampler {
	return &sampler{id: "6f1a", minute: 4, span: 15 * time.Second, state: rollcall.Conference{
		Title: title, StartTime: sampleTime(0), Status: rollcall.StatusStarted, Present: 11,
	}}
}

// sampleTime is so many minutes after 10:00.
func sampleTime(minutes int) time.Time {
	return time.Date(2026, time.November, 23, 10, minutes, 30, 0, time.UTC)
}

func (s *sampler) add(t rollcall.Type, reason rollcall.Reason, nick string) *sampler {
	s.sequence++
	before := sampleTime(s.minute)
	e := rollcall.Event{
		Tenant: "acme", ConferenceID: s.id, Epoch: 1, Sequence: s.sequence, Type: t, Reason: reason, Provenance: rollcall.ProvenanceObserved,
		Window: rollcall.Window{After: before.Add(-s.span), Before: before}, Time: before, Index: 1, Count: 1, Meeting: s.state,
	}
	if s.found {
		e.Provenance, e.Window.After = rollcall.ProvenanceBaseline, time.Time{}
	}
	if t.Entity() == "participant" {
		e.Participant = &rollcall.Participant{Key: "id-of-" + nick, Nick: nick}
		if t == rollcall.ParticipantDeclined {
			e.Participant.RejectDescription = "in another meeting"
		}
	}
	s.batch.Add(consume.Event{Event: e})
	return s
}

func (s *sampler) note(kind Kind, lines int) Note { return s.batch.Note(kind, lines) }

// Samples returns notes of the kind as they may come in a day, among them, but
// for what `forward test` sends, some with names that try to break out of a markup.
func Samples(kind Kind) []Note {
	switch kind {
	case Single:
		return []Note{
			sampleOf("Weekly review").add(rollcall.ParticipantKickedOut, "", "Mei").note("", 0), severalChanges("Weekly review", "Bob").note("", 0),
			severalChanges(Hostile, Hostile).note("", 0), sampleOf("Weekly review").add(rollcall.MeetingStarted, "", "").note("", 0),
			endSample(), watchSample(rollcall.WatchLost), watchSample(rollcall.WatchResumed),
		}
	case Digest, CatchUp:
		return []Note{busySample(kind), severalMeetings(kind)}
	case Found:
		s := sampleOf("Weekly review")
		s.found, s.state.Present = true, 12
		return []Note{s.add(rollcall.MeetingStarted, "", "").add(rollcall.ParticipantInvited, "", "Mei").note("", 0)}
	case Sample:
		return []Note{severalChanges("Weekly review", "Bob").note(Sample, 0)}
	case Trouble:
		return troubleSamples()
	}
	return nil
}

func severalChanges(title, name string) *sampler {
	s := sampleOf(title)
	s.span = time.Minute
	return s.add(rollcall.ParticipantKickedOut, "", "Mei").add(rollcall.ParticipantDeclined, "", "").
		add(rollcall.ParticipantJoined, "", name).add(rollcall.ParticipantMicOpened, "", name)
}

func endSample() Note {
	s := sampleOf("Weekly review")
	s.minute, s.state.Status, s.state.Present = 62, rollcall.StatusEnded, 0
	s.add(rollcall.ParticipantLeft, rollcall.ReasonMeetingEnded, "Mei").add(rollcall.MeetingEnded, rollcall.ReasonStatus, "")
	stay := func(least, most int) consume.Bounds {
		return consume.Bounds{Min: time.Duration(least) * time.Minute, Max: time.Duration(most) * time.Minute}
	}
	s.batch.Attend("acme", s.id, []consume.Visit{
		{Key: "mei", Nick: "Mei", Stay: stay(61, 62)},
		{Key: "bob", Nick: "Bob", Stay: stay(10, 11)},
		{Key: "bob", Nick: "Bob", Stay: stay(20, 22)},
		{Key: "eve", Nick: Hostile, Stay: stay(3, 4), How: consume.HowKickedOut},
		{Key: "guest", Stay: consume.Bounds{Min: 50 * time.Minute, Max: -1}},
	})
	return s.note("", 0)
}

func watchSample(t rollcall.Type) Note {
	until := 2
	if t == rollcall.WatchResumed {
		until = 20
	}
	var b Batch
	b.AddWatch(rollcall.WatchEvent{
		Tenant: "acme", Shards: 1, Epoch: 1, Sequence: 1, Type: t, Reason: rollcall.ReasonUnreachable, Provenance: rollcall.ProvenanceObserved,
		Window: rollcall.Window{After: sampleTime(0), Before: sampleTime(until)},
	})
	return b.Note("", 0)
}

// busySample is of one meeting with more changes than are told one by one.
func busySample(kind Kind) Note {
	s := sampleOf("Weekly review")
	s.state.Present = 24
	s.busy()
	s.add(rollcall.ParticipantKickedOut, "", "Mei")
	if kind == CatchUp {
		s.batch.Cut()
	}
	return s.note(kind, 5)
}

func (s *sampler) busy() {
	for i, name := range []string{"Ann", "Bob", "Cid", "Dan", "Eve", "Fay", "Gil", "Hal"} {
		s.minute = 4 + i
		s.add(rollcall.ParticipantJoined, "", name).add(rollcall.ParticipantMicOpened, "", "another "+name)
		if i%3 == 0 {
			s.add(rollcall.ParticipantMicClosed, "", "a third "+name).add(rollcall.ParticipantLeft, rollcall.ReasonLeft, "a third "+name)
		}
	}
}

func severalMeetings(kind Kind) Note {
	s := sampleOf("Weekly review")
	s.busy()
	s.id, s.state.Title, s.state.Status, s.state.Present, s.sequence = "7c3d", Hostile, rollcall.StatusEnded, 0, 0
	s.add(rollcall.ParticipantKickedOut, "", Hostile).add(rollcall.MeetingEnded, rollcall.ReasonStatus, "")
	n := s.note(kind, 5)
	n.LastOfMonth = true
	return n
}

func troubleSamples() []Note {
	failed := Failure{
		Target: "ops", Class: "rateLimited", Detail: "the robot was sent more than 20 messages in a minute",
		Since: sampleTime(4), Until: sampleTime(14), Waiting: 12,
	}
	gone := Failure{Target: "ops", Class: "gone", Detail: "the robot was removed from the group: make a new one", Since: sampleTime(4)}
	return []Note{
		{Kind: Trouble, At: sampleTime(5), Failure: failed},
		{Kind: Trouble, At: sampleTime(5), Failure: gone},
		{Kind: Trouble, At: sampleTime(14), Failure: Failure{Target: "ops", Healed: true}},
	}
}

// everyChange returns a note of each type of event and reason, and one of a
// type that is newer than the templates.
func everyChange() []Note {
	var notes []Note
	for _, t := range append(rollcall.Types(), "participant.hand_raised") {
		for _, reason := range rollcall.Reasons(t) {
			s := sampleOf("Weekly review")
			if t == rollcall.MeetingEnded {
				s.state.Status, s.state.Present = rollcall.StatusEnded, 0
			}
			notes = append(notes, s.add(t, reason, "Mei").note("", 0))
		}
	}
	for _, reason := range rollcall.WatchReasons() {
		n := watchSample(rollcall.WatchLost)
		n.Watches[0].Reason = reason
		notes = append(notes, n)
	}
	return notes
}
