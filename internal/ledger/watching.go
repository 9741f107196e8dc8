package ledger

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"rollcall"
	"rollcall/wire"
)

// Watching is what the ledger says of whether a shard is being looked at.
type Watching struct {
	wire.Watching
	Revision uint64 // stream sequence of what says it; 0: there is none
	// LastGood is when the tenant was last looked at, as its status says; zero: it
	// has none, or nothing was tracked.
	LastGood time.Time
}

// ReadWatching reads what stands on the subject of a shard's watch, and on that of
// its tenant's status; both may be missing, or be none. What a newer version has
// stored is refused with [wire.ErrNewerSchema].
func ReadWatching(watching, status Raw) (Watching, error) {
	var w Watching
	if watching.Sequence > 0 {
		stored, err := wire.DecodeWatching(watching.Data)
		if errors.Is(err, wire.ErrNewerSchema) {
			return Watching{}, err
		}
		// What cannot be read begins anew: its epoch is that of the next event.
		w.Watching, w.Revision = stored, watching.Sequence
	}
	if status.Sequence > 0 {
		var said wire.Status
		if json.Unmarshal(status.Data, &said) == nil && said.Tracked > 0 { // otherwise nobody says when
			w.LastGood = said.LastGoodPoll
		}
	}
	return w, nil
}

// WatchMessages makes the messages of watch events of a shard, and behind them that
// of what holds after them. They are stored only while the claim of that term is
// the last, and nothing else was said since next.Revision.
func WatchMessages(n wire.Names, events []rollcall.WatchEvent, next Watching, term uint64) ([]Message, error) {
	var msgs []Message
	for i := range events {
		e := &events[i]
		data, err := wire.EncodeWatch(n.Source, e)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrRefused, err)
		}
		msgs = append(msgs, Message{Subject: n.Watch(e.Tenant, e.Type), Data: data, ContentType: wire.ContentType})
	}
	first := &events[0]
	msgs[0].Guarded, msgs[0].Expect, msgs[0].ExpectOf = true, term, n.Claim(first.Tenant, first.Shard)
	data, err := wire.EncodeWatching(&next.Watching)
	if err != nil {
		return nil, fmt.Errorf("%w: encode the watch of a shard: %w", ErrRefused, err)
	}
	return append(msgs, lasting(n.Watching(first.Tenant, first.Shard), data, next.Revision)), nil
}
