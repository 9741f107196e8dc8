package publisher

import (
	"errors"
	"fmt"
	"slices"
	"unicode/utf8"

	"rollcall"
	"rollcall/internal/ledger"
	"rollcall/wire"
)

// EventMessage makes the message of an event. Its errors match
// [ledger.ErrRefused]: such an event can never be stored.
func EventMessage(n wire.Names, e *rollcall.Event) (ledger.Message, error) {
	msgs, err := EventMessages(n, []rollcall.Event{*e})
	if err != nil {
		return ledger.Message{}, err
	}
	return msgs[0], nil
}

// EventMessages makes the messages of events, in their order. Its errors match
// [ledger.ErrRefused]: one of the events can never be stored.
func EventMessages(n wire.Names, events []rollcall.Event) ([]ledger.Message, error) {
	var d ledger.Draft
	err := DraftEvents(&d, n, events)
	return d.Messages, err
}

// DraftEvents adds the messages of events to a draft, in their order. Those of
// one poll of one meeting, which have almost everything in common, come cheap.
// Its errors match [ledger.ErrRefused]: one of the events can never be stored,
// and none is added.
func DraftEvents(d *ledger.Draft, n wire.Names, events []rollcall.Event) error {
	before := d.Messages
	for len(events) > 0 {
		first := &events[0]
		if err := checkMeeting(first); err != nil {
			d.Messages = before
			return refuse(first, err)
		}
		v, poll := newEnvelope(d, first), 1
		for poll < len(events) && v.fits(&events[poll]) {
			poll++
		}
		if err := v.draft(d, n, events[:poll]); err != nil {
			d.Messages = before
			return err
		}
		events = events[poll:]
	}
	return nil
}

// draft adds the messages of events that fit.
func (v *envelope) draft(d *ledger.Draft, n wire.Names, events []rollcall.Event) error {
	prefix := n.Event(v.of.Tenant, v.of.ConferenceID, "")
	room := v.size(events)
	var name string
	for i := range events {
		e := &events[i]
		if err := checkEvent(e); err != nil {
			return refuse(e, err)
		}
		if i == 0 || e.Type != events[i-1].Type {
			name = prefix + string(e.Type)
		}
		data := d.Write(room, func(dst []byte) []byte { return v.append(dst, e) })
		d.Messages = append(d.Messages, ledger.Message{Subject: name, Data: data, ContentType: ContentType})
		room = 0
	}
	return nil
}

func refuse(e *rollcall.Event, err error) error {
	return fmt.Errorf("%w: encode event of meeting %.300q: %w", ledger.ErrRefused, e.ConferenceID, err)
}

// checkMeeting refuses what no event of the poll can have.
func checkMeeting(e *rollcall.Event) error {
	switch {
	case !rollcall.ValidTenant(e.Tenant):
		return fmt.Errorf("%.64q is no tenant", e.Tenant)
	case e.ConferenceID == "" || len(e.ConferenceID) > rollcall.MaxID:
		return fmt.Errorf("the id of a meeting has 1 to %d bytes, not %d", rollcall.MaxID, len(e.ConferenceID))
	case !utf8.ValidString(e.ConferenceID):
		return errors.New("the id of the meeting is not UTF-8")
	case e.Epoch < 0:
		return fmt.Errorf("%s: epoch %d", e.Type, e.Epoch)
	case e.Window.Before.IsZero():
		return fmt.Errorf("%s: no end of the window", e.Type)
	case e.Window.Before.Before(e.Window.After):
		return fmt.Errorf("%s: the window ends before it begins", e.Type)
	}
	if err := wire.CheckTime("startTime", e.Meeting.StartTime); err != nil {
		return err
	}
	if err := wire.CheckTime("window.after", e.Window.After); err != nil {
		return err
	}
	return wire.CheckTime("window.before", e.Window.Before)
}

// checkEvent refuses what this one event cannot have.
func checkEvent(e *rollcall.Event) error {
	switch {
	case !knownType(e.Type):
		return fmt.Errorf("unknown type %.64q", e.Type)
	case (e.Type.Entity() == "participant") != (e.Participant != nil):
		return fmt.Errorf("%s: participant events have a participant, others have none", e.Type)
	case e.Participant != nil && (e.Participant.Key == "" || !utf8.ValidString(e.Participant.Key)):
		return fmt.Errorf("%s: the participant has no proper key", e.Type)
	case e.Sequence == 0 || e.Index < 1 || e.Index > e.Count:
		return fmt.Errorf("%s: sequence %d, %d of %d", e.Type, e.Sequence, e.Index, e.Count)
	case e.Time.IsZero():
		return fmt.Errorf("%s: no time", e.Type)
	}
	return wire.CheckTime("time", e.Time)
}

func knownType(t rollcall.Type) bool { return slices.Contains(rollcall.Types(), t) }
