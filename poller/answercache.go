package poller

import (
	"bytes"
	"slices"
	"time"

	"rollcall"
)

// answerCache holds the last answers about a shard's meetings. Lists in the
// order of the ids take half the room of a map; and since a pass asks in that
// order, an entry mostly follows the one before.
type answerCache struct {
	ids     []string       // sorted, each once; not to be changed
	answers []cachedAnswer // about the ids of the same places
	next    int            // the place after the last one that was looked at
}

// cachedAnswer is the last answer about one meeting. Its bytes are shared,
// read-only, with the observations that were emitted. The zero value knows nothing.
type cachedAnswer struct {
	raw    []byte
	status rollcall.Status
	end    *span // of a meeting that the bytes say has ended; nil: not known
}

// span is from when to when a meeting lasted.
type span struct{ start, end time.Time }

// keep drops the answers about all but these sorted ids. The list stays the cache's.
func (c *answerCache) keep(ids []string) {
	if slices.Equal(c.ids, ids) {
		return
	}
	answers := make([]cachedAnswer, len(ids))
	for i, id := range ids {
		if known := c.of(id); known != nil {
			answers[i] = *known
		}
	}
	c.ids, c.answers, c.next = ids, answers, 0
}

// of returns the entry of a meeting; nil if it is none of those kept.
func (c *answerCache) of(id string) *cachedAnswer {
	place, kept := indexOf(c.ids, id, c.next)
	if !kept {
		return nil
	}
	c.next = place + 1
	return &c.answers[place]
}

// known returns the bytes of the last answers about meetings, in their order.
func (c *answerCache) known(ids []string) [][]byte {
	raws := make([][]byte, len(ids))
	for i, id := range ids {
		raws[i] = c.raw(id)
	}
	return raws
}

func (c *answerCache) raw(id string) []byte {
	if a := c.of(id); a != nil {
		return a.raw
	}
	return nil
}

// status returns the status a meeting had when it was last seen.
func (c *answerCache) status(id string) rollcall.Status {
	if a := c.of(id); a != nil {
		return a.status
	}
	return rollcall.StatusUnknown
}

// sight makes the sighting of an answer, and decides for all who see it whether it
// is the one before: if so it is not decoded. Others are copied unless they are
// detached, since a piece of the answer would keep the whole answer alive.
func (c *answerCache) sight(found *Found, detached bool, source Source) rollcall.Sighting {
	s := rollcall.Sighting{ConferenceID: found.ConferenceID, Kind: rollcall.SightingListed, Raw: found.Raw}
	a := c.of(found.ConferenceID)
	if a != nil && bytes.Equal(a.raw, found.Raw) {
		s.Raw = a.raw
		if a.end != nil {
			s.StartTime, s.EndTime = a.end.start, a.end.end
		}
		return s
	}
	if !detached {
		s.Raw = bytes.Clone(s.Raw)
	}
	if s.Answer = found.Answer; s.Answer == nil {
		s.Answer = source.Decode(s.Raw)
	}
	if a != nil {
		*a = cachedAnswer{raw: s.Raw, status: s.Answer.Status}
	}
	return s
}

// forget drops the answer about a meeting, so that the next one counts as new.
func (c *answerCache) forget(id string) {
	if a := c.of(id); a != nil {
		*a = cachedAnswer{}
	}
}

// setEnd keeps when a meeting ended, which its bytes do not say.
func (c *answerCache) setEnd(s *rollcall.Sighting) {
	if a := c.of(s.ConferenceID); a != nil && !s.EndTime.IsZero() {
		a.end = &span{s.StartTime, s.EndTime}
	}
}
