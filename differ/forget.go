package differ

import (
	"cmp"
	"slices"

	"rollcall"
)

// forget takes somebody's name and id out of the record. Whoever it is goes on under
// a pseudonym, so that the roster stays what the events fold to. Somebody whom the
// record does not know, as after an end, is told of all the same: consumers may.
func (t *transition) forget() {
	as := rollcall.Forgotten(t.look.Tenant, t.look.ConferenceID, t.look.Forgotten)
	at, done := slices.BinarySearch(t.next.Erased, as)
	if done || t.next.Epoch == 0 || t.look.Forgotten == "" { // an epoch of 0: nobody has seen the meeting yet
		return
	}
	t.forgetting = true
	t.next.Erased = slices.Insert(slices.Clone(t.next.Erased), at, as)
	t.people = []person{{is: rollcall.Participant{Key: as}}}
	t.next.Roster = Fold(t.next.Roster, []rollcall.Event{{
		Tenant: t.look.Tenant, ConferenceID: t.look.ConferenceID, Type: rollcall.ParticipantForgotten, Participant: &t.people[0].is,
	}})
	t.next.Memory = forgetIn(t.next.Memory, t.look.Forgotten, as)
}

// forgetIn returns a memory in which the person of a key has another one, and no name.
func forgetIn(memory []rollcall.Memory, key, as string) []rollcall.Memory {
	at, found := slices.BinarySearchFunc(memory, key, byMemoryKey)
	if !found {
		return memory
	}
	memory = slices.Clone(memory)
	memory[at].Participant = memory[at].Participant.Forget(as)
	slices.SortFunc(memory, func(a, b rollcall.Memory) int { return cmp.Compare(a.Participant.Key, b.Participant.Key) })
	return memory
}

// Mask returns an answer about a meeting as it may be kept: without nicks where these
// are omitted, with pseudonyms where ids are not kept, and without name, id and words
// of those whose keys, of [rollcall.Forgotten], are among the erased. What is masked
// already is returned; a stays as it is.
func (r Rules) Mask(tenant, conferenceID string, erased []string, a *rollcall.Answer) *rollcall.Answer {
	if a == nil || !r.omits() && len(erased) == 0 {
		return a
	}
	masked := a
	for i := range a.Entries {
		e := r.mask(tenant, conferenceID, erased, a.Entries[i])
		if e == a.Entries[i] {
			continue
		}
		if masked == a {
			whole := *a
			masked, whole.Entries = &whole, slices.Clone(a.Entries)
		}
		masked.Entries[i] = e
	}
	return masked
}

// MaskMembers is [Rules.Mask] for the lines of a list of members, which it changes.
func (r Rules) MaskMembers(tenant, conferenceID string, erased []string, members []rollcall.Member) []rollcall.Member {
	for i := range members {
		m := &members[i]
		e := r.mask(tenant, conferenceID, erased, rollcall.Entry{UserID: m.UserID, Nick: m.Nick})
		m.UserID, m.Nick = e.UserID, e.Nick
	}
	return members
}

// mask looks for who is forgotten under the id and under its pseudonym: either may
// have been the key.
func (r Rules) mask(tenant, conferenceID string, erased []string, e rollcall.Entry) rollcall.Entry {
	if r.OmitNicks {
		e.Nick = ""
	}
	e = forgetEntry(tenant, conferenceID, erased, e)
	if r.Pseudonyms != nil {
		e.UserID = r.Pseudonyms.Of(e.UserID)
		e = forgetEntry(tenant, conferenceID, erased, e)
	}
	return e
}

func forgetEntry(tenant, conferenceID string, erased []string, e rollcall.Entry) rollcall.Entry {
	if len(erased) == 0 || e.UserID == "" {
		return e
	}
	as := rollcall.Forgotten(tenant, conferenceID, KeyOf(e.UserID))
	if _, found := slices.BinarySearch(erased, as); found {
		e.UserID, e.Nick, e.RejectDescription = as, "", ""
	}
	return e
}

// maskSummary is Mask for a summary. People without a user id have other numbers where
// their keys held nicks.
func (r Rules) maskSummary(tenant, conferenceID string, erased []string, s *rollcall.Summary) *rollcall.Summary {
	if s == nil || !r.omits() && len(erased) == 0 {
		return s
	}
	masked := *s
	masked.People = slices.Clone(s.People)
	for i := range masked.People {
		p := &masked.People[i]
		e := r.mask(tenant, conferenceID, erased, rollcall.Entry{UserID: p.UserID, Nick: p.Nick})
		switch {
		case p.UserID != "":
			p.Key = KeyOf(e.UserID)
		case r.OmitNicks && nickOf(p.Key) != "":
			p.Key = anonKey("", len(s.People)+i+1)
		}
		p.UserID, p.Nick = e.UserID, e.Nick
	}
	slices.SortStableFunc(masked.People, func(a, b rollcall.Attendee) int { return cmp.Compare(a.Key, b.Key) })
	masked.People = slices.CompactFunc(masked.People, func(a, b rollcall.Attendee) bool { return a.Key == b.Key })
	return &masked
}
