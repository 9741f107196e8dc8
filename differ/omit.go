package differ

import (
	"slices"

	"rollcall"
)

// omit takes the nicks out of a look, and reports whether the meeting begins a
// new epoch with it. That the keys of people without a user id hold their nicks
// is why: nobody has come or gone, and who folds the events drops the names, too.
// A look that shows nobody, or not all, cannot tell anew who is there; it tells
// nothing of people then.
func (s *step) omit(prev *rollcall.Record, look *Look, rules Rules) (anew bool) {
	shown := showsNicks(prev)
	switch look.Kind {
	case rollcall.SightingEnded, rollcall.SightingUntracked:
		return shown
	case rollcall.SightingMissed:
		return shown && prev.Misses+1 >= rules.misses()
	}
	if look.Answer == nil {
		return false
	}
	a := *look.Answer
	a.Entries = slices.Clone(a.Entries)
	for i := range a.Entries {
		a.Entries[i].Nick = ""
	}
	whole := a.Listed && !a.Partial || a.Status == rollcall.StatusEnded
	a.Listed = a.Listed && (whole || !shown)
	look.Answer = &a
	return shown && whole
}

// showsNicks reports whether a record shows a nick.
func showsNicks(r *rollcall.Record) bool {
	return r != nil && (slices.ContainsFunc(r.Roster, func(p rollcall.Participant) bool { return p.Nick != "" }) ||
		slices.ContainsFunc(r.Memory, func(m rollcall.Memory) bool { return m.Participant.Nick != "" }))
}
