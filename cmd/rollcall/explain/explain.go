// Package explain says of one event how it came to be known: what the poll before it
// and the poll after it said, who asked, how late it was known, and why. It says what
// is stored; of what nobody stores it says that it is not recorded.
package explain

import (
	"cmp"
	"fmt"
	"time"

	"rollcall"
	"rollcall/cmd/rollcall/printer"
	"rollcall/internal/safetext"
	"rollcall/wire"
)

// Schema is the version of the JSON of an [Explanation].
const Schema = 1

// Facts are what is stored about an event.
type Facts struct {
	ID       string
	Event    *rollcall.Event      // or
	Watch    *rollcall.WatchEvent // of a tenant's shard
	StoredAt time.Time
	Stream   uint64 // its sequence in the stream
	// Prior is the last event before those of its poll that is of the same person, or
	// of a meeting's event any; nil: there is none.
	Prior *rollcall.Event
	// Whole says that the epoch's events are stored from the first to this one.
	Whole bool
	// Blind are the tenant's watch events, in their order.
	Blind  []rollcall.WatchEvent
	Record *rollcall.Record // nil: there is none
	// Batch and RecordBatch say with what the event and the record were stored; "":
	// it was not in a batch.
	Batch, RecordBatch string
	Claim              Claim
	Shard, Shards      int
	Pace               time.Duration // between two passes, now; 0: not known
	Budgeted           bool          // the tenant's calls are counted
}

// Claim is who holds the shard now.
type Claim struct {
	Holder string // "": nobody
	Term   uint64
	At     time.Time
}

// Explanation is what there is to say, as "rollcall explain --json" writes it.
type Explanation struct {
	Schema       int    `json:"schema"`
	ID           string `json:"id"`
	Type         string `json:"type"`
	Tenant       string `json:"tenant"`
	ConferenceID string `json:"conferenceId,omitempty"`
	What         string `json:"what"`
	Before       Look   `json:"before"` // the poll before
	After        Look   `json:"after"`  // the poll that found it
	Asker        Asker  `json:"asker"`
	Known        Known  `json:"known"`
}

// Look is a poll, and what it said of the person, or of the meeting.
type Look struct {
	Asked    wire.Time     `json:"asked"`    // null: there was none, or it is not recorded
	Answered wire.Time     `json:"answered"` // null: there was none, or it is not recorded
	Person   *wire.Person  `json:"participant,omitempty"`
	Meeting  *wire.Meeting `json:"meeting,omitempty"`
	Text     string        `json:"text"`
}

// Asker is who asked, as far as that is recorded.
type Asker struct {
	Worker string `json:"worker,omitempty"`
	Term   uint64 `json:"term,omitempty"`
	Poll   uint64 `json:"poll,omitempty"`
	Text   string `json:"text"`
}

// Known is when it was known, in ms after it happened, and why no sooner.
type Known struct {
	StoredAt wire.Time `json:"storedAt"`
	Waited   int64     `json:"waitedMs"` // from the answer until it was stored
	Least    int64     `json:"leastMs"`
	Most     *int64    `json:"mostMs"` // null: it may have been so for long
	Causes   []Cause   `json:"causes"`
	Text     string    `json:"text"`
}

// Cause is why it was not known sooner.
type Cause struct {
	// Cause is first_look, schedule, budget, blind, members, operator, storage or
	// unrecorded.
	Cause  string    `json:"cause"`
	Reason string    `json:"reason,omitempty"` // of blind: that of the watch event
	From   wire.Time `json:"from,omitzero"`
	To     wire.Time `json:"to,omitzero"`
	Text   string    `json:"text"`
}

// The words of [Cause.Cause].
const (
	CauseFirstLook  = "first_look"
	CauseSchedule   = "schedule"
	CauseBudget     = "budget"
	CauseBlind      = "blind"
	CauseMembers    = "members"
	CauseOperator   = "operator"
	CauseStorage    = "storage"
	CauseUnrecorded = "unrecorded"
)

// Of explains an event, in the times of a place.
func Of(f Facts, at *time.Location) Explanation {
	words := printer.Printer{Location: at}
	x := Explanation{Schema: Schema, ID: f.ID, Asker: f.asker(at)}
	if f.Watch != nil {
		x.Type, x.Tenant, x.What = string(f.Watch.Type), f.Watch.Tenant, words.WatchSentence(*f.Watch)
	} else {
		x.Type, x.Tenant, x.ConferenceID = string(f.Event.Type), f.Event.Tenant, f.Event.ConferenceID
		e := f.Event
		x.What = fmt.Sprintf("%s (%s, event %d: %d of %d of its poll)", words.Sentence(*e), safetext.Field(cmp.Or(e.Meeting.Title, e.ConferenceID), 48), e.Sequence, e.Index, e.Count)
	}
	x.Before, x.After = f.looks(at)
	x.Known = f.known(at)
	return x
}

// Lines are the five lines, each with its word.
func (x *Explanation) Lines() [][]string {
	return [][]string{
		{"what", x.What},
		{"before", x.Before.Text},
		{"after", x.After.Text},
		{"asked", x.Asker.Text},
		{"known", x.Known.Text},
	}
}

func (f *Facts) window() rollcall.Window {
	if f.Watch != nil {
		return f.Watch.Window
	}
	return f.Event.Window
}
