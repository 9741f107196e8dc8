package poller

import (
	"fmt"
	"math"
	"slices"
	"time"

	"go.uber.org/zap"
)

// refusalSearch finds the meetings that caused batches to be rejected as bad
// requests, by halving.
//
// When everything is rejected in a way that could also be about single meetings,
// such as a code that nobody documents, it is the tenant's: no batch is
// searched, no meeting is put into quarantine, and the tenant leaves out every
// other pass. The passes between ask little, and find out soon when it is over.
type refusalSearch struct {
	run      *run
	refusals int              // queries in a row that were rejected
	sampled  map[string]error // asked about by themselves, to see whether all are rejected alike: how they are
	witness  string           // a meeting that a query of this pass accepted
}

const (
	// mostRefusals is how many queries in a row may be rejected before a pass
	// concludes that it is not about single meetings. Halving down to several
	// bad ones side by side stays below.
	mostRefusals = 32
	// mostSamples is how many meetings are asked about by themselves when a
	// batch is rejected, until that counts as everybody's; once it does, one.
	mostSamples = 4
	// The bounds of the tenant's pause.
	shortestPause, longestPause = time.Second, 5 * time.Minute
)

// search finds those of a rejected batch, and reports whether all its meetings
// were accepted in the end. Whether it is because of some of them shows with
// others: what they meet alike is not about them.
func (s *refusalSearch) search(ids []string, err error) bool {
	if !s.vouched(ids) {
		s.refuseAll(err)
		s.run.tally.skipped(s.run.calls.stopped, ids...)
		return false
	}
	rest := s.unsampled(ids)
	if len(rest) == len(ids) {
		return s.halve(ids, err)
	}
	return len(rest) == 0 || s.part(rest) // those to blame may be found already
}

// part asks about a part of a rejected batch.
func (s *refusalSearch) part(ids []string) bool {
	v, class, err := s.run.queries.ask(ids, nil)
	switch v {
	case spoiled:
		s.run.ended.search(ids, class)
	case rejected:
		return s.halve(ids, err)
	}
	return v == accepted
}

// halve asks about the halves of a batch that was rejected because of single
// meetings, or because it was too large, which shows when both are accepted. It
// reports whether all meetings were accepted in the end.
func (s *refusalSearch) halve(ids []string, err error) bool {
	s.refusals++
	if s.refusals >= mostRefusals {
		s.run.calls.stop(ClassBadRequest, err)
		s.run.tally.skipped(s.run.calls.stopped, ids...)
		return false
	}
	if len(ids) == 1 {
		s.run.isolate(ids[0], ClassBadRequest, err)
		return false
	}
	left, right := ids[:len(ids)/2], ids[len(ids)/2:]
	all := s.part(left)
	all = s.part(right) && all
	if all && s.run.calls.gate.learnBatchSize(len(right)) {
		s.run.poller.logger().Warn("ask about fewer meetings at once: larger batches are refused; set poll.batch_size",
			zap.Int("batch_size", len(right)))
	}
	return all
}

// accepted takes a query that was accepted.
func (s *refusalSearch) accepted(ids []string) {
	s.refusals, s.run.shard.refused = 0, 0
	s.witness = ids[0]
}

// vouched reports whether a batch was rejected because of some of its meetings:
// others are accepted meanwhile. One that no other can vouch for is to blame
// itself unless it was answered before.
func (s *refusalSearch) vouched(ids []string) bool {
	switch {
	case s.run.ask.Shard < 0: // the meeting's own shard will find out
		return true
	case s.witness != "":
		return len(ids) == 1 || s.stillAccepted(s.witness)
	}
	most := mostSamples
	if s.run.shard.refused > 0 {
		most = 1
	}
	tried := 0
	for ; tried < most; tried++ {
		id := s.sample(ids, tried > 0 && tried == most-1)
		if id == "" {
			break
		}
		if s.vouches(id) {
			s.isolateSampled()
			return true
		}
	}
	if tried == 0 && s.run.calls.stopped == nil {
		return len(s.run.shard.answers.raw(ids[0])) == 0
	}
	return false
}

// stillAccepted reports whether a meeting that this pass has an answer about is
// accepted as before. What it is answered is not needed.
func (s *refusalSearch) stillAccepted(id string) bool {
	_, _, err := s.run.queries.query([]string{id}, nil)
	return s.run.calls.stopped == nil && ClassOf(err) != ClassBadRequest
}

// vouches asks about one meeting, and reports whether it is accepted.
func (s *refusalSearch) vouches(id string) bool {
	one := []string{id}
	v, class, err := s.run.queries.ask(one, nil)
	switch v {
	case spoiled:
		s.run.ended.search(one, class)
	case rejected:
		s.sampled[id] = err
		s.run.tally.unanswered(class, id)
		return false
	}
	return s.run.calls.stopped == nil && v != failed
}

// isolateSampled puts those into quarantine that were rejected by themselves,
// since others are not.
func (s *refusalSearch) isolateSampled() {
	for id, err := range s.sampled {
		if err != nil {
			s.run.isolate(id, ClassBadRequest, err)
		}
	}
}

// sample picks a meeting of a batch, or beside it where that is wanted, or the
// batch has no other. It is far from the one before: where many are rejected,
// those that are not are found soon. There may be none: "".
func (s *refusalSearch) sample(batch []string, beside bool) string {
	within, others := s.unsampled(batch), s.unsampled(without(s.run.queries.healthy, batch))
	if len(batch) == 1 {
		within = nil
	}
	among := within
	if len(within) == 0 || beside && len(others) > 0 {
		among = others
	}
	if len(among) == 0 {
		return ""
	}
	const golden = 0.6180339887498949
	_, place := math.Modf(golden * float64(s.run.shard.samples))
	s.run.shard.samples++
	id := among[int(place*float64(len(among)))]
	if s.sampled == nil {
		s.sampled = make(map[string]error)
	}
	s.sampled[id] = nil
	return id
}

// unsampled returns the meetings of a batch but those that were asked about by
// themselves.
func (s *refusalSearch) unsampled(ids []string) []string {
	sampled := func(id string) bool { _, was := s.sampled[id]; return was }
	if !slices.ContainsFunc(ids, sampled) {
		return ids
	}
	return slices.DeleteFunc(slices.Clone(ids), sampled)
}

// refuseAll ends the pass, and leaves out the next one, because everybody is
// rejected alike.
func (s *refusalSearch) refuseAll(err error) {
	if s.run.calls.stopped != nil {
		return
	}
	s.run.shard.refused++
	err = fmt.Errorf("everything is refused alike, so no meeting is to blame: %w", err)
	between := s.run.between
	pause := min(max(between+between/4, shortestPause), longestPause)
	s.run.calls.gate.pause(ClassBadRequest, pause, err)
	s.run.calls.stop(ClassBadRequest, err)
}
