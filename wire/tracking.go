package wire

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"rollcall"
)

// Tracking is a member of the tracked set as it is stored.
type Tracking struct {
	ConferenceID string
	Source       string // who wants it watched: config, api, …
	Since        time.Time
	// Looked is for how long somebody has looked at the meeting before it
	// started, about; it is written in whole milliseconds.
	Looked time.Duration
	Labels rollcall.Labels // that it is tracked with
}

// trackingJSON is the stored shape of a [Tracking].
type trackingJSON struct {
	Schema       int    `json:"schema"`
	ConferenceID string `json:"conferenceId"`
	Source       string `json:"source"`
	Since        Time   `json:"since"`
	LookedMs     int64  `json:"lookedMs,omitzero"`

	Labels labelsJSON `json:"labels,omitempty"`
}

// EncodeTracking returns the stored form of a member of the tracked set: a JSON
// object with schema, conferenceId, source, since and, unless there are none,
// lookedMs and labels. A year that cannot be written is refused, and labels that
// cannot be.
func EncodeTracking(t Tracking) ([]byte, error) {
	if err := CheckTime("since", t.Since); err != nil {
		return nil, err
	}
	if err := t.Labels.Check(); err != nil {
		return nil, err
	}
	return json.Marshal(trackingJSON{
		RecordSchema, t.ConferenceID, t.Source, Time{Time: t.Since}, t.Looked.Milliseconds(), labelsJSON(t.Labels),
	})
}

// DecodeTracking reads a member of the tracked set. Fields it does not know are
// passed over; a newer schema is refused with [ErrNewerSchema].
func DecodeTracking(data []byte) (Tracking, error) {
	if t, ok := readTracking(data); ok {
		return t, nil
	}
	return decodeTracking(data)
}

// decodeTracking is DecodeTracking for an entry in any form.
func decodeTracking(data []byte) (Tracking, error) {
	var stored trackingJSON
	err := json.Unmarshal(data, &stored)
	if err := CheckSchema(data, stored.Schema, err); err != nil {
		return Tracking{}, fmt.Errorf("decode tracking: %w", err)
	}
	if stored.ConferenceID == "" {
		return Tracking{}, fmt.Errorf("decode tracking: no meeting in %.100q", data)
	}
	return Tracking{
		ConferenceID: stored.ConferenceID, Source: stored.Source, Since: stored.Since.Time,
		Looked: time.Duration(max(stored.LookedMs, 0)) * time.Millisecond, Labels: stored.Labels.labels(),
	}, nil
}

// readTracking reads an entry of the tracked set in the very form that
// [EncodeTracking] writes for one that nobody has looked at for long; ok is false
// for any other.
func readTracking(data []byte) (t Tracking, ok bool) {
	if !utf8.Valid(data) {
		return t, false
	}
	c := canonical{rest: string(data)}
	c.expect(`{"schema":1,"conferenceId":`)
	id := c.text()
	c.expect(`,"source":`)
	source := c.text()
	c.expect(`,"since":`)
	t.Since = c.time()
	if c.took(`,"labels":`) {
		t.Labels = c.labels()
	}
	c.expect(`}`)
	t.ConferenceID, t.Source = strings.Clone(id), strings.Clone(source)
	return t, c.ended() && id != ""
}
