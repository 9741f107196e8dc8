package rollcall

import "time"

// Summary is what is known of a meeting after its end: DingTalk's exact times
// where it has them, and what was observed otherwise.
type Summary struct {
	StartedAt, EndedAt Moment
	Duration           time.Duration // from the start to the end; as far as is known, the longest it can have been
	Attended           int           // people who were there, those cut included
	Peak               Peak
	Truncated          int        // people who are left out of People so that the event can be sent
	People             []Attendee // sorted by key
	// Complete says that DingTalk's list of members was read whole; otherwise
	// the summary is of what was observed alone.
	Complete bool
}

// Moment is when something happened: At, where that is known exactly, otherwise
// somewhen in Window.
type Moment struct {
	At     time.Time // zero: not known
	Window Window    // zero where At is known
}

// Earliest returns when it can have happened at the earliest; zero: nobody knows.
func (m Moment) Earliest() time.Time {
	if !m.At.IsZero() {
		return m.At
	}
	return m.Window.After
}

// Latest returns when it had happened at the latest.
func (m Moment) Latest() time.Time {
	if !m.At.IsZero() {
		return m.At
	}
	return m.Window.Before
}

// Peak is how many people were there at the same time, and when.
type Peak struct {
	Present int
	At      Window // while there were so many, as far as is known
}

// Attendee is one person of a [Summary].
type Attendee struct {
	Key, UserID, Nick string
	Roles
	Visits              []Visit // in the order in which they began; at least one
	MicOpen, CameraOpen Bounds
}

// Visit is one stay of one person.
type Visit struct {
	Joined, Left Moment
	How          Departure
	// Provenance is how the visit came to be known: reconciled where no poll
	// has seen it.
	Provenance Provenance
}

// Departure is how a visit ended.
type Departure string

// The departures of a [Summary].
const (
	DepartureLeft         Departure = "left"
	DepartureKickedOut    Departure = "kicked_out"
	DepartureMeetingEnded Departure = "meeting_ended"
)

// How a [Stay] may end besides.
const (
	DepartureUntracked Departure = "untracked" // nobody looks any more
	DepartureUnseen    Departure = "unseen"    // a new epoch found the person gone
)

// Departures lists those of a [Summary].
func Departures() []Departure {
	return []Departure{DepartureLeft, DepartureKickedOut, DepartureMeetingEnded}
}

// Bounds are the least and the most that a time can be. Max is negative where
// nobody knows.
type Bounds struct{ Min, Max time.Duration }
