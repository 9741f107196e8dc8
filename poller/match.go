package poller

import "slices"

// present returns those of the ids that have an entry: one left out still has
// to show that a lookup is not refused.
func present(ids []string, entries []Found) []string {
	if !slices.ContainsFunc(entries, func(f Found) bool { return f.ConferenceID == "" }) {
		return ids
	}
	var there []string
	for i := range entries {
		if entries[i].ConferenceID != "" {
			there = append(there, ids[i])
		}
	}
	return there
}

// match puts the entries of an answer beside the sorted ids. An id that was
// left out has no entry; one that is malformed has an entry without bytes.
func match(ids []string, answers Answers) []Found {
	if matched(ids, answers) {
		return answers.Found
	}
	entries := make([]Found, len(ids))
	next := 0 // most answers keep the order
	for _, found := range answers.Found {
		if i, asked := indexOf(ids, found.ConferenceID, next); asked {
			entries[i], next = found, i+1
		}
	}
	for _, id := range answers.Malformed {
		if i, asked := indexOf(ids, id, next); asked {
			entries[i] = Found{ConferenceID: id}
		}
	}
	return entries
}

// matched reports whether the entries stand beside the ids already, as they
// mostly do.
func matched(ids []string, answers Answers) bool {
	if len(answers.Found) != len(ids) || len(answers.Malformed) > 0 {
		return false
	}
	for i := range ids {
		if answers.Found[i].ConferenceID != ids[i] {
			return false
		}
	}
	return true
}

// indexOf finds an id among sorted ones, at once if it stands at the likely place.
func indexOf(ids []string, id string, likely int) (i int, found bool) {
	if likely < len(ids) && ids[likely] == id {
		return likely, true
	}
	return slices.BinarySearch(ids, id)
}
