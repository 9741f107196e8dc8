package poller

import "slices"

// agenda is whom a pass is to ask about, in order. Most passes are about the
// same meetings as the one before, which leaves nothing to be done.
type agenda struct {
	given, later []string // as they were handed in
	ids, all     []string // sorted, each once; all has the later ones, too; not to be changed
}

func (a *agenda) set(ids, later []string) {
	if a.all != nil && slices.Equal(a.given, ids) && slices.Equal(a.later, later) {
		return
	}
	a.given, a.later = slices.Clone(ids), slices.Clone(later)
	a.ids = distinct(a.given)
	a.all = a.ids
	if len(later) > 0 {
		a.all = distinct(slices.Concat(a.ids, a.later))
	}
}

// distinct gives the ids sorted, each once, and none that is empty. It gives
// those themselves if they are so already.
func distinct(ids []string) []string {
	last := ""
	for _, id := range ids {
		if id <= last {
			return reduced(ids)
		}
		last = id
	}
	return ids
}

func reduced(ids []string) []string {
	ids = slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return id == "" })
	slices.Sort(ids)
	return slices.Compact(ids)
}
