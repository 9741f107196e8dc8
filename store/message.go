package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"rollcall"
	"rollcall/internal/ledger"
	"rollcall/wire"
)

const contentTypeJSON = "application/json"

// forever is the TTL that exempts a message from the stream's age limit.
const forever = "never"

// RecordMessage makes the message that stores a record in place of the one
// before, if that one still has the revision expect (0: there is none yet).
// With keep the record outlives the stream's retention; without it ages out
// with its events. Its errors match [ledger.ErrRefused].
func RecordMessage(n wire.Names, r *rollcall.Record, expect uint64, keep bool) (ledger.Message, error) {
	var d ledger.Draft
	if err := DraftRecord(&d, n, r, expect, keep); err != nil {
		return ledger.Message{}, err
	}
	return d.Messages[0], nil
}

// DraftRecord is RecordMessage for a message that is added to a draft.
func DraftRecord(d *ledger.Draft, n wire.Names, r *rollcall.Record, expect uint64, keep bool) (err error) {
	data := d.Write(recordSize(r), func(dst []byte) []byte {
		dst, err = wire.EncodeRecord(dst, r)
		return dst
	})
	if err != nil {
		return fmt.Errorf("%w: %w", ledger.ErrRefused, err)
	}
	m := ledger.Message{
		Subject: n.State(r.Tenant, r.ConferenceID), Data: data, ContentType: contentTypeJSON,
		Guarded: true, Expect: expect, Rollup: true,
	}
	if keep {
		m.TTL = forever
	}
	d.Messages = append(d.Messages, m)
	return nil
}

// recordSize is about how many bytes a stored record takes; more is needed only
// where much has to be escaped.
func recordSize(r *rollcall.Record) int {
	const words, personal = 768, 192 // of a record, and of a person
	size := words + 3*len(r.ConferenceID) + len(r.Meeting.Title) + wire.LabelsSize(r.Labels)
	for i := range r.Roster {
		p := &r.Roster[i]
		size += personal + len(p.Key) + len(p.UserID) + len(p.Nick) + len(p.RejectDescription)
	}
	for i := range r.Memory {
		p := &r.Memory[i].Participant
		size += personal + len(p.Key) + len(p.UserID) + len(p.Nick) + len(p.RejectDescription)
	}
	return size
}

// TrackMessage makes the message that puts a meeting into the tracked set. Its
// errors match [ledger.ErrRefused].
func TrackMessage(n wire.Names, tenant string, t ledger.Tracking) (ledger.Message, error) {
	err := wire.CheckNames(tenant, t.ConferenceID)
	var data []byte
	if err == nil {
		data, err = wire.EncodeTracking(wire.Tracking{ConferenceID: t.ConferenceID, Source: t.Source, Since: t.Since, Looked: t.Looked, Labels: t.Labels})
	}
	if err != nil {
		return ledger.Message{}, fmt.Errorf("%w: track meeting %.300q: %w", ledger.ErrRefused, t.ConferenceID, err)
	}
	return ledger.Message{
		Subject: n.Tracked(tenant, t.ConferenceID), Data: data, ContentType: contentTypeJSON, Rollup: true, TTL: forever,
	}, nil
}

// UntrackMessage makes the message that takes a meeting off the tracked set: a
// tombstone without a payload that is gone a minute later. Until then whoever
// reads the set while a replica lags learns of it.
func UntrackMessage(n wire.Names, tenant, conferenceID string) ledger.Message {
	return ledger.Message{Subject: n.Tracked(tenant, conferenceID), Rollup: true, TTL: "1m"}
}

// storedTracking gives what a message of a tracked subject holds; one entry that
// cannot be read must not hide the others. Without a payload it is a tombstone.
func storedTracking(name string, data []byte, sequence uint64) ledger.Tracking {
	if len(data) == 0 {
		return ledger.Tracking{ConferenceID: conferenceID(name), Revision: sequence, Gone: true}
	}
	t, err := wire.DecodeTracking(data)
	if err == nil && t.ConferenceID != conferenceID(name) {
		err = fmt.Errorf("read an entry of the tracked set: it stands for meeting %.300q and speaks of %.300q", conferenceID(name), t.ConferenceID)
	}
	if err != nil {
		return ledger.Tracking{ConferenceID: conferenceID(name), Revision: sequence, Err: err}
	}
	return ledger.Tracking{
		ConferenceID: t.ConferenceID, Source: t.Source, Since: t.Since, Looked: t.Looked, Labels: t.Labels, Revision: sequence,
	}
}

// claimJSON is the stored shape of a claim; its term is its stream sequence.
type claimJSON struct {
	Schema int       `json:"schema"`
	Holder string    `json:"holder"`
	At     wire.Time `json:"at"`
}

// ReleaseMessage makes the message that says that nobody holds a shard, if its
// claim is still the one of this term.
func ReleaseMessage(n wire.Names, tenant string, shard int, term uint64) (ledger.Message, error) {
	data, err := json.Marshal(claimJSON{Schema: wire.RecordSchema, At: wire.Time{Time: time.Now()}})
	if err != nil {
		return ledger.Message{}, fmt.Errorf("%w: release shard %d of tenant %s: %w", ledger.ErrRefused, shard, tenant, err)
	}
	return ledger.Message{
		Subject: n.Claim(tenant, shard), Data: data, ContentType: contentTypeJSON, Guarded: true, Expect: term, Rollup: true, TTL: forever,
	}, nil
}

// storedClaim gives what a message of a claim's subject holds. It stands at its
// sequence whatever is in it, so that the next claim can come after it. Only that
// of a newer version is left alone.
func storedClaim(data []byte, sequence uint64) (ledger.Claim, error) {
	var stored claimJSON
	err := json.Unmarshal(data, &stored)
	err = wire.CheckSchema(data, stored.Schema, err)
	switch {
	case errors.Is(err, wire.ErrNewerSchema):
		return ledger.Claim{}, fmt.Errorf("read claim: %w", err)
	case err != nil:
		return ledger.Claim{Term: sequence, Err: fmt.Errorf("read claim: %w", err)}, nil
	}
	return ledger.Claim{Holder: stored.Holder, Term: sequence}, nil
}

// storedRecord gives what a message of a state subject holds. The record may be
// unreadable, but it is there: its id comes from the subject then.
func storedRecord(conferenceID string, data []byte, sequence uint64) ledger.Stored {
	stored := ledger.Stored{ConferenceID: conferenceID, Revision: sequence}
	stored.Record, stored.Err = wire.DecodeRecord(data)
	if stored.Err == nil && stored.Record.ConferenceID != conferenceID {
		stored.Err = fmt.Errorf("decode record: it is stored for meeting %.300q and speaks of %.300q", conferenceID, stored.Record.ConferenceID)
		stored.Record = nil
	}
	return stored
}
