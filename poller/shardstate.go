package poller

import (
	"maps"
	"slices"
	"time"

	"rollcall/internal/streak"
)

// shardState is what is remembered between the passes of one shard. It is owned
// by the goroutine that makes the pass.
type shardState struct {
	turn  turn
	input batchInput
	// underWay are meetings whose call is overdue: the pass that asked went on
	// without them, and they are not asked about again before it is over.
	underWay map[string]bool
	answers  answerCache
	uptake   uptake
	// spoilers are meetings that caused a batch to be refused as ended. Those
	// that are asked about all the same, since their end is not stored yet or
	// is denied by the lookup, would cost a search each time.
	spoilers map[string]bool
	// unlisted go on without standing in the organization's list.
	unlisted    map[string]bool
	lookups     lookupStates
	failed      failedLookups
	pendingEnds map[string]*pendingEnd
	// endedAt is when a lookup found a meeting ended. Such meetings stay among
	// the tracked ones until that is stored, and cost a call or two each time.
	endedAt  map[string]time.Time
	streak   streak.Streak
	members  streak.Streak // of reading lists of members
	silent   bool          // another shard logs how the tenant fares
	spoiled  int           // batches that ended meetings spoil in a pass, about
	resumeAt string        // the next pass begins with the batch that has this one
	began    time.Time     // the last pass
	refused  int           // passes in a row that found everything refused
	samples  int           // meetings that were asked about to see whether everything is refused
	lastGood time.Time
}

func newShardState() *shardState {
	return &shardState{
		turn: make(turn, 1), underWay: make(map[string]bool),
		spoilers: make(map[string]bool), unlisted: make(map[string]bool), lookups: make(lookupStates),
		pendingEnds: make(map[string]*pendingEnd), endedAt: make(map[string]time.Time),
	}
}

// elapsed returns the time since the pass before; 0: there was none.
func (s *shardState) elapsed(now time.Time) time.Duration {
	was := s.began
	s.began = now
	if was.IsZero() {
		return 0
	}
	return now.Sub(was)
}

// uniform reports whether all meetings are to be asked about alike.
func (s *shardState) uniform() bool {
	return len(s.pendingEnds)+len(s.endedAt)+len(s.spoilers)+len(s.underWay) == 0
}

// endRests is how long a meeting that was found ended is left alone.
const endRests = 2 * time.Minute

// justEnded reports whether a meeting was found ended a moment ago.
func (s *shardState) justEnded(id string, now time.Time) bool {
	at, ended := s.endedAt[id]
	return ended && now.Sub(at) < endRests
}

// dropEnd forgets a pending end together with the answer that brought it, which
// is to count anew.
func (s *shardState) dropEnd(e *pendingEnd) {
	delete(s.pendingEnds, e.sighting.ConferenceID)
	s.answers.forget(e.sighting.ConferenceID)
}

// endEmitted notes that a pending end is emitted.
func (s *shardState) endEmitted(e *pendingEnd) {
	delete(s.pendingEnds, e.sighting.ConferenceID)
	s.answers.setEnd(&e.sighting)
}

// accepted takes meetings that a query accepted out of the spoilers.
func (s *shardState) accepted(ids []string) {
	if len(s.spoilers) == 0 {
		return
	}
	for _, id := range ids {
		delete(s.spoilers, id)
	}
}

// keep drops what is remembered of all but these sorted ids.
func (s *shardState) keep(ids []string) {
	s.answers.keep(ids)
	keepOnly(s.pendingEnds, ids)
	keepOnly(s.endedAt, ids)
	keepOnly(s.lookups, ids)
	keepOnly(s.spoilers, ids)
	keepOnly(s.unlisted, ids)
}

// keepOnly drops the entries of all but these sorted ids.
func keepOnly[V any](m map[string]V, ids []string) {
	maps.DeleteFunc(m, func(id string, _ V) bool { return !contains(ids, id) })
}

// contains reports whether an id is among sorted ones.
func contains(ids []string, id string) bool {
	_, found := slices.BinarySearch(ids, id)
	return found
}
