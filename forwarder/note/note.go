package note

import (
	"time"

	"rollcall"
	"rollcall/consume"
)

// Kind is what a note is.
type Kind string

// The kinds of notes.
const (
	Single  Kind = "single"   // a few changes, told one by one
	Digest  Kind = "digest"   // many changes, counted
	Found   Kind = "found"    // how a meeting was found at the first look, in one line
	CatchUp Kind = "catch_up" // the digest after a silence
	Sample  Kind = "sample"   // what `forward test` sends
	Trouble Kind = "trouble"  // another target cannot be told anything
)

// Kinds lists them.
func Kinds() []Kind { return []Kind{Single, Digest, Found, CatchUp, Sample, Trouble} }

// Note is one message to a group, before it is written.
type Note struct {
	ID   string // chosen by whoever sends it; the templates do not show it
	Kind Kind
	// At is when the note is told: other days than this are named. Zero is when
	// its last event happened.
	At time.Time
	// Meetings are told one after the other, in the order of their first event.
	Meetings []Meeting
	// Others are the meetings that there were too many of to be told one by one.
	Others Others
	// Watches say that a tenant's meetings are not, or are again, being looked at.
	Watches []Watch
	Account Account
	// Window is from the first to the last event; After is zero where the first
	// has no earlier bound.
	Window      rollcall.Window
	LastOfMonth bool    // the target's messages of the month end with this one
	Failure     Failure // of [Trouble] alone
}

// Meeting is what a note says of one meeting.
type Meeting struct {
	Tenant, ConferenceID string
	State                rollcall.Conference // as the last event says
	Labels               rollcall.Labels
	Found                *Finding              // how it was found at the first look
	Lines                []Line                // what is told one by one, in order
	Counts               map[rollcall.Type]int // what is told by number
	Attendance           []Attendee            // who was there, the longest first, once it has ended
	Attended             int                   // how many there were; more than are named in Attendance where there were many
}

// Finding is how a meeting was found at the first look: nothing is said of when
// that happened.
type Finding struct {
	State   rollcall.Conference
	Invited int // who was asked and is not there yet
	Events  int // that say so
	At      time.Time
}

// Line is what happened to one meeting or person, told by itself.
type Line struct {
	Tenant, ConferenceID string
	Epoch                int64
	Sequence             uint64
	Type                 rollcall.Type
	With                 []rollcall.Type // what happened to the person in the same poll: joined with the microphone open
	Person               *rollcall.Participant
	Before               string // the name that a renamed person had, where the batch knows it
	Meeting              rollcall.Conference
	Reason               rollcall.Reason
	Provenance           rollcall.Provenance
	Exact                bool // At is DingTalk's own
	At                   time.Time
	Window               rollcall.Window
}

// Others counts what happened in meetings that have no place of their own.
type Others struct {
	Found    int // how many of them were found going on
	Baseline int // the events that say so
	Meetings int
	Counts   map[rollcall.Type]int
}

// Watch says that nobody looks at a tenant's meetings; where Resumed is set
// that somebody does again, and that nobody did during the window.
type Watch struct {
	Tenant     string
	Shards, Of int // so many shards, of how many
	Resumed    bool
	Reason     rollcall.Reason
	Provenance rollcall.Provenance
	Window     rollcall.Window
}

// Attendee is a person who was in a meeting that has ended.
type Attendee struct {
	Key, Nick string
	Visits    int
	Stay      consume.Bounds // of all visits
	KickedOut bool           // the last visit ended so
}

// Failure says what is wrong with another target.
type Failure struct {
	Target  string // its name in the configuration
	Class   string // rateLimited, authError, clientError, serverError, unreachable, gone
	Detail  string
	Since   time.Time
	Until   time.Time // when it is tried again; zero: by an operator
	Waiting int       // events that wait for it
	Healed  bool      // it is told again
}

// Account says what became of the events of a note. Events is always the sum
// of the others.
type Account struct {
	Events   int
	Told     int // by a line, or with one
	Undone   int // undid one another, or were overtaken
	Digested int // told by a number
	Cut      int // left out because there were too many, or they were too old
}
