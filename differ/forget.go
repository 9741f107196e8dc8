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
// are omitted, and without name, id and words of those who were forgotten. The record
// may be nil; a stays as it is. What is masked already is returned.
func (r Rules) Mask(tenant, conferenceID string, record *rollcall.Record, a *rollcall.Answer) *rollcall.Answer {
	if a == nil {
		return nil
	}
	masked := a
	for i := range a.Entries {
		e := a.Entries[i]
		if r.OmitNicks {
			e.Nick = ""
		}
		if record != nil && len(record.Erased) > 0 && e.UserID != "" {
			e = forgetEntry(tenant, conferenceID, record.Erased, e)
		}
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

func forgetEntry(tenant, conferenceID string, erased []string, e rollcall.Entry) rollcall.Entry {
	as := rollcall.Forgotten(tenant, conferenceID, keyOf(e.UserID))
	if _, found := slices.BinarySearch(erased, as); found {
		e.UserID, e.Nick, e.RejectDescription = as, "", ""
	}
	return e
}
