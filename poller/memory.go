package poller

import (
	"slices"
	"time"

	"rollcall"
)

// memory is the last answers about a shard's meetings. Lists in the order of the
// ids take half the room of a map; and since a pass asks in that order, a memo
// mostly follows the one before.
type memory struct {
	ids   []string // sorted, each once; not to be changed
	memos []memo   // about the ids of the same places
	next  int      // the place after the last one that was looked at
}

// memo is the last answer about one meeting. Its bytes are shared, read-only,
// with the observations that were given out. The zero value knows nothing.
type memo struct {
	raw     []byte
	status  rollcall.Status
	endTime *time.Time // of a meeting that the bytes say has ended; nil: not known
}

// keep drops what is remembered of all but these sorted ids. The list stays the
// memory's.
func (m *memory) keep(ids []string) {
	if slices.Equal(m.ids, ids) {
		return
	}
	memos := make([]memo, len(ids))
	for i, id := range ids {
		if known := m.of(id); known != nil {
			memos[i] = *known
		}
	}
	*m = memory{ids: ids, memos: memos}
}

// of gives the memo of a meeting, nil if it is none of those kept.
func (m *memory) of(id string) *memo {
	place, kept := indexOf(m.ids, id, m.next)
	if !kept {
		return nil
	}
	m.next = place + 1
	return &m.memos[place]
}
