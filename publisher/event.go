package publisher

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"unicode/utf8"

	"rollcall"
	"rollcall/internal/ledger"
	"rollcall/internal/subject"
	"rollcall/internal/wire"
)

// ContentType is the content type of an event's message.
const ContentType = "application/cloudevents+json"

// DataSchema is the schema of an event's data that this version writes and reads.
const DataSchema = "rollcall:event:1"

// sequenceDigits makes sequences sort as text.
const sequenceDigits = 12

// EventMessage makes the message of an event. Its errors match
// [ledger.ErrRefused]: such an event can never be stored.
func EventMessage(n subject.Names, e *rollcall.Event) (ledger.Message, error) {
	if err := checkEvent(e); err != nil {
		return ledger.Message{}, fmt.Errorf("%w: encode event of meeting %.300q: %w", ledger.ErrRefused, e.ConferenceID, err)
	}
	return ledger.Message{
		Subject:     n.Event(e.Tenant, e.ConferenceID, e.Type),
		Data:        AppendEvent(make([]byte, 0, 1024), e),
		ContentType: ContentType,
	}, nil
}

func checkEvent(e *rollcall.Event) error {
	switch {
	case !rollcall.ValidTenant(e.Tenant):
		return fmt.Errorf("%.64q is no tenant", e.Tenant)
	case e.ConferenceID == "" || len(e.ConferenceID) > rollcall.MaxID:
		return fmt.Errorf("the id of a meeting has 1 to %d bytes, not %d", rollcall.MaxID, len(e.ConferenceID))
	case !utf8.ValidString(e.ConferenceID):
		return errors.New("the id of the meeting is not UTF-8")
	case !slices.Contains(rollcall.Types(), e.Type):
		return fmt.Errorf("unknown type %.64q", e.Type)
	case (e.Type.Entity() == "participant") != (e.Participant != nil):
		return fmt.Errorf("%s: participant events have a participant, others have none", e.Type)
	case e.Participant != nil && (e.Participant.Key == "" || !utf8.ValidString(e.Participant.Key)):
		return fmt.Errorf("%s: the participant has no proper key", e.Type)
	case e.Epoch < 0 || e.Sequence == 0 || e.Index < 1 || e.Index > e.Count:
		return fmt.Errorf("%s: epoch %d, sequence %d, %d of %d", e.Type, e.Epoch, e.Sequence, e.Index, e.Count)
	case e.Time.IsZero() || e.Window.Before.IsZero():
		return fmt.Errorf("%s: no time, or no end of the window", e.Type)
	case e.Window.Before.Before(e.Window.After):
		return fmt.Errorf("%s: the window ends before it begins", e.Type)
	}
	return checkTimes(e)
}

func checkTimes(e *rollcall.Event) error {
	if err := wire.CheckTime("time", e.Time); err != nil {
		return err
	}
	if err := wire.CheckTime("startTime", e.Meeting.StartTime); err != nil {
		return err
	}
	if err := wire.CheckTime("window.after", e.Window.After); err != nil {
		return err
	}
	return wire.CheckTime("window.before", e.Window.Before)
}

// AppendEvent appends the event as a CloudEvent in structured JSON. It does
// not check the event; what it appends is valid JSON for any strings.
func AppendEvent(dst []byte, e *rollcall.Event) []byte {
	token := subject.Token(e.ConferenceID)
	dst = append(dst, `{"specversion":"1.0","id":"`...)
	dst = appendEventID(dst, e, token)
	dst = append(dst, `","source":"`...)
	dst = appendSource(dst, e, token)
	dst = append(dst, `","type":`...)
	dst = wire.AppendString(dst, typePrefix+string(e.Type))
	dst = append(dst, `,"subject":"`...)
	dst = appendSubject(dst, e, token)
	dst = append(dst, `","time":`...)
	dst = wire.AppendTime(dst, e.Time)
	dst = append(dst, `,"datacontenttype":"application/json","dataschema":"`+DataSchema+`","sequence":"`...)
	dst = wire.AppendDigits(dst, e.Sequence, sequenceDigits)
	dst = append(dst, `","partitionkey":`...)
	dst = wire.AppendString(dst, e.ConferenceID)
	dst = append(dst, `,"data":`...)
	dst = appendData(dst, e)
	return append(dst, '}')
}

const typePrefix = "rollcall."

func appendEventID(dst []byte, e *rollcall.Event, token string) []byte {
	dst = append(append(append(dst, e.Tenant...), '/'), token...)
	dst = strconv.AppendInt(append(dst, '/'), e.Epoch, 10)
	return wire.AppendDigits(append(dst, '-'), e.Sequence, sequenceDigits)
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
	return append(append(dst, '/'), subject.Token(e.Participant.Key)...)
}

func appendData(dst []byte, e *rollcall.Event) []byte {
	dst = append(dst, `{"tenant":`...)
	dst = wire.AppendString(dst, e.Tenant)
	dst = append(dst, `,"conferenceId":`...)
	dst = wire.AppendString(dst, e.ConferenceID)
	dst = append(dst, `,"epoch":`...)
	dst = strconv.AppendInt(dst, e.Epoch, 10)
	dst = append(dst, `,"sequence":`...)
	dst = strconv.AppendUint(dst, e.Sequence, 10)
	dst = append(dst, `,"poll":{"index":`...)
	dst = strconv.AppendInt(dst, int64(e.Index), 10)
	dst = append(dst, `,"count":`...)
	dst = strconv.AppendInt(dst, int64(e.Count), 10)
	dst = append(dst, `},"meeting":`...)
	dst = wire.AppendMeeting(dst, &e.Meeting)
	if e.Participant != nil {
		dst = append(dst, `,"participant":`...)
		dst = wire.AppendParticipant(dst, e.Participant)
	}
	dst = append(dst, `,"reason":`...)
	dst = wire.AppendString(dst, string(e.Reason))
	dst = append(dst, `,"provenance":`...)
	dst = wire.AppendString(dst, string(e.Provenance))
	dst = append(dst, `,"window":{"after":`...)
	dst = wire.AppendTime(dst, e.Window.After)
	dst = append(dst, `,"before":`...)
	dst = wire.AppendTime(dst, e.Window.Before)
	return append(dst, '}', '}')
}
