package wire

import (
	"maps"
	"strconv"

	"rollcall"
)

// ContentType is the content type of an event's message.
const ContentType = "application/cloudevents+json"

// DataSchema is the schema of an event's data that this version writes and reads.
const DataSchema = "rollcall:event:1"

// sequenceDigits makes sequences sort as text.
const sequenceDigits = 12

const typePrefix = "rollcall."

// AppendEvent appends the event as a CloudEvent in structured JSON. It does
// not check the event; what it appends is valid JSON for any strings.
func AppendEvent(dst []byte, e *rollcall.Event) []byte {
	v := NewEnvelope(ownMemory, "", e)
	return v.Append(dst, e)
}

// Memory returns what write appends, in memory that lives as long as what it is
// used for; room is about how many bytes that are.
type Memory func(room int, write func(dst []byte) []byte) []byte

func ownMemory(_ int, write func(dst []byte) []byte) []byte { return write(nil) }

// Envelope is what the events of one poll of one meeting have in common, as
// JSON: the pieces that stand between what is each event's own.
type Envelope struct {
	of    *rollcall.Event // one of them
	token string          // of the meeting

	id, source, key, poll, window, before []byte
}

// NewEnvelope writes what the events of e's poll have in common; source is that
// of [Names].
func NewEnvelope(memory Memory, source string, e *rollcall.Event) Envelope {
	token := Token(e.ConferenceID)
	v := Envelope{of: e, token: token}
	v.id = memory(760+3*len(token)+2*len(e.ConferenceID)+len(e.Meeting.Title)+len(source)+LabelsSize(e.Labels), func(dst []byte) []byte {
		return appendEpochID(append(dst, `{"specversion":"1.0","id":"`...), e, token)
	})
	v.source = memory(0, func(dst []byte) []byte {
		dst = append(append(dst, `","source":"`...), source...)
		return append(appendSource(dst, e, token), `","type":`...)
	})
	v.key = memory(0, func(dst []byte) []byte {
		dst = AppendString(append(dst, `","partitionkey":`...), e.ConferenceID)
		dst = strconv.AppendInt(append(dst, `,"epoch":"`...), e.Epoch, 10)
		dst = AppendString(append(dst, `","tenant":`...), e.Tenant)
		dst = AppendString(append(dst, `,"data":{"tenant":`...), e.Tenant)
		dst = AppendString(append(dst, `,"conferenceId":`...), e.ConferenceID)
		dst = strconv.AppendInt(append(dst, `,"epoch":`...), e.Epoch, 10)
		return append(dst, `,"sequence":`...)
	})
	v.poll = memory(0, func(dst []byte) []byte {
		dst = strconv.AppendInt(append(dst, `,"count":`...), int64(e.Count), 10)
		dst = AppendMeeting(append(dst, `},"meeting":`...), &e.Meeting)
		return AppendLabels(append(dst, `,"labels":`...), e.Labels)
	})
	v.window = memory(0, func(dst []byte) []byte {
		dst = AppendTime(append(dst, `,"window":{"after":`...), e.Window.After)
		return append(dst, `,"before":`...)
	})
	v.before = memory(0, func(dst []byte) []byte { return AppendTime(dst, e.Window.Before) })
	return v
}

// Fits reports whether e has in common what the envelope says.
func (v *Envelope) Fits(e *rollcall.Event) bool {
	return v.of.Tenant == e.Tenant && v.of.ConferenceID == e.ConferenceID && v.of.Epoch == e.Epoch &&
		v.of.Count == e.Count && v.of.Meeting == e.Meeting && v.of.Window == e.Window && maps.Equal(v.of.Labels, e.Labels)
}

// Size is about how many bytes the events take; more is needed only where much
// has to be escaped.
func (v *Envelope) Size(events []rollcall.Event) int {
	const words = 455 // of an event and its participant, the numbers, and a longer time
	one := words + len(v.id) + len(v.source) + len(v.token) + len(v.key) + len(v.poll) + len(v.window) + 2*len(v.before)
	size := one * len(events)
	for i := range events {
		if p := events[i].Participant; p != nil {
			size += 3*len(p.Key) + len(p.UserID) + len(p.Nick) + len(p.RejectDescription)
			if p.Roles != (rollcall.Roles{}) {
				size += rolesSize
			}
		}
		if s := events[i].Summary; s != nil {
			size += summarySize(s)
		}
	}
	return size
}

// Append appends an event that fits, as a CloudEvent in structured JSON.
func (v *Envelope) Append(dst []byte, e *rollcall.Event) []byte {
	dst = AppendDigits(append(dst, v.id...), e.Sequence, sequenceDigits)
	dst = AppendString(append(dst, v.source...), typePrefix+string(e.Type))
	dst = appendSubject(append(dst, `,"subject":"`...), e, v.token)
	dst = v.appendTime(append(dst, `","time":`...), e)
	dst = append(dst, `,"datacontenttype":"application/json","dataschema":"`+DataSchema+`","sequence":"`...)
	dst = AppendDigits(dst, e.Sequence, sequenceDigits)
	dst = strconv.AppendUint(append(dst, v.key...), e.Sequence, 10)
	dst = strconv.AppendInt(append(dst, `,"poll":{"index":`...), int64(e.Index), 10)
	dst = append(dst, v.poll...)
	switch {
	case e.Type == rollcall.ParticipantForgotten:
		dst = append(AppendString(append(dst, `,"participant":{"key":`...), e.Participant.Key), '}')
	case e.Participant != nil:
		dst = AppendParticipant(append(dst, `,"participant":`...), e.Participant)
	}
	dst = AppendString(append(dst, `,"reason":`...), string(e.Reason))
	dst = AppendString(append(dst, `,"provenance":`...), string(e.Provenance))
	dst = strconv.AppendBool(append(dst, `,"exact":`...), e.Exact)
	dst = append(append(dst, v.window...), v.before...)
	if dst = append(dst, '}'); e.Summary != nil {
		dst = appendSummary(append(dst, `,"summary":`...), e.Summary)
	}
	return append(dst, "}}"...)
}

// appendTime appends the event's time, which mostly is the end of the window.
func (v *Envelope) appendTime(dst []byte, e *rollcall.Event) []byte {
	if e.Time.Equal(v.of.Window.Before) {
		return append(dst, v.before...)
	}
	return AppendTime(dst, e.Time)
}

// appendEpochID appends an event's id as far as all of the epoch have it in common.
func appendEpochID(dst []byte, e *rollcall.Event, token string) []byte {
	dst = append(append(append(dst, e.Tenant...), '/'), token...)
	return append(strconv.AppendInt(append(dst, '/'), e.Epoch, 10), '-')
}

func appendEventID(dst []byte, e *rollcall.Event, token string) []byte {
	return AppendDigits(appendEpochID(dst, e, token), e.Sequence, sequenceDigits)
}

func appendSource(dst []byte, e *rollcall.Event, token string) []byte {
	dst = append(append(dst, "/rollcall/"...), e.Tenant...)
	return append(append(dst, '/'), token...)
}

func appendSubject(dst []byte, e *rollcall.Event, token string) []byte {
	dst = append(dst, token...)
	if e.Participant == nil {
		return dst
	}
	return append(append(dst, '/'), Token(e.Participant.Key)...)
}
