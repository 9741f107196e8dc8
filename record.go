package rollcall

import "time"

// Record is the stored state of a meeting: what the next answer is compared with.
type Record struct {
	Tenant       string
	ConferenceID string
	Epoch        int64     // Unix ms at which the meeting was first recorded
	Sequence     uint64    // of the last event
	ObservedAt   time.Time // when the poll that wrote the record was asked
	Number       Number    // of the poll that wrote the record
	Meeting      Conference
	Labels       Labels        // that the meeting is tracked with; not to be changed
	Roster       []Participant // invited, joining or present; sorted by key, bytewise
	// Memory is what else the next diff needs of people, sorted by key: those
	// who are gone, and those of the roster with entries of a gone code.
	Memory []Memory
	// Unlisted says that no whole list of people was read since the meeting was
	// first seen, or was reopened: who is gone by then has not gone since.
	Unlisted bool
	// Forgotten says that people without a user id who were gone and no longer
	// listed were too many to be remembered, and that it is not known of any
	// such person whether it was there before.
	Forgotten bool
	Misses    int // answers in a row in which DingTalk did not know the meeting
	// Partial is set while a poll's events are stored in several slices and
	// this record is not the last of them.
	Partial *Partial
	// EndReason and EndedAt say how and when a meeting with status ended did
	// so, and why and when one that goes on was taken off the tracked set.
	EndReason Reason
	EndedAt   time.Time
	// RolesAt is when the list of members was last asked for that the roles in the
	// roster are from; zero: it was not yet.
	RolesAt time.Time
	// Summarized says that the summary of the ended meeting was published.
	Summarized bool
	// Untracked says that the meeting was taken off the tracked set: a later
	// track begins a new epoch.
	Untracked bool
	// Erased are the keys, of [Forgotten], of those who were forgotten: whoever turns
	// up again is known under them alone. Sorted; kept in later epochs.
	Erased []string
}

// Memory is what is remembered of a person beside the roster.
type Memory struct {
	// Participant is the person as last seen. Its attendance is a gone code,
	// or that of the roster for somebody who stands there.
	Participant Participant
	// Failed, KickedOut and Left count the entries with these codes that the
	// person had in the last answer that listed anybody.
	Failed, KickedOut, Left int
}

// Partial is the conditions under which the poll of a sliced record goes on.
type Partial struct {
	Provenance  Provenance
	WindowAfter time.Time // zero: there was no earlier poll
}
