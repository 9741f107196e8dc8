package note

import (
	"time"

	"rollcall"
	"rollcall/consume"
)

// Hostile is a name that tries to mention, to link, to style and to break out
// of a message, in every service's markup.
const Hostile = "@all [x](http://evil.example) **b** <at id=all></at> <!channel> `c`"

// sampler makes the events of a meeting on a day in November.
type sampler struct {
	batch    Batch
	sequence uint64
	title    string
	id       string
	present  int
	status   rollcall.Status
	look     int // minutes after 10:00
	found    bool
}

func sampleOf(title string) *sampler {
	return &sampler{title: title, id: "6f1a", present: 11, status: rollcall.StatusStarted, look: 4}
}

// sampleTime is so many minutes after 10:00.
func sampleTime(minutes int) time.Time {
	return time.Date(2026, time.November, 23, 10, minutes, 5, 0, time.UTC)
}

func (s *sampler) add(t rollcall.Type, reason rollcall.Reason, nick string) *sampler {
	s.sequence++
	w := rollcall.Window{After: sampleTime(s.look).Add(-15 * time.Second), Before: sampleTime(s.look)}
	e := rollcall.Event{
		Tenant: "acme", ConferenceID: s.id, Epoch: 1, Sequence: s.sequence, Type: t, Reason: reason, Provenance: rollcall.ProvenanceObserved,
		Window: w, Time: w.Before, Index: 1, Count: 1,
		Meeting: rollcall.Conference{Title: s.title, StartTime: sampleTime(0), Status: s.status, Present: s.present},
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

// Samples returns notes of the kind as they may come in a day, among them, but
// for that of `forward test`, some with names that try to break out of a markup.
func Samples(kind Kind) []Note {
	switch kind {
	case Single:
		return singleSamples()
	case Digest, CatchUp:
		return []Note{digestSample(kind, "Weekly review"), severalSample(kind)}
	case Found:
		s := sampleOf("Weekly review")
		s.found, s.present = true, 12
		return []Note{s.add(rollcall.MeetingStarted, "", "").add(rollcall.ParticipantInvited, "", "Mei").batch.Note("", 0)}
	case Sample:
		return []Note{s15()}
	case Trouble:
		return troubleSamples()
	}
	return nil
}

func s15() Note {
	s := sampleOf("Weekly review")
	n := s.add(rollcall.ParticipantKickedOut, "", "Mei").batch.Note(Sample, 0)
	n.Kind = Sample
	return n
}

func singleSamples() []Note {
	kicked := sampleOf("Weekly review").add(rollcall.ParticipantKickedOut, "", "Mei")
	hostile := sampleOf(Hostile).add(rollcall.ParticipantKickedOut, "", Hostile)
	several := sampleOf("Weekly review").add(rollcall.ParticipantKickedOut, "", "Mei").add(rollcall.ParticipantJoined, "", "Bob").add(rollcall.ParticipantMicOpened, "", "Bob").add(rollcall.ParticipantDeclined, "", "")
	started := sampleOf("Weekly review").add(rollcall.MeetingStarted, "", "")
	return []Note{kicked.batch.Note("", 0), hostile.batch.Note("", 0), several.batch.Note("", 0), started.batch.Note("", 0), endedSample(), lostSample(false), lostSample(true)}
}

func endedSample() Note {
	s := sampleOf("Weekly review")
	s.look, s.status, s.present = 62, rollcall.StatusEnded, 0
	s.add(rollcall.ParticipantLeft, rollcall.ReasonMeetingEnded, "Mei").add(rollcall.MeetingEnded, rollcall.ReasonStatus, "")
	minutes := func(least, most time.Duration) consume.Bounds {
		return consume.Bounds{Min: least * time.Minute, Max: most * time.Minute}
	}
	s.batch.Attend("acme", s.id, []consume.Visit{
		{Key: "mei", Nick: "Mei", Stay: minutes(61, 62)},
		{Key: "bob", Nick: "Bob", Stay: minutes(10, 11)},
		{Key: "bob", Nick: "Bob", Stay: minutes(20, 22)},
		{Key: "eve", Nick: Hostile, Stay: minutes(3, 4), How: consume.HowKickedOut},
		{Key: "guest", Stay: consume.Bounds{Min: 50 * time.Minute, Max: -1}},
	})
	return s.batch.Note("", 0)
}

func lostSample(resumed bool) Note {
	var b Batch
	e := rollcall.WatchEvent{
		Tenant: "acme", Shards: 1, Epoch: 1, Sequence: 1, Type: rollcall.WatchLost, Reason: rollcall.ReasonUnreachable, Provenance: rollcall.ProvenanceObserved,
		Window: rollcall.Window{After: sampleTime(0), Before: sampleTime(2)},
	}
	if resumed {
		e.Type, e.Window.Before = rollcall.WatchResumed, sampleTime(20)
	}
	b.AddWatch(e)
	return b.Note("", 0)
}

func digestSample(kind Kind, title string) Note {
	s := sampleOf(title)
	s.present = 24
	fill(s)
	s.add(rollcall.ParticipantKickedOut, "", "Eve")
	if kind == CatchUp {
		s.batch.Cut()
	}
	n := s.batch.Note(kind, 5)
	return n
}

func fill(s *sampler) {
	for i, name := range []string{"a", "b", "c", "d", "e", "f", "g", "h"} {
		s.look = 4 + i
		s.add(rollcall.ParticipantJoined, "", name).add(rollcall.ParticipantMicOpened, "", "x"+name)
		if i%3 == 0 {
			s.add(rollcall.ParticipantLeft, rollcall.ReasonLeft, "y"+name)
		}
	}
}

func severalSample(kind Kind) Note {
	s := sampleOf("Weekly review")
	fill(s)
	s.id, s.title, s.sequence, s.look = "7c3d", Hostile, 0, 9
	s.add(rollcall.ParticipantKickedOut, "", Hostile).add(rollcall.MeetingEnded, rollcall.ReasonStatus, "")
	n := s.batch.Note(kind, 5)
	n.LastOfMonth = true
	return n
}

func troubleSamples() []Note {
	failed := Failure{Target: "ops", Class: "rateLimited", Detail: "the robot was sent more than 20 messages in a minute", Since: sampleTime(4), Until: sampleTime(14), Waiting: 12}
	healed := failed
	healed.Healed = true
	return []Note{{Kind: Trouble, At: sampleTime(5), Failure: failed}, {Kind: Trouble, At: sampleTime(14), Failure: healed}}
}
