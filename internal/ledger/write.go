package ledger

import (
	"encoding/json"
	"fmt"
	"time"

	"rollcall"
	"rollcall/wire"
)

const contentTypeJSON = "application/json"

// Forever is the TTL that exempts a message from the stream's age limit.
const Forever = "never"

// DraftRecord adds to a draft the message that stores a record in place of the
// one before, if that one still has the revision expect (0: there is none yet).
// With keep the record outlives the stream's retention; without it ages out
// with its events. Its errors match [ErrRefused].
func DraftRecord(d *Draft, n wire.Names, r *rollcall.Record, expect uint64, keep bool) (err error) {
	data := d.Write(recordSize(r), func(dst []byte) []byte {
		dst, err = wire.EncodeRecord(dst, r)
		return dst
	})
	if err != nil {
		return fmt.Errorf("%w: %w", ErrRefused, err)
	}
	m := Message{
		Subject: n.State(r.Tenant, r.ConferenceID), Data: data, ContentType: contentTypeJSON,
		Guarded: true, Expect: expect, Rollup: true,
	}
	if keep {
		m.TTL = Forever
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
// errors match [ErrRefused].
func TrackMessage(n wire.Names, tenant string, t Tracking) (Message, error) {
	err := wire.CheckNames(tenant, t.ConferenceID)
	var data []byte
	if err == nil {
		data, err = wire.EncodeTracking(wire.Tracking{ConferenceID: t.ConferenceID, Source: t.Source, Since: t.Since, Looked: t.Looked, Labels: t.Labels})
	}
	if err != nil {
		return Message{}, fmt.Errorf("%w: track meeting %.300q: %w", ErrRefused, t.ConferenceID, err)
	}
	return Message{
		Subject: n.Tracked(tenant, t.ConferenceID), Data: data, ContentType: contentTypeJSON, Rollup: true, TTL: Forever,
	}, nil
}

// UntrackMessage makes the message that takes a meeting off the tracked set: a
// tombstone without a payload that is gone a minute later. Until then a reader
// of the set learns of it even while a replica lags.
func UntrackMessage(n wire.Names, tenant, conferenceID string) Message {
	return Message{Subject: n.Tracked(tenant, conferenceID), Rollup: true, TTL: "1m"}
}

// ClaimMessage makes the message that assigns a shard to a holder, if its claim
// is still the one of this term (0: there is none yet). Its stream sequence is
// the new term.
func ClaimMessage(n wire.Names, tenant string, shard int, holder string, term uint64) (Message, error) {
	data, err := json.Marshal(claimJSON{Schema: wire.RecordSchema, Holder: holder, At: wire.Time{Time: time.Now()}})
	if err != nil {
		return Message{}, fmt.Errorf("%w: claim shard %d of tenant %s: %w", ErrRefused, shard, tenant, err)
	}
	return lasting(n.Claim(tenant, shard), data, term), nil
}

// ReleaseMessage makes the message that says that nobody holds a shard, if its
// claim is still the one of this term.
func ReleaseMessage(n wire.Names, tenant string, shard int, term uint64) (Message, error) {
	return ClaimMessage(n, tenant, shard, "", term)
}

// ShardsMessage makes the message that says how many shards a tenant's meetings
// form, if what said it last still has the revision expect (0: nothing did).
func ShardsMessage(n wire.Names, tenant string, count int, by string, expect uint64) (Message, error) {
	data, err := json.Marshal(shardsJSON{wire.RecordSchema, count, by, wire.Time{Time: time.Now()}})
	if err != nil {
		return Message{}, fmt.Errorf("%w: set the number of shards of tenant %s: %w", ErrRefused, tenant, err)
	}
	return lasting(n.Shards(tenant), data, expect), nil
}

// lasting is a message that replaces the one before and never ages out.
func lasting(subject string, data []byte, expect uint64) Message {
	return Message{
		Subject: subject, Data: data, ContentType: contentTypeJSON, Guarded: true, Expect: expect, Rollup: true, TTL: Forever,
	}
}
