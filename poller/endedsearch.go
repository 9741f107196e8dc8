package poller

import (
	"math/bits"
	"slices"

	"rollcall"
)

// endedSearch finds the meetings that caused batches to be refused as ended.
// Its calls are metered, so it takes the cheapest way that is open: the
// meetings that the organization's list lacks; halving; and, once halving has
// cost as much as asking about each of them would, that.
type endedSearch struct {
	run     *run
	list    organizationList
	probes  int  // queries that halving has cost for the batch at hand
	spoiled int  // batches that were refused because of ended meetings
	settled bool // no meeting is still suspected
}

// search finds those of a refused batch.
func (s *endedSearch) search(ids []string, class Class) {
	switch {
	case len(ids) == 1:
		s.run.lookups.add(lookupTask{id: ids[0], refusal: class})
		return
	case s.settled:
		s.halve(ids, class)
		return
	}
	if s.probes == 0 {
		s.spoiled++
	}
	switch absent := s.absent(ids); {
	case len(absent) > 0:
		s.suspect(absent, class)
		if rest := without(ids, absent); len(rest) > 0 {
			s.run.queries.batch(rest)
		}
	case s.probes >= len(ids):
		s.suspect(ids, class)
	default:
		s.halve(ids, class)
	}
}

// halve finds the first meeting that caused a batch to be refused. Only
// those before it are asked about on the way; those after it together, at the
// end. When one half is accepted the other holds it, and is not asked about.
func (s *endedSearch) halve(ids []string, class Class) {
	var rest []string
	for len(ids) > 1 {
		left, right := ids[:len(ids)/2], ids[len(ids)/2:]
		s.probes++
		switch s.probe(left) {
		case accepted:
			ids = right
		case spoiled:
			ids, rest = left, slices.Concat(right, rest)
		default: // nothing is known of the other half either
			s.run.queries.batch(slices.Concat(right, rest))
			return
		}
	}
	s.run.lookups.add(lookupTask{id: ids[0], refusal: class})
	if len(rest) > 0 {
		s.run.queries.batch(rest)
	}
}

// probe asks about a part of a batch. That it is refused because of ended
// meetings is left to the search.
func (s *endedSearch) probe(ids []string) verdict {
	v, _, err := s.run.queries.ask(ids, nil)
	if v != rejected {
		return v
	}
	if s.run.refused.search(ids, err) {
		return accepted
	}
	return failed
}

// halvings is how many queries it takes to find one of n meetings by halving,
// beside those that bring the others' answers.
func halvings(n int) int { return bits.Len(uint(max(n-1, 0))) }

// suspect has meetings looked up one by one. Those that go on are asked about
// together afterwards.
func (s *endedSearch) suspect(ids []string, class Class) {
	for _, id := range ids {
		s.run.lookups.add(lookupTask{id: id, refusal: class, suspected: true})
	}
}

// absent returns the meetings that should stand in the organization's list of
// ongoing ones and do not. Those that have not started do not stand there, nor
// do those of other organizations.
func (s *endedSearch) absent(ids []string) []string {
	shard := s.run.shard
	// The list serves all batches of a pass: perhaps as many as lately.
	list := s.list.ongoing(halvings(len(ids)) * max(shard.spoiled, 1))
	if list == nil {
		return nil
	}
	var absent, unseen []string
	for _, id := range ids {
		switch status := shard.answers.status(id); {
		case list[id] || shard.unlisted[id]:
		case status == rollcall.StatusStarted:
			absent = append(absent, id)
		case status == rollcall.StatusUnknown:
			unseen = append(unseen, id)
		}
	}
	if len(unseen) <= halvings(len(ids)) { // more would cost more than they promise
		absent = append(absent, unseen...)
		slices.Sort(absent)
	}
	return absent
}

// without returns the sorted ids but those of another sorted list.
func without(ids, others []string) []string {
	return slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return contains(others, id) })
}
