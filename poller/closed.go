package poller

import (
	"math/bits"
	"slices"

	"rollcall"
)

// closed finds the meetings because of which a batch was refused as ended. Its
// calls are metered, so it takes the cheapest way that is open: the meetings
// that the organization's list lacks; halving; and, once halving has cost as
// much as asking about each of them would, that.
func (r *run) closed(ids []string, class Class) {
	if len(ids) == 1 {
		r.later = append(r.later, followUp{id: ids[0], refusal: class})
		return
	}
	if r.cleared {
		r.halve(ids, class)
		return
	}
	if r.probes == 0 {
		r.spoilt++
	}
	switch absent := r.absentees(ids); {
	case len(absent) > 0:
		r.doubt(absent, class)
		if rest := without(ids, absent); len(rest) > 0 {
			r.batch(rest)
		}
	case r.probes >= len(ids):
		r.doubt(ids, class)
	default:
		r.halve(ids, class)
	}
}

// halve finds the first meeting because of which a batch was refused. Only
// those before it are asked about on the way; those after it together, at the
// end. When one half is accepted the other holds it, and is not asked about.
func (r *run) halve(ids []string, class Class) {
	var rest []string
	for len(ids) > 1 {
		left, right := ids[:len(ids)/2], ids[len(ids)/2:]
		r.probes++
		switch r.probe(left) {
		case accepted:
			ids = right
		case refused:
			ids, rest = left, slices.Concat(right, rest)
		default: // nothing is known of the other half either
			r.batch(slices.Concat(right, rest))
			return
		}
	}
	r.later = append(r.later, followUp{id: ids[0], refusal: class})
	if len(rest) > 0 {
		r.batch(rest)
	}
}

// halvings is how many queries it takes to find one of n meetings by halving,
// beside those that bring the others' answers.
func halvings(n int) int { return bits.Len(uint(max(n-1, 0))) }

// doubt puts meetings down to be asked about one by one. Those that go on are
// asked about together afterwards.
func (r *run) doubt(ids []string, class Class) {
	for _, id := range ids {
		r.later = append(r.later, followUp{id: id, refusal: class, doubted: true})
	}
}

// absentees gives the meetings that should stand in the organization's list of
// ongoing ones and do not. Those that have not started do not stand there, nor
// do those of other organizations.
func (r *run) absentees(ids []string) []string {
	// The list serves all batches of a pass: perhaps as many as lately.
	list := r.ongoing(halvings(len(ids)) * max(r.desk.spoilt, 1))
	if list == nil {
		return nil
	}
	var absent, unseen []string
	for _, id := range ids {
		switch status := r.desk.status(id); {
		case list[id] || r.desk.elsewhere[id]:
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

// without gives the sorted ids but those that are sorted, too.
func without(ids, absent []string) []string {
	return slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return listed(absent, id) })
}
