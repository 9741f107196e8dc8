package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// story is what must have been published of one meeting, and how far the stored
// events have done so.
type story struct {
	expected []happening
	told     int
	state    uint64 // at last
}

// stories replays what DingTalk has reported.
func (w world) stories(phases []phase) ([]story, error) {
	all := make([]story, w.Meetings)
	for meeting := range all {
		all[meeting].expected = w.baseline(meeting)
	}
	for _, p := range phases {
		if p.Rate == hold {
			continue
		}
		c, err := w.cycleOf(p.Rate)
		if err != nil {
			return nil, err
		}
		for meeting, served := range p.Served {
			all[meeting].follow(c, meeting, int(served))
		}
	}
	return all, nil
}

func (s *story) follow(c cycle, meeting, served int) {
	round := c.states(meeting)
	for n := range served {
		next := round[n%len(round)]
		s.expected = between(s.expected, meeting, s.state, next)
		s.state = next
	}
}

// told is an event as it was stored.
type told struct {
	Type     string `json:"type"`
	Sequence string `json:"sequence"`
	Data     struct {
		ConferenceID string `json:"conferenceId"`
		Participant  *struct {
			Key string `json:"key"`
		} `json:"participant"`
		Window struct {
			Before time.Time `json:"before"`
		} `json:"window"`
	} `json:"data"`
}

// judge holds everything that was stored against the truth: each event once,
// in order, without a hole, and records that agree with the last answers. It
// adds to the samples what the events say about their time.
func (s *scene) judge(ctx context.Context, samples []*sample) error {
	var phases []phase
	if err := getJSON(ctx, s.steer+"/bench/phases", &phases); err != nil {
		return err
	}
	stories, err := s.world.stories(phases)
	if err != nil {
		return err
	}
	err = s.eachMessage(ctx, "meetings.event.>", func(m jetstream.Msg) error { return hear(stories, samples, m) })
	if err != nil {
		return err
	}
	for meeting := range stories {
		if st := &stories[meeting]; st.told != len(st.expected) {
			return fmt.Errorf("meeting %s: %d events are stored, %d have happened; the first that is missing: %v",
				id(meeting), st.told, len(st.expected), st.expected[st.told])
		}
	}
	for _, m := range samples {
		slices.Sort(m.latency)
		m.stored = int64(len(m.latency))
	}
	return s.judgeRecords(ctx, stories)
}

func hear(stories []story, samples []*sample, m jetstream.Msg) error {
	var e told
	if err := json.Unmarshal(m.Data(), &e); err != nil {
		return fmt.Errorf("read event %s: %w", m.Subject(), err)
	}
	meeting, err := meetingOf(e.Data.ConferenceID, len(stories))
	if err != nil {
		return fmt.Errorf("read event %s: %w", m.Subject(), err)
	}
	got := happening{Type: e.Type}
	if e.Data.Participant != nil {
		got.Key = e.Data.Participant.Key
	}
	if err := stories[meeting].hear(got, e.Sequence); err != nil {
		return fmt.Errorf("meeting %s: %w", id(meeting), err)
	}
	meta, err := m.Metadata()
	if err != nil {
		return fmt.Errorf("read event %s: %w", m.Subject(), err)
	}
	for _, sample := range samples {
		if sample.from.at.Before(meta.Timestamp) && meta.Timestamp.Before(sample.to.at) {
			sample.latency = append(sample.latency, meta.Timestamp.Sub(e.Data.Window.Before))
		}
	}
	return nil
}

func (s *story) hear(got happening, sequence string) error {
	if s.told == len(s.expected) {
		return fmt.Errorf("event %s: %v was told, and nothing more has happened", sequence, got)
	}
	if want := s.expected[s.told]; got != want {
		return fmt.Errorf("event %s: %v was told, and %v has happened", sequence, got, want)
	}
	if s.told++; sequence != fmt.Sprintf("%012d", s.told) {
		return fmt.Errorf("event %d has the sequence %s", s.told, sequence)
	}
	return nil
}
