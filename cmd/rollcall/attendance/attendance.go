// Package attendance shows who was in a meeting: from its events, for people, for
// programs and for spreadsheets. Every time and every duration has its uncertainty:
// what lies between two looks of Rollcall nobody has seen.
package attendance

import (
	"encoding/json"
	"fmt"
	"time"

	"rollcall"
	"rollcall/consume"
	"rollcall/wire"
)

// Schema is the version of the JSON of a [Meeting].
const Schema = 1

// Meeting is the attendance of one meeting, as "rollcall report --json" writes it.
type Meeting struct {
	Schema       int    `json:"schema"`
	Tenant       string `json:"tenant"`
	ConferenceID string `json:"conferenceId"`
	// Epochs are those of which this tells, Unix ms, the oldest first; a meeting has
	// another one each time that it is tracked anew.
	Epochs []int64 `json:"epochs"`
	Title  string  `json:"title"`
	// Status is initialized, started, ended, or untracked: nobody looks any more.
	Status  string `json:"status"`
	Started *When  `json:"startedAt"` // null: it has not, or nobody knows when
	Ended   *When  `json:"endedAt"`   // null: it has not
	// Summarized says that this is what meeting.summarized tells, with the exact times
	// of DingTalk where it has them; otherwise it is what polls have seen.
	Summarized bool `json:"summarized"`
	// Complete says that no event is missing, as those of somebody who was forgotten,
	// and that DingTalk's list was read whole where this is a summary.
	Complete bool     `json:"complete"`
	Missing  []Range  `json:"missing,omitempty"`
	People   []Person `json:"participants"` // sorted by key

	until time.Time // of those who are there the times are counted until then
}

// Range is sequences of events, both of them included.
type Range struct {
	Epoch int64  `json:"epoch"`
	From  uint64 `json:"from"`
	To    uint64 `json:"to"`
}

// Person is somebody with all visits.
type Person struct {
	Key    string `json:"key"`
	UserID string `json:"userId"`
	Nick   string `json:"nick"`
	wire.Roles
	Visits []Stay `json:"visits"`
	Stay   Span   `json:"stayMs"`
	Mic    Span   `json:"micOpenMs"`
	Camera Span   `json:"cameraOpenMs"`
}

// Stay is one visit.
type Stay struct {
	Joined When  `json:"joined"`
	Left   *When `json:"left"` // null while somebody is there
	// How it ended, as [consume.Visit] says; "" while somebody is there.
	How        string `json:"how"`
	Provenance string `json:"provenance"` // of the joining; reconciled where no poll saw it
	Stay       Span   `json:"stayMs"`
}

// When is an instant, in JSON {"at"} where it is known, and otherwise {"after",
// "before"}: some time after After (null: nobody has looked before) and not after
// Before (null: nobody since).
type When struct{ rollcall.Moment }

// MarshalJSON writes what the comment of the type says.
func (w When) MarshalJSON() ([]byte, error) {
	if !w.At.IsZero() {
		return json.Marshal(map[string]wire.Time{"at": {Time: w.At}})
	}
	return json.Marshal(struct {
		After  wire.Time `json:"after"`
		Before wire.Time `json:"before"`
	}{wire.Time{Time: w.Window.After}, wire.Time{Time: w.Window.Before}})
}

// UnmarshalJSON reads what MarshalJSON writes.
func (w *When) UnmarshalJSON(data []byte) error {
	var read struct{ At, After, Before wire.Time }
	err := json.Unmarshal(data, &read)
	w.At, w.Window = read.At.Time, rollcall.Window{After: read.After.Time, Before: read.Before.Time}
	return err
}

// Span is the least and the most that a duration can be, in ms; no most means that
// nobody knows for how long before the first look.
type Span struct {
	Min int64  `json:"min"`
	Max *int64 `json:"max"`
}

// MissingError says that the first events of an epoch are not in the stream any
// more: the attendance cannot be told.
type MissingError struct {
	Epoch int64
	First uint64 // the first sequence that is left
}

// Error says which events there are.
func (e *MissingError) Error() string {
	return fmt.Sprintf("the beginning is missing: the first event that is left of epoch %d is number %d", e.Epoch, e.First)
}

func in(w rollcall.Window) When { return When{rollcall.Moment{Window: w}} }

func exactly(t time.Time) When { return When{rollcall.Moment{At: t}} }

func spanOf(b consume.Bounds) Span {
	s := Span{Min: b.Min.Milliseconds()}
	if b.Max >= 0 {
		most := b.Max.Milliseconds()
		s.Max = &most
	}
	return s
}

func (s Span) plus(o Span) Span {
	sum := Span{Min: s.Min + o.Min}
	if s.Max != nil && o.Max != nil {
		most := *s.Max + *o.Max
		sum.Max = &most
	}
	return sum
}
