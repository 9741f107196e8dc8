package differ

import (
	"time"

	"rollcall"
)

// Look is one sighting of one meeting, ready to be compared.
type Look struct {
	Tenant, ConferenceID string
	Kind                 rollcall.SightingKind
	// Answer is what a SightingListed says; nil says nothing at all.
	Answer *rollcall.Answer
	// EndTime is the exact end where it is known: SightingEnded,
	// SightingSummarized, or a SightingListed whose status is ended.
	EndTime time.Time
	// StartTime is the exact start, likewise, of a meeting that was to be watched
	// before its end. Zero: not known, or it was over when the watch began.
	StartTime time.Time
	// Members are those of a SightingMembers.
	Members []rollcall.Member
	// Summary is that of a SightingSummarized, of the record with that sequence (0: any).
	Summary  *rollcall.Summary
	Sequence uint64
	// Labels are those of the meeting from now on; nil leaves the record's.
	Labels rollcall.Labels
	// Reason is that of a SightingEnded (status or resource_closed) or of a
	// SightingUntracked (operator or expired).
	Reason rollcall.Reason
	// Forgotten is the key of the person to forget (SightingForgotten).
	Forgotten           string
	Number              rollcall.Number
	AskedAt, AnsweredAt time.Time
	// After is when the previous good poll of this meeting was asked, where
	// the caller knows a later instant than the record's ObservedAt (an
	// unchanged answer writes no record). Zero: the record's counts.
	After time.Time
}

// sees reports whether the look shows who is there. One that does not must not
// narrow the window of what the next one finds.
func (l *Look) sees() bool {
	switch l.Kind {
	case rollcall.SightingMissed, rollcall.SightingOngoing, rollcall.SightingForgotten, rollcall.SightingMembers:
		return false
	}
	return true
}

// DefaultMissingAfterPolls is how many misses in a row end a meeting where
// [Rules] do not say.
const DefaultMissingAfterPolls = 3

// Rules are the settings of a tenant that a diff depends on.
type Rules struct {
	MissingAfterPolls int // misses in a row that end a meeting; 0: [DefaultMissingAfterPolls]
	// OmitNicks leaves nicks out of the next record and the events, including
	// those that the record shows; see [Result.Anew].
	OmitNicks bool
	// Pseudonyms stand in the place of user ids in the next record and the events,
	// including those that the record shows; nil: the ids do.
	Pseudonyms *rollcall.Pseudonyms
}

func (r Rules) misses() int {
	if r.MissingAfterPolls <= 0 {
		return DefaultMissingAfterPolls
	}
	return r.MissingAfterPolls
}

// Result is what a look leads to.
type Result struct {
	// Record is the next record. It is nil only where nothing is known and
	// nothing was learned: a meeting that was never recorded goes on, is
	// untracked or is summarized.
	Record *rollcall.Record
	// Events lead from the old record to the next, in the order in which
	// they are numbered.
	Events []rollcall.Event
	// Changed says that Record differs from the old one in more than Number
	// and ObservedAt.
	Changed bool
	// Oddities are steps that have no meaning and were ignored, such as a
	// status that goes back; those of the answer come first.
	Oddities []rollcall.Oddity
	// Unmatched is how many people of the roster the list of members did not name by
	// their user id (SightingMembers): they stay without roles.
	Unmatched int
	// Anew says that the old record showed nicks or ids that no longer may be shown: the
	// events begin a new epoch with what it knew, and then go on with what the
	// look shows. These are two polls as far as [rollcall.Event] counts them.
	Anew bool

	anew       *Result     // what is published anew; nil unless Anew
	transition *transition // how it came about, for Slice
}

// Diff compares a look with the stored record of its meeting; prev is nil where
// there is none. It trusts its caller that the look belongs to prev and is newer.
func Diff(prev *rollcall.Record, look Look, rules Rules) Result {
	table := eventRules()
	return compared(table[:], prev, look, rules)
}

func compared(table []rule, prev *rollcall.Record, look Look, rules Rules) Result {
	var erased []string
	if prev != nil {
		erased = prev.Erased
	}
	look.Answer = rules.Mask(look.Tenant, look.ConferenceID, erased, look.Answer)
	look.Summary = rules.maskSummary(look.Tenant, look.ConferenceID, erased, look.Summary)
	switch {
	case look.Kind == rollcall.SightingListed && rules.shown(prev, rules.strange):
		begun := *prev // nobody knows whose pseudonyms these were
		begun.Untracked = true
		prev = &begun
	case rules.shown(prev, rules.barred):
		return tellAnew(table, prev, look, rules)
	}
	return diff(table, prev, look, rules)
}

func diff(table []rule, prev *rollcall.Record, look Look, rules Rules) Result {
	if prev == nil && !opens(look.Kind) {
		return Result{}
	}
	var t transition
	t.begin(prev, &look)
	switch look.Kind {
	case rollcall.SightingListed:
		t.listed()
	case rollcall.SightingEnded:
		t.ended()
	case rollcall.SightingOngoing:
		t.next.Misses = 0
	case rollcall.SightingMissed:
		t.missed(rules.misses())
	case rollcall.SightingUntracked:
		t.untrack()
	case rollcall.SightingSummarized:
		t.summarize()
	case rollcall.SightingForgotten:
		t.forget()
	case rollcall.SightingMembers:
		t.members()
	}
	return t.result(table)
}

// opens reports whether such a look is reason enough to begin a record. A miss
// is: otherwise one unknown to DingTalk would be asked about forever.
func opens(kind rollcall.SightingKind) bool {
	return kind == rollcall.SightingListed || kind == rollcall.SightingEnded || kind == rollcall.SightingMissed
}
