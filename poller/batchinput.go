package poller

import "slices"

// batchInput is the meetings that a pass is to ask about, in order. Most passes
// are about the same meetings as the one before, which leaves nothing to be done.
type batchInput struct {
	given, later []string // as they were handed in
	ids, all     []string // sorted, each once; all has the later ones, too; not to be changed
}

func (b *batchInput) set(ids, later []string) {
	if b.all != nil && slices.Equal(b.given, ids) && slices.Equal(b.later, later) {
		return
	}
	b.given, b.later = slices.Clone(ids), slices.Clone(later)
	b.ids = distinct(b.given)
	b.all = b.ids
	if len(later) > 0 {
		b.all = distinct(slices.Concat(b.ids, b.later))
	}
}

// distinct returns the ids sorted, each once, and none that is empty. It returns
// the very list if it is so already.
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
