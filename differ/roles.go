package differ

import (
	"maps"
	"slices"

	"rollcall"
)

// members takes in the roles of those in the roster who are listed by their user
// id. The list says nothing of who is there: it may be older than the last poll's.
func (t *transition) members() {
	if t.first || t.over() {
		return
	}
	t.next.RolesAt = t.look.AskedAt
	t.window.After = t.prev.RolesAt
	t.window.Before = later(t.look.AnsweredAt, t.window.After)
	listed := rolesByKey(t.prev, t.look.Members)
	c := t.comparison()
	for all := c.known(); all.more(); {
		k := all.next()
		is := k.who
		said, found := listed[is.Key]
		if is.Roles = is.With(said); !found && is.Attendance.InRoster() {
			t.unmatched++
		}
		// Of somebody who is about to go, or to be renamed, the rest of a poll tells first.
		if is != k.who && is.Attendance.InRoster() && !k.half && k.nick == is.Nick {
			t.people = append(t.people, person{was: k.who, is: is, before: k.gone, now: k.gone, listed: true})
		}
	}
	t.next.Roster = rosterOf(t.roster, t.people)
	t.next.Memory = memoryOf(t.memory, t.people)
}

// rolesByKey returns the roles of those with a user id. Of several lines of one
// person, of devices or visits, the most present count.
func rolesByKey(r *rollcall.Record, members []rollcall.Member) map[string]rollcall.Roles {
	by := map[int]map[string]rollcall.Roles{} // how present the line is, and whose
	for i := range members {
		m := &members[i]
		if m.UserID == "" {
			continue
		}
		e := forgetEntry(r.Tenant, r.ConferenceID, r.Erased, rollcall.Entry{UserID: m.UserID})
		rank, key := presence(m.Attendance), KeyOf(e.UserID)
		if by[rank] == nil {
			by[rank] = map[string]rollcall.Roles{}
		}
		by[rank][key] = by[rank][key].Or(m.Roles)
	}
	found := map[string]rollcall.Roles{}
	for _, rank := range slices.Sorted(maps.Keys(by)) {
		for key, roles := range by[rank] {
			found[key] = found[key].With(roles)
		}
	}
	return found
}
