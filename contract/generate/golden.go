package main

import (
	"encoding/json"
	"time"

	"rollcall"
	"rollcall/wire"
)

// golden are an event of each type and reason, a record and a status, by name.
func golden() (map[string][]byte, error) {
	all := map[string][]byte{}
	for _, t := range rollcall.Types() {
		for _, reason := range rollcall.Reasons(t) {
			e := event(t, reason)
			name := string(t)
			if reason != "" {
				name += "." + string(reason)
			}
			all[name] = wire.AppendEvent(nil, &e)
		}
	}
	for _, t := range watchTypes() {
		for i, reason := range rollcall.WatchReasons() {
			data, err := wire.EncodeWatch("", &rollcall.WatchEvent{
				Tenant: "acme", Shard: 0, Shards: 1, Epoch: at(0).UnixMilli(), Sequence: uint64(i + 1), Type: t, Reason: reason,
				Provenance: rollcall.ProvenanceObserved, Window: rollcall.Window{After: at(0), Before: at(90)},
			})
			if err != nil {
				return nil, err
			}
			all[string(t)+"."+string(reason)] = data
		}
	}
	var err error
	if all["record"], err = wire.EncodeRecord(nil, record()); err != nil {
		return nil, err
	}
	all["status"], err = json.Marshal(wire.Status{
		Tenant: "acme", State: wire.StateOK, LastGoodPoll: at(15), LastPass: at(16), Pace: 15 * time.Second, Tracked: 12, SetAside: 1, At: at(16),
		Shards: []time.Time{at(15)},
	})
	return all, err
}

// at is some seconds after the meeting was first recorded.
func at(seconds int) time.Time {
	return time.Date(2026, time.November, 23, 2, 0, seconds, 210e6, time.UTC)
}

func labels() rollcall.Labels { return rollcall.Labels{"team": "blue"} }

// event is one of a meeting that people are in: of a type and a reason, and
// otherwise as it mostly is.
func event(t rollcall.Type, reason rollcall.Reason) rollcall.Event {
	e := rollcall.Event{
		Tenant: "acme", ConferenceID: "6f1a", Epoch: at(0).UnixMilli(), Sequence: 17, Type: t, Time: at(15), Index: 1, Count: 2,
		Meeting: rollcall.Conference{Title: "Stand-up", StartTime: at(-2), Status: rollcall.StatusStarted, Present: 4},
		Labels:  labels(), Reason: reason, Provenance: rollcall.ProvenanceObserved,
		Window: rollcall.Window{After: at(0), Before: at(15)},
	}
	if t.Entity() == "participant" {
		p := person(t)
		e.Participant = &p
	}
	switch {
	case t == rollcall.MeetingInitialized:
		e.Meeting.Status, e.Meeting.Present, e.Provenance, e.Window.After = rollcall.StatusInitialized, 0, rollcall.ProvenanceBaseline, time.Time{}
	case t == rollcall.MeetingStarted:
		e.Time, e.Exact, e.Meeting.StartTime = at(3), true, at(3)
	case t == rollcall.MeetingEnded && reason == rollcall.ReasonVanished: // nobody said when
		e.Meeting.Status, e.Meeting.Present, e.Provenance = rollcall.StatusEnded, 0, rollcall.ProvenanceInferred
	case t == rollcall.MeetingEnded || t == rollcall.MeetingSummarized || reason == rollcall.ReasonMeetingEnded:
		e.Meeting.Status, e.Meeting.Present, e.Meeting.EndTime = rollcall.StatusEnded, 0, at(9)
		if t != rollcall.MeetingSummarized {
			e.Time, e.Exact = at(9), t == rollcall.MeetingEnded
		}
		if t.Entity() == "participant" {
			e.Window.Before = at(9)
		}
	}
	if t == rollcall.MeetingSummarized {
		e.Provenance, e.Summary = rollcall.ProvenanceReconciled, summary()
	}
	if bit, set := media(t); set {
		e.Meeting.Media = bit
	}
	return e
}

// media is what the bits of a meeting are after the event that sets one.
func media(t rollcall.Type) (bit rollcall.Media, set bool) {
	bit, set = map[rollcall.Type]rollcall.Media{
		rollcall.MeetingMuteAllEnforced: rollcall.MediaMuteAll, rollcall.MeetingMicMuted: rollcall.MediaMicMuted,
		rollcall.MeetingCameraClosed: rollcall.MediaCameraClosed,
	}[t]
	return bit, set
}

// person is who an event is about, as after the poll.
func person(t rollcall.Type) rollcall.Participant {
	p := rollcall.Participant{
		Key: "u42", UserID: "u42", Nick: "Mei", Attendance: rollcall.AttendancePresent,
		Mic: rollcall.DeviceClosed, Camera: rollcall.DeviceClosed, Session: 1,
	}
	switch t {
	case rollcall.ParticipantForgotten:
		return rollcall.Participant{Key: rollcall.Forgotten("acme", "6f1a", p.Key)}
	case rollcall.ParticipantLeft, rollcall.ParticipantInvitationLapsed:
		p.Attendance = rollcall.AttendanceLeft
	case rollcall.ParticipantKickedOut:
		p.Attendance = rollcall.AttendanceKickedOut
	case rollcall.ParticipantDeclined:
		p.Attendance, p.RejectDescription, p.Session = rollcall.AttendanceFailed, "busy", 0
	case rollcall.ParticipantJoinFailed:
		p.Attendance, p.Session = rollcall.AttendanceFailed, 0
	case rollcall.ParticipantInvited:
		p.Attendance, p.Session = rollcall.AttendanceInvited, 0
	case rollcall.ParticipantJoining:
		p.Attendance, p.Session = rollcall.AttendanceJoining, 0
	case rollcall.ParticipantMicOpened:
		p.Mic = rollcall.DeviceOpen
	case rollcall.ParticipantCameraOpened:
		p.Camera = rollcall.DeviceOpen
	case rollcall.ParticipantRoleChanged:
		p.Roles = roles()
	}
	return p
}

func roles() rollcall.Roles {
	return rollcall.Roles{Host: rollcall.FactTrue, CoHost: rollcall.FactFalse, External: rollcall.FactFalse, Phone: rollcall.FactTrue}
}

// summary is that of a meeting in which Mei was seen, and Tel was not.
func summary() *rollcall.Summary {
	exactly := func(seconds int) rollcall.Moment { return rollcall.Moment{At: at(seconds)} }
	visit := rollcall.Visit{
		Joined: exactly(-1), Left: rollcall.Moment{Window: rollcall.Window{After: at(0), Before: at(9)}},
		How: rollcall.DepartureMeetingEnded, Provenance: rollcall.ProvenanceObserved,
	}
	unseen := rollcall.Visit{Joined: exactly(2), Left: exactly(7), How: rollcall.DepartureLeft, Provenance: rollcall.ProvenanceReconciled}
	return &rollcall.Summary{
		StartedAt: exactly(-2), EndedAt: exactly(9), Duration: 11 * time.Second, Attended: 2,
		Peak: rollcall.Peak{Present: 2, At: rollcall.Window{After: at(2), Before: at(7)}}, Complete: true,
		People: []rollcall.Attendee{
			{Key: "anon:Tel#1", Nick: "Tel", Roles: rollcall.Roles{Phone: rollcall.FactTrue}, Visits: []rollcall.Visit{unseen}},
			{
				Key: "u42", UserID: "u42", Nick: "Mei", Roles: roles(), Visits: []rollcall.Visit{visit},
				MicOpen: rollcall.Bounds{Max: 9 * time.Second}, CameraOpen: rollcall.Bounds{Max: -1},
			},
		},
	}
}

func record() *rollcall.Record {
	mei, tel := person(rollcall.ParticipantMicOpened), person(rollcall.ParticipantJoined)
	tel.Key, tel.UserID, tel.Nick = "anon:Tel#1", "", "Tel"
	gone := person(rollcall.ParticipantDeclined)
	gone.Key, gone.UserID, gone.Session = "u43", "u43", 1
	return &rollcall.Record{
		Tenant: "acme", ConferenceID: "6f1a", Epoch: at(0).UnixMilli(), Sequence: 17, ObservedAt: at(14),
		Number: rollcall.Number{Term: 812, Poll: 4}, Labels: labels(),
		Meeting: rollcall.Conference{Title: "Stand-up", StartTime: at(-2), Status: rollcall.StatusStarted, Present: 2},
		Roster:  []rollcall.Participant{tel, mei},
		Memory:  []rollcall.Memory{{Participant: gone, Failed: 2, KickedOut: 1, Left: 1}},
		Partial: &rollcall.Partial{Provenance: rollcall.ProvenanceObserved, WindowAfter: at(0)},
	}
}
