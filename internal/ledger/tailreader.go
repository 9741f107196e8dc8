package ledger

import (
	"strings"

	"rollcall"

	"rollcall/wire"
)

// TailReader gathers the last message of each kind of a tenant, by meeting.
type TailReader struct {
	eventsAt, statesAt, trackedAt string // prefixes of subjects
	events, states, tracked       map[string]Raw
	last                          uint64 // sequence of all
}

// NewTailReader makes one that has read nothing.
func NewTailReader(n wire.Names, tenant string) *TailReader {
	return &TailReader{
		eventsAt: n.Prefix + ".event." + tenant + ".", statesAt: n.State(tenant, ""), trackedAt: n.Tracked(tenant, ""),
		events: map[string]Raw{}, states: map[string]Raw{}, tracked: map[string]Raw{},
	}
}

// Add takes a message, in any order.
func (t *TailReader) Add(m Raw) {
	t.last = max(t.last, m.Sequence)
	kind, token := t.events, ""
	if rest, ok := strings.CutPrefix(m.Subject, t.eventsAt); ok {
		token, _, _ = strings.Cut(rest, ".")
	} else if rest, ok := strings.CutPrefix(m.Subject, t.statesAt); ok {
		kind, token = t.states, rest
	} else if rest, ok := strings.CutPrefix(m.Subject, t.trackedAt); ok {
		kind, token = t.tracked, rest
	} else {
		return
	}
	if id := MeetingOf(token); kind[id].Sequence < m.Sequence {
		kind[id] = m
	}
}

// Tail returns what was read.
func (t *TailReader) Tail() Tail {
	out := Tail{
		Events: make(map[string]Last, len(t.events)), Records: make(map[string]Stored, len(t.states)),
		Tracked: make(map[string]Tracking, len(t.tracked)),
		Last:    t.last,
	}
	for id, m := range t.events {
		out.Events[id] = readLast(m)
	}
	for id, m := range t.states {
		out.Records[id] = ReadRecord(id, m)
	}
	for id, m := range t.tracked {
		out.Tracked[id] = ReadTracking(m)
	}
	return out
}

// readLast reads where an event stands in its meeting. One that cannot be read
// stands nowhere, but it is there.
func readLast(m Raw) Last {
	e, err := wire.DecodeEvent(m.Data)
	if err != nil {
		return Last{Revision: m.Sequence}
	}
	return Last{Epoch: e.Epoch, Sequence: e.Sequence, Revision: m.Sequence, Untracked: e.Type == rollcall.MeetingUntracked}
}
