package publisher_test

import (
	"errors"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"rollcall"
	"rollcall/internal/ledger"
	"rollcall/publisher"
	"rollcall/wire"
)

func names() wire.Names { return wire.Names{Stream: "MEETINGS", Prefix: "meetings"} }

func at(ms int64) time.Time { return time.UnixMilli(ms).UTC() }

func sample(kind rollcall.Type) rollcall.Event {
	e := rollcall.Event{
		Tenant: "acme", ConferenceID: "c.1", Epoch: 1700000000000, Sequence: 17, Type: kind, Time: at(1700000005123),
		Index: 1, Count: 3,
		Meeting: rollcall.Conference{
			Title: "Weekly <b>", StartTime: at(1699999999000), Status: rollcall.StatusStarted,
			Media: rollcall.MediaMuteAll | 64, Present: 2,
		},
		Provenance: rollcall.ProvenanceObserved,
		Window:     rollcall.Window{After: at(1700000000123), Before: at(1700000005123)},
	}
	if kind.Entity() == "participant" {
		e.Participant = &rollcall.Participant{
			Key: "anon:李 雷#1", Nick: "李 雷", Attendance: rollcall.AttendancePresent,
			Mic: rollcall.DeviceOpen, Camera: rollcall.DeviceClosed, Session: 2,
		}
	}
	return e
}

// drafted returns the messages of events.
func drafted(events ...rollcall.Event) ([]ledger.Message, error) {
	var d ledger.Draft
	err := publisher.DraftEvents(&d, names(), events)
	return d.Messages, err
}

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
		msgs, err := drafted(events...)
		if err != nil || len(msgs) != len(events) {
			t.Fatalf("%d messages of %d events, %v", len(msgs), len(events), err)
		}
		for i := range events {
			e := &events[i]
			want := ledger.Message{
				Subject: names().Event(e.Tenant, e.ConferenceID, e.Type),
				Data:    wire.AppendEvent(nil, e), ContentType: wire.ContentType,
			}
			if diff := cmp.Diff(want, msgs[i]); diff != "" {
				t.Fatalf("event %d: %s", i, diff)
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
		if msgs, err := drafted(events...); !errors.Is(err, ledger.ErrRefused) || msgs != nil {
			t.Errorf("%s: %d messages, %v; want a refusal", name, len(msgs), err)
		}
	}
	if msgs, err := drafted(); err != nil || len(msgs) != 0 {
		t.Errorf("no events: %d messages, %v", len(msgs), err)
	}
}

// BenchmarkEventMessages makes the messages of one poll of one meeting.
func BenchmarkEventMessages(b *testing.B) {
	for _, n := range []int{1, 2, 20} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			events := make([]rollcall.Event, n)
			for i := range events {
				events[i] = sample(rollcall.ParticipantMicOpened)
				events[i].Index, events[i].Count, events[i].Sequence = i+1, n, uint64(i)+1
				events[i].Participant.Key, events[i].Participant.UserID = "user-000123", "user-000123"
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := drafted(events...); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/event")
		})
	}
}
