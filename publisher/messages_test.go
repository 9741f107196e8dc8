package publisher_test

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"pgregory.net/rapid"

	"rollcall"
	"rollcall/internal/ledger"
	"rollcall/publisher"
	"rollcall/wire"
)

// Events of one poll share what they have in common; whatever is handed in
// together, each message is what the event alone would make.
func TestEventMessagesAreThoseOfEachEventAlone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		events := []rollcall.Event{sample(rollcall.ParticipantJoined)}
		for range rapid.IntRange(0, 6).Draw(t, "more") {
			e := events[len(events)-1]
			e.Sequence++
			alter(&e, rapid.IntRange(0, 13).Draw(t, "what differs"))
			events = append(events, e)
		}
		msgs, err := publisher.EventMessages(names(), events)
		if err != nil || len(msgs) != len(events) {
			t.Fatalf("%d messages of %d events, %v", len(msgs), len(events), err)
		}
		for i := range events {
			e := &events[i]
			want := ledger.Message{
				Subject: names().Event(e.Tenant, e.ConferenceID, e.Type),
				Data:    wire.AppendEvent(nil, e), ContentType: wire.ContentType,
			}
			if msgs[i].Subject != want.Subject || !bytes.Equal(msgs[i].Data, want.Data) || msgs[i].ContentType != want.ContentType {
				t.Fatalf("event %d\ngot  %s %s\nwant %s %s", i, msgs[i].Subject, msgs[i].Data, want.Subject, want.Data)
			}
			_ = append(msgs[i].Data, "overrun"...)
		}
	})
}

// alter makes an event differ from the one before in one thing, or in none.
func alter(e *rollcall.Event, what int) {
	switch what {
	case 0:
		e.Tenant = "globex"
	case 1:
		e.ConferenceID += "/"
	case 2:
		e.Epoch++
	case 3:
		e.Index++
		e.Count++
	case 4:
		e.Meeting.Title += "<&>"
	case 5:
		e.Meeting.Media ^= rollcall.MediaMuteAll
	case 6:
		e.Window.Before = e.Window.Before.Add(time.Second)
	case 7:
		e.Window.After = time.Time{}
	case 8:
		e.Time = e.Time.Add(-time.Second)
	case 9:
		e.Type = rollcall.ParticipantMicOpened
	case 10:
		p := *e.Participant
		p.Key += "\u2028x"
		e.Participant = &p
	case 11:
		e.Reason, e.Provenance = rollcall.ReasonLeft, rollcall.ProvenanceInferred
	}
}

// One event that cannot be stored must not be left out in silence, wherever it stands.
func TestEventMessagesRefuseAllForOne(t *testing.T) {
	for name, spoil := range map[string]func(*rollcall.Event){
		"of its own":     func(e *rollcall.Event) { e.Sequence = 0 },
		"of the meeting": func(e *rollcall.Event) { e.Epoch = -1 },
	} {
		events := []rollcall.Event{sample(rollcall.MeetingStarted), sample(rollcall.ParticipantJoined), sample(rollcall.ParticipantLeft)}
		spoil(&events[2])
		if msgs, err := publisher.EventMessages(names(), events); !errors.Is(err, ledger.ErrRefused) || msgs != nil {
			t.Errorf("%s: %d messages, %v; want a refusal", name, len(msgs), err)
		}
	}
	if msgs, err := publisher.EventMessages(names(), nil); err != nil || len(msgs) != 0 {
		t.Errorf("no events: %d messages, %v", len(msgs), err)
	}
}
