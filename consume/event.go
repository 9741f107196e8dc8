package consume

import (
	"rollcall"
	"rollcall/wire"
)

// ErrNewer is matched by the error for an event or a record whose schema is
// newer than this program: it has to be updated to read on.
var ErrNewer = wire.ErrNewerSchema

// Event is one thing that changed in one meeting. Its window says when: after
// Window.After (zero: there was no earlier look) and before Window.Before. One
// without a ConferenceID is of no meeting, as a watch event: see [ParseWatch].
type Event struct {
	rollcall.Event
	known bool
}

// Parse reads an event as it stands on the bus. An event of a type that this
// program does not know is no error: it counts in the sequence, and
// [Event.Known] is false. The error of a newer schema matches [ErrNewer]; every
// other says what is wrong with the bytes.
func Parse(data []byte) (Event, error) {
	e, known, err := wire.ParseEvent(data)
	return Event{e, known}, err
}

// ParseWatch reads an event that says that a tenant's meetings are not, or are
// again, being looked at, from meetings.watch.<tenant>.<verb>. [Parse] reads it as
// of a type that is not known. The error of a newer schema matches [ErrNewer].
func ParseWatch(data []byte) (rollcall.WatchEvent, error) { return wire.DecodeWatch(data) }

// Known reports whether this program knows the event's type.
func (e *Event) Known() bool { return e.known }

// Gone reports whether the event says that somebody who was in the meeting is
// so no more: they left, or were kicked out. The end of a meeting tells it of
// everybody by an event of their own.
func (e *Event) Gone() bool {
	return e.Type == rollcall.ParticipantLeft || e.Type == rollcall.ParticipantKickedOut
}

// AsFound reports whether the event tells how the meeting was found at the
// first look, and not that something happened then.
func (e *Event) AsFound() bool { return e.Provenance == rollcall.ProvenanceBaseline }

// LastOfPoll reports whether this is the last event of its poll: after it the
// roster is what the poll saw.
func (e *Event) LastOfPoll() bool { return e.Index == e.Count }
