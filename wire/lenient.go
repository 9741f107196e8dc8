package wire

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"rollcall"
)

// schemaPrefix stands before the version in the dataschema of every event.
const schemaPrefix = "rollcall:event:"

// ParseEvent reads an event as a program must that is older than the rollcall
// that wrote it: attributes, fields and words it does not know are passed over
// (a word reads as not said), and of an event whose type it does not know,
// which known reports, it reads what it can. A schema above this version's is
// refused with [ErrNewerSchema]. [DecodeEvent] is the strict one, for what this
// version has written itself.
func ParseEvent(data []byte) (e rollcall.Event, known bool, err error) {
	var stored eventJSON
	if err := checkEventSchema(data); err != nil {
		return e, false, fmt.Errorf("parse event: %w", err)
	}
	readErr := json.Unmarshal(data, &stored)
	word, ours := strings.CutPrefix(stored.Type, typePrefix)
	if !ours || word == "" {
		return e, false, fmt.Errorf("parse event: the type %.64q is none of rollcall's", stored.Type)
	}
	e = stored.lenient(rollcall.Type(word))
	if !knownType(e.Type) {
		return e, false, nil
	}
	if readErr != nil {
		return e, true, fmt.Errorf("parse event %.600q: %w", stored.ID, readErr)
	}
	if err := checkIdentity(&e); err != nil {
		return e, true, fmt.Errorf("parse event %.600q: %w", stored.ID, err)
	}
	return e, true, nil
}

// checkIdentity refuses an event that belongs nowhere.
func checkIdentity(e *rollcall.Event) error {
	if err := CheckNames(e.Tenant, e.ConferenceID); err != nil {
		return err
	}
	if e.Sequence == 0 {
		return fmt.Errorf("%s: no sequence", e.Type)
	}
	if (e.Type.Entity() == "participant") != (e.Participant != nil) {
		return fmt.Errorf("%s: participant events have a participant with a key, others have none", e.Type)
	}
	return nil
}

func checkEventSchema(data []byte) error {
	var head schemaJSON
	if err := json.Unmarshal(data, &head); err != nil {
		return err
	}
	version, ours := strings.CutPrefix(head.DataSchema, schemaPrefix)
	n, err := strconv.ParseUint(version, 10, 31)
	if !ours || err != nil || n < 1 {
		return fmt.Errorf("the dataschema %.64q is none of rollcall's", head.DataSchema)
	}
	if head.DataSchema != DataSchema {
		return fmt.Errorf("%w: %s, this version reads %s", ErrNewerSchema, head.DataSchema, DataSchema)
	}
	return nil
}

// lenient takes from an event what has a meaning here.
func (j *eventJSON) lenient(t rollcall.Type) rollcall.Event {
	d := &j.Data
	status, _ := rollcall.ParseStatus(d.Meeting.Status)
	e := rollcall.Event{
		Tenant: d.Tenant, ConferenceID: d.ConferenceID, Epoch: d.Epoch, Sequence: d.Sequence,
		Type: t, Time: j.Time.Time, Exact: d.Exact, Index: d.Poll.Index, Count: d.Poll.Count,
		Meeting: rollcall.Conference{
			Title: d.Meeting.Title, StartTime: d.Meeting.StartTime.Time, EndTime: d.Meeting.EndTime.Time, Status: status,
			Media: rollcall.Media(d.Meeting.Media.Code), Present: max(d.Meeting.Present, 0),
		},
		Labels: d.Labels.labels(), Reason: rollcall.Reason(d.Reason), Window: rollcall.Window{After: d.Window.After.Time, Before: d.Window.Before.Time},
		Summary: d.Summary.summary(),
	}
	if p := rollcall.Provenance(d.Provenance); slices.Contains(rollcall.Provenances(), p) {
		e.Provenance = p
	}
	if d.Participant != nil && d.Participant.Key != "" {
		e.Participant = d.Participant.lenient()
	}
	return e
}

func (p *Person) lenient() *rollcall.Participant {
	attendance, _ := rollcall.ParseAttendance(p.Attendance)
	mic, _ := rollcall.ParseDevice(p.Mic)
	camera, _ := rollcall.ParseDevice(p.Camera)
	return &rollcall.Participant{
		Key: p.Key, UserID: p.UserID, Nick: p.Nick, Attendance: attendance, Mic: mic, Camera: camera,
		RejectDescription: p.RejectDescription, Session: max(p.Session, 0), Roles: p.Facts(),
	}
}
