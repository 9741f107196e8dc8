package control

import (
	"time"

	"rollcall"
	"rollcall/wire"
)

// Schema is the version of the answers.
const Schema = 1

// ServiceName is what workers are called in NATS's own discovery ($SRV.INFO).
const ServiceName = "rollcall"

// MaxRequest is the length in bytes of the longest request.
const MaxRequest = 32 << 10

// The verbs of the service.
const (
	verbTrack   = "track"
	verbUntrack = "untrack"
	verbShow    = "show"
	verbList    = "list"
	verbForget  = "forget"
)

func verbs() []string { return []string{verbTrack, verbUntrack, verbShow, verbList, verbForget} }

// limit bounds how long a worker works on a request.
func limit(verb string) time.Duration {
	switch verb {
	case verbTrack:
		return 30 * time.Second
	case verbForget: // the whole stream may have to be read, and each event is erased by itself
		return 2 * time.Minute
	}
	return 5 * time.Second
}

// Meeting is the answer to track, untrack and show.
type Meeting struct {
	Schema int    `json:"schema"`
	Tenant string `json:"tenant"`
	State
}

// State is what is known of one meeting.
type State struct {
	ConferenceID string    `json:"conferenceId"`
	Tracked      bool      `json:"tracked"`
	Source       string    `json:"source"`  // why it is tracked: config, api, organization, user:ID …; "" when it is not
	Since        wire.Time `json:"since"`   // since when it is tracked; null when it is not
	AskedAt      wire.Time `json:"askedAt"` // when the last answer was asked that showed the record; null: not yet by this worker
	Trouble      string    `json:"trouble"` // what is wrong with it; "" when nothing is
	// Labels are those it is tracked with; absent: none.
	Labels rollcall.Labels `json:"labels,omitempty"`
	Record *Record         `json:"record"` // null: nothing was observed yet
}

// Record is the public part of a meeting's stored record.
type Record struct {
	Epoch      int64         `json:"epoch"`    // Unix ms at which the meeting was first recorded
	Sequence   uint64        `json:"sequence"` // of the last event
	ObservedAt wire.Time     `json:"observedAt"`
	Meeting    wire.Meeting  `json:"meeting"`
	Roster     []wire.Person `json:"roster,omitzero"` // sorted by key; absent in a [List]
}

// List is the answer to list: the meetings of a tenant, sorted by id.
type List struct {
	Schema   int     `json:"schema"`
	Tenant   string  `json:"tenant"`
	Meetings []State `json:"meetings"`
	// Incomplete says that not every worker has answered in time: meetings
	// may be missing.
	Incomplete bool `json:"incomplete"`
	// Next is what to ask for after this page; "" on the last one.
	Next string `json:"next"`
}
