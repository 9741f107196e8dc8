package control

import (
	"fmt"

	"rollcall"
	"rollcall/wire"
	"rollcall/worker"
)

// stateOf returns the public form of what a worker knows, without the roster.
func stateOf(v worker.View) State {
	s := State{
		ConferenceID: v.ConferenceID, Tracked: v.Tracked,
		AskedAt: wire.Time{Time: v.AskedAt}, Trouble: v.Trouble, Labels: v.Labels,
	}
	if v.Tracked {
		s.Source, s.Since = v.Source, wire.Time{Time: v.Since}
	}
	if v.Record == nil {
		return s
	}
	if n := v.Record.Misses; n > 0 && s.Trouble == "" {
		s.Trouble = fmt.Sprintf("DingTalk does not know the meeting (said %d times in a row)", n)
	}
	if !unseen(v.Record) {
		s.Record = recordOf(v.Record)
	}
	return s
}

// unseen reports whether the record holds nothing but misses.
func unseen(r *rollcall.Record) bool { return r.Sequence == 0 && r.Misses > 0 }

func recordOf(r *rollcall.Record) *Record {
	return &Record{
		Epoch: r.Epoch, Sequence: r.Sequence, ObservedAt: wire.Time{Time: r.ObservedAt}, Meeting: MeetingOf(&r.Meeting),
	}
}

// MeetingOf returns the JSON of a meeting as it stands in the stored record.
func MeetingOf(c *rollcall.Conference) wire.Meeting {
	return wire.Meeting{
		Title: c.Title, StartTime: wire.Time{Time: c.StartTime}, EndTime: wire.Time{Time: c.EndTime},
		Status: max(c.Status, rollcall.StatusInitialized).String(), Present: c.Present,
		Media: wire.Media{
			MicMuted: c.Media.Has(rollcall.MediaMicMuted), CameraClosed: c.Media.Has(rollcall.MediaCameraClosed),
			MuteAll: c.Media.Has(rollcall.MediaMuteAll), Code: int64(c.Media),
		},
	}
}

// RosterOf returns the JSON of a roster as it stands in the stored record; it is
// never nil.
func RosterOf(roster []rollcall.Participant) []wire.Person {
	people := make([]wire.Person, len(roster))
	for i, p := range roster {
		people[i] = wire.Person{
			Key: p.Key, UserID: p.UserID, Nick: p.Nick,
			Attendance: max(p.Attendance, rollcall.AttendanceInvited).String(),
			Mic:        max(p.Mic, rollcall.DeviceClosed).String(), Camera: max(p.Camera, rollcall.DeviceClosed).String(),
			RejectDescription: p.RejectDescription, Session: p.Session, Roles: wire.RolesOf(p.Roles),
		}
	}
	return people
}

// meeting returns the answer about one meeting.
func meeting(tenant string, v worker.View) Meeting {
	m := Meeting{Schema: Schema, Tenant: tenant, State: stateOf(v)}
	if m.Record != nil {
		m.Record.Roster = RosterOf(v.Record.Roster)
	}
	return m
}
