package ledger

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"rollcall/wire"
)

// Raw is a stored message as it is read; the zero value: there is none.
type Raw struct {
	Subject  string
	Sequence uint64
	Data     []byte
}

// claimJSON is the stored shape of a claim; its term is its stream sequence.
type claimJSON struct {
	Schema int       `json:"schema"`
	Holder string    `json:"holder"`
	At     wire.Time `json:"at"`
}

// shardsJSON is the stored shape of [Shards].
type shardsJSON struct {
	Schema int       `json:"schema"`
	Shards int       `json:"shards"`
	By     string    `json:"by"` // the worker that said it
	At     wire.Time `json:"at"`
}

// ReadMeeting reads what is stored of a meeting: its record, and its entry in the
// tracked set. The result has no id where neither message is there.
func ReadMeeting(id string, state, entry Raw) (stored Stored) {
	if state.Sequence > 0 {
		stored = ReadRecord(id, state)
	}
	if entry.Sequence == 0 {
		return stored
	}
	if t := ReadTracking(entry); !t.Gone {
		stored.ConferenceID, stored.Tracking = id, &t
	}
	return stored
}

// ReadRecord reads a message of a state subject. The record may be unreadable,
// but it is there: its id comes from the subject then.
func ReadRecord(conferenceID string, m Raw) Stored {
	stored := Stored{ConferenceID: conferenceID, Revision: m.Sequence}
	stored.Record, stored.Err = wire.DecodeRecord(m.Data)
	if stored.Err == nil && stored.Record.ConferenceID != conferenceID {
		stored.Err = fmt.Errorf("decode record: it is stored for meeting %.300q and speaks of %.300q", conferenceID, stored.Record.ConferenceID)
		stored.Record = nil
	}
	return stored
}

// ReadTracking reads a message of a tracked subject; one entry that cannot be
// read must not hide the others. Without a payload it is a tombstone.
func ReadTracking(m Raw) Tracking {
	id := MeetingOf(m.Subject)
	if len(m.Data) == 0 {
		return Tracking{ConferenceID: id, Revision: m.Sequence, Gone: true}
	}
	t, err := wire.DecodeTracking(m.Data)
	if err == nil && t.ConferenceID != id {
		err = fmt.Errorf("read an entry of the tracked set: it stands for meeting %.300q and speaks of %.300q", id, t.ConferenceID)
	}
	if err != nil {
		return Tracking{ConferenceID: id, Revision: m.Sequence, Err: err}
	}
	return Tracking{
		ConferenceID: t.ConferenceID, Source: t.Source, Since: t.Since, Looked: t.Looked, Labels: t.Labels, Revision: m.Sequence,
	}
}

// ReadClaim reads a message of a claim's subject. It stands at its sequence
// whatever is in it, so that the next claim can come after it. Only that of a
// newer version is left alone.
func ReadClaim(m Raw) (Claim, error) {
	var stored claimJSON
	err := json.Unmarshal(m.Data, &stored)
	err = wire.CheckSchema(m.Data, stored.Schema, err)
	switch {
	case errors.Is(err, wire.ErrNewerSchema):
		return Claim{}, fmt.Errorf("read claim: %w", err)
	case err != nil:
		return Claim{Term: m.Sequence, Err: fmt.Errorf("read claim: %w", err)}, nil
	}
	return Claim{Holder: stored.Holder, Term: m.Sequence}, nil
}

// ReadShards reads the message that says how many shards a tenant's meetings form.
func ReadShards(m Raw) (Shards, error) {
	var stored shardsJSON
	err := json.Unmarshal(m.Data, &stored)
	if err := wire.CheckSchema(m.Data, stored.Schema, err); err != nil {
		return Shards{}, fmt.Errorf("decode the number of shards: %w", err)
	}
	if stored.Shards < 1 || stored.Shards > MaxShards {
		return Shards{}, fmt.Errorf("decode the number of shards: %d is not from 1 to %d", stored.Shards, MaxShards)
	}
	return Shards{Count: stored.Shards, Revision: m.Sequence}, nil
}

// MeetingOfEvent returns the id of the meeting that an event's subject names.
func MeetingOfEvent(subject string) string {
	entity := strings.LastIndexByte(subject[:max(strings.LastIndexByte(subject, '.'), 0)], '.')
	return MeetingOf(subject[:max(entity, 0)])
}

// MeetingOf returns the id of the meeting that a subject ends with.
func MeetingOf(subject string) string {
	token := subject[strings.LastIndexByte(subject, '.')+1:]
	if id, ok := wire.Value(token); ok {
		return id
	}
	return token
}
