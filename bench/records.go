package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/nats-io/nats.go/jetstream"
)

// eachMessage returns f all that the worker has stored under a subject, in order.
func (s *scene) eachMessage(ctx context.Context, subject string, f func(jetstream.Msg) error) error {
	return s.jetStream(func(js jetstream.JetStream) error {
		consumer, err := js.OrderedConsumer(ctx, "MEETINGS", jetstream.OrderedConsumerConfig{FilterSubjects: []string{subject}})
		if err != nil {
			return fmt.Errorf("read %s: %w", subject, err)
		}
		info, err := consumer.Info(ctx)
		if err != nil {
			return fmt.Errorf("read %s: %w", subject, err)
		}
		messages, err := consumer.Messages(jetstream.PullMaxMessages(5000))
		if err != nil {
			return fmt.Errorf("read %s: %w", subject, err)
		}
		defer messages.Stop()
		for range info.NumPending {
			m, err := messages.Next(jetstream.NextContext(ctx))
			if err != nil {
				return fmt.Errorf("read %s: %w", subject, err)
			}
			if err := f(m); err != nil {
				return err
			}
		}
		return nil
	})
}

// record is a stored record, as far as the truth knows it.
type record struct {
	ConferenceID string  `json:"conferenceId"`
	Sequence     int     `json:"sequence"`
	Roster       []stand `json:"roster"`
}

// stand is how a person stands in a roster.
type stand struct {
	Key        string `json:"key"`
	Attendance string `json:"attendance"`
	Mic        string `json:"mic"`
	Camera     string `json:"camera"`
}

// judgeRecords holds each meeting's record against the last answer about it.
func (s *scene) judgeRecords(ctx context.Context, stories []story) error {
	seen := 0
	err := s.eachMessage(ctx, "meetings.state.>", func(m jetstream.Msg) error {
		var r record
		if err := json.Unmarshal(m.Data(), &r); err != nil {
			return fmt.Errorf("read record %s: %w", m.Subject(), err)
		}
		meeting, err := meetingOf(r.ConferenceID, len(stories))
		if err != nil {
			return fmt.Errorf("read record %s: %w", m.Subject(), err)
		}
		seen++
		return s.world.judgeRecord(&r, meeting, &stories[meeting])
	})
	if err == nil && seen != len(stories) {
		return fmt.Errorf("%d records are stored of %d meetings", seen, len(stories))
	}
	return err
}

func (w world) judgeRecord(r *record, meeting int, st *story) error {
	if r.Sequence != st.told {
		return fmt.Errorf("meeting %s: the record is of event %d, the last is %d", r.ConferenceID, r.Sequence, st.told)
	}
	roster := w.roster(meeting, st.state)
	if len(r.Roster) != len(roster) {
		return fmt.Errorf("meeting %s: the record has %d people, the last answer %d", r.ConferenceID, len(r.Roster), len(roster))
	}
	for i, want := range roster {
		if r.Roster[i] != want {
			return fmt.Errorf("meeting %s: the record says %v, the last answer %v", r.ConferenceID, r.Roster[i], want)
		}
	}
	return nil
}

// roster is who is there in a state of a meeting, and how.
func (w world) roster(meeting int, state uint64) (all []stand) {
	for person := range w.People {
		s := stand{userID(meeting, person), "present", "closed", "closed"}
		on := state>>person&1 == 1
		switch factOf(person) {
		case microphone:
			s.Mic = word(on)
		case camera:
			s.Camera = word(on)
		case absence:
			if on {
				continue
			}
		}
		all = append(all, s)
	}
	return all
}

func word(open bool) string {
	if open {
		return "open"
	}
	return "closed"
}

func meetingOf(id string, meetings int) (int, error) {
	digits, ok := strings.CutPrefix(id, idPrefix)
	meeting, err := strconv.Atoi(digits)
	if !ok || err != nil || meeting < 0 || meeting >= meetings {
		return 0, fmt.Errorf("%q is no meeting of ours", id)
	}
	return meeting, nil
}
