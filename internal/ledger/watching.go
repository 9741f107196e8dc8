package ledger

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"rollcall"
	"rollcall/wire"
)

// Watching is what the ledger says of whether one shard is being looked at.
type Watching struct {
	wire.Watching
	Revision uint64 // stream sequence of what says it; 0: there is none
	Err      error  // it matches [wire.ErrNewerSchema]: a newer version has stored it
}

// Watch is what the ledger says of whether a tenant's meetings are being looked at.
type Watch struct {
	Shards map[int]Watching // those of which anything was told, of earlier divisions too
	Status wire.Status      // the zero value: there is none
}

// ReadWatch reads what stands on the subjects of the watch of a tenant's shards, and
// on that of its status. What cannot be read begins anew.
func ReadWatch(watchings []Raw, status Raw) Watch {
	w := Watch{Shards: make(map[int]Watching, len(watchings))}
	for _, m := range watchings {
		shard, err := strconv.Atoi(MeetingOf(m.Subject))
		if err != nil {
			continue
		}
		one := Watching{Revision: m.Sequence}
		one.Watching, err = wire.DecodeWatching(m.Data)
		if errors.Is(err, wire.ErrNewerSchema) {
			one.Err = err
		}
		w.Shards[shard] = one
	}
	if status.Sequence > 0 && json.Unmarshal(status.Data, &w.Status) != nil {
		w.Status = wire.Status{}
	}
	return w
}

// LookedAt is when a shard, one of so many, was last looked at, as the status says;
// zero: it does not, or nothing was tracked. Where the meetings were divided
// otherwise, nobody knows which of them are this shard's: it is the first of those
// instants, without the shards that are told to be lost.
func (w *Watch) LookedAt(shard, of int) (first time.Time) {
	s := &w.Status
	switch {
	case len(s.Shards) == of:
		return s.Shards[shard]
	case len(s.Shards) == 0 && s.Tracked > 0: // an earlier version
		return s.LastGoodPoll
	}
	for i, at := range s.Shards {
		told := w.Shards[i]
		if at.IsZero() || told.Lost {
			continue
		}
		if at.Before(told.After) { // its loss has ended since
			at = told.After
		}
		if first.IsZero() || at.Before(first) {
			first = at
		}
	}
	return first
}

// WatchMessages makes the messages of watch events of a shard, and behind them that
// of what holds after them. They are stored only while the claim of that term is
// the last of the shard that publishes them, and nothing else was said since next.Revision.
func WatchMessages(n wire.Names, events []rollcall.WatchEvent, next Watching, by int, term uint64) ([]Message, error) {
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
	msgs[0].Guarded, msgs[0].Expect, msgs[0].ExpectOf = true, term, n.Claim(first.Tenant, by)
	data, err := wire.EncodeWatching(&next.Watching)
	if err != nil {
		return nil, fmt.Errorf("%w: encode the watch of a shard: %w", ErrRefused, err)
	}
	return append(msgs, lasting(n.Watching(first.Tenant, first.Shard), data, next.Revision)), nil
}
