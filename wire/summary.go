package wire

import (
	"encoding/json"
	"time"

	"rollcall"
)

// summaryJSON is a summary as it stands on the wire.
type summaryJSON struct {
	StartedAt    momentJSON     `json:"startedAt"`
	EndedAt      momentJSON     `json:"endedAt"`
	DurationMS   int64          `json:"durationMs"`
	Attended     int            `json:"attended"`
	Peak         peakJSON       `json:"peak"`
	Truncated    int            `json:"truncated"`
	Participants []attendeeJSON `json:"participants"`
	Complete     bool           `json:"complete"`
}

// momentJSON has either the exact time or the window.
type momentJSON struct {
	At     *Time `json:"at,omitempty"`
	After  *Time `json:"after,omitempty"`
	Before *Time `json:"before,omitempty"`
}

type peakJSON struct {
	Present int        `json:"present"`
	At      windowJSON `json:"at"`
}

type attendeeJSON struct {
	Key    string `json:"key"`
	UserID string `json:"userId"`
	Nick   string `json:"nick"`
	Roles
	Visits       []visitJSON `json:"visits"`
	MicOpenMS    boundsJSON  `json:"micOpenMs"`
	CameraOpenMS boundsJSON  `json:"cameraOpenMs"`
}

type visitJSON struct {
	Joined     momentJSON `json:"joined"`
	Left       momentJSON `json:"left"`
	How        string     `json:"how"`
	Provenance string     `json:"provenance"`
}

// boundsJSON has a max of null where nobody knows.
type boundsJSON struct {
	Min int64  `json:"min"`
	Max *int64 `json:"max"`
}

// appendSummary appends a summary; there is one a meeting, so that encoding/json will do.
func appendSummary(dst []byte, s *rollcall.Summary) []byte {
	written := summaryJSON{
		StartedAt: momentOf(s.StartedAt), EndedAt: momentOf(s.EndedAt), DurationMS: s.Duration.Milliseconds(),
		Attended: s.Attended, Peak: peakJSON{s.Peak.Present, windowOf(s.Peak.At)}, Truncated: s.Truncated,
		Participants: make([]attendeeJSON, len(s.People)), Complete: s.Complete,
	}
	for i := range s.People {
		written.Participants[i] = attendeeOf(&s.People[i])
	}
	data, err := json.Marshal(written)
	if err != nil { // numbers and texts: it cannot be
		return append(dst, "null"...)
	}
	return append(dst, data...)
}

func attendeeOf(p *rollcall.Attendee) attendeeJSON {
	j := attendeeJSON{
		Key: p.Key, UserID: p.UserID, Nick: p.Nick, Roles: RolesOf(p.Roles), Visits: make([]visitJSON, len(p.Visits)),
		MicOpenMS: boundsOf(p.MicOpen), CameraOpenMS: boundsOf(p.CameraOpen),
	}
	for i, v := range p.Visits {
		j.Visits[i] = visitJSON{momentOf(v.Joined), momentOf(v.Left), string(v.How), string(v.Provenance)}
	}
	return j
}

func momentOf(m rollcall.Moment) momentJSON {
	var j momentJSON
	if !m.At.IsZero() {
		j.At = &Time{m.At}
	}
	if m.At.IsZero() || m.Window != (rollcall.Window{}) {
		j.After, j.Before = &Time{m.Window.After}, &Time{m.Window.Before}
	}
	return j
}

func windowOf(w rollcall.Window) windowJSON { return windowJSON{Time{w.After}, Time{w.Before}} }

func boundsOf(b rollcall.Bounds) boundsJSON {
	j := boundsJSON{Min: b.Min.Milliseconds()}
	if most := b.Max.Milliseconds(); b.Max >= 0 {
		j.Max = &most
	}
	return j
}

// summary reads what appendSummary writes, words that it does not know as they are.
func (j *summaryJSON) summary() *rollcall.Summary {
	if j == nil {
		return nil
	}
	s := &rollcall.Summary{
		StartedAt: j.StartedAt.moment(), EndedAt: j.EndedAt.moment(), Duration: milliseconds(j.DurationMS),
		Attended: j.Attended, Peak: rollcall.Peak{Present: j.Peak.Present, At: j.Peak.At.window()}, Truncated: j.Truncated, Complete: j.Complete,
	}
	for i := range j.Participants {
		s.People = append(s.People, j.Participants[i].attendee())
	}
	return s
}

func (j *attendeeJSON) attendee() rollcall.Attendee {
	p := rollcall.Attendee{
		Key: j.Key, UserID: j.UserID, Nick: j.Nick, Roles: j.Facts(), MicOpen: j.MicOpenMS.bounds(), CameraOpen: j.CameraOpenMS.bounds(),
	}
	for _, v := range j.Visits {
		p.Visits = append(p.Visits, rollcall.Visit{
			Joined: v.Joined.moment(), Left: v.Left.moment(), How: rollcall.Departure(v.How), Provenance: rollcall.Provenance(v.Provenance),
		})
	}
	return p
}

func (j *momentJSON) moment() rollcall.Moment {
	return rollcall.Moment{At: timeOf(j.At), Window: rollcall.Window{After: timeOf(j.After), Before: timeOf(j.Before)}}
}

func timeOf(t *Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.Time
}

func (j *windowJSON) window() rollcall.Window {
	return rollcall.Window{After: j.After.Time, Before: j.Before.Time}
}

func (j *boundsJSON) bounds() rollcall.Bounds {
	if j.Max == nil {
		return rollcall.Bounds{Min: milliseconds(j.Min), Max: -1}
	}
	return rollcall.Bounds{Min: milliseconds(j.Min), Max: milliseconds(*j.Max)}
}

func milliseconds(n int64) time.Duration { return time.Duration(n) * time.Millisecond }

// AttendeeSize is how many bytes a person of a summary takes on the wire.
func AttendeeSize(p *rollcall.Attendee) int {
	data, err := json.Marshal(attendeeOf(p))
	if err != nil { // numbers and texts: it cannot be
		return 0
	}
	return len(data) + len(",")
}

// summarySize is about how many bytes a summary takes on the wire.
func summarySize(s *rollcall.Summary) int {
	const frame, person, visit = 400, 220, 170
	size := frame + person*len(s.People)
	for i := range s.People {
		p := &s.People[i]
		size += len(p.Key) + len(p.UserID) + len(p.Nick) + visit*len(p.Visits)
	}
	return size
}
