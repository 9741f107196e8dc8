package publisher

import (
	"fmt"

	"rollcall"
	"rollcall/internal/ledger"
	"rollcall/wire"
)

// DraftEvents adds the messages of events to a draft, in their order. Those of
// one poll of one meeting, which have almost everything in common, come cheap.
// Its errors match [ledger.ErrRefused]: one of the events can never be stored,
// and none is added.
func DraftEvents(d *ledger.Draft, n wire.Names, events []rollcall.Event) error {
	before := d.Messages
	for len(events) > 0 {
		first := &events[0]
		if err := wire.CheckPoll(first); err != nil {
			d.Messages = before
			return refuse(first, err)
		}
		v, poll := wire.NewEnvelope(d.Write, n.Source, first), 1
		for poll < len(events) && v.Fits(&events[poll]) {
			poll++
		}
		if err := draft(d, n, &v, events[:poll]); err != nil {
			d.Messages = before
			return err
		}
		events = events[poll:]
	}
	return nil
}

// draft adds the messages of events of one poll.
func draft(d *ledger.Draft, n wire.Names, v *wire.Envelope, events []rollcall.Event) error {
	prefix := n.Event(events[0].Tenant, events[0].ConferenceID, "")
	room := v.Size(events)
	var name string
	for i := range events {
		e := &events[i]
		if err := wire.CheckEvent(e); err != nil {
			return refuse(e, err)
		}
		if i == 0 || e.Type != events[i-1].Type {
			name = prefix + string(e.Type)
		}
		data := d.Write(room, func(dst []byte) []byte { return v.Append(dst, e) })
		d.Messages = append(d.Messages, ledger.Message{Subject: name, Data: data, ContentType: wire.ContentType})
		room = 0
	}
	return nil
}

func refuse(e *rollcall.Event, err error) error {
	return fmt.Errorf("%w: encode event of meeting %.300q: %w", ledger.ErrRefused, e.ConferenceID, err)
}
