package wire

import (
	"fmt"
	"strconv"

	"rollcall"
)

// AppendParticipant appends a participant as it stands in events and in the
// roster of records. A device of unknown state is closed, and a person of
// unknown attendance is invited.
func AppendParticipant(dst []byte, p *rollcall.Participant) []byte {
	shown := *p
	shown.Attendance = max(p.Attendance, rollcall.AttendanceInvited)
	shown.Mic, shown.Camera = max(p.Mic, rollcall.DeviceClosed), max(p.Camera, rollcall.DeviceClosed)
	return append(AppendPerson(append(dst, '{'), &shown), '}')
}

// AppendPerson appends the members of a participant without the braces, the
// words exactly as they are: "" for what nobody has said.
func AppendPerson(dst []byte, p *rollcall.Participant) []byte {
	dst = append(dst, `"key":`...)
	dst = AppendString(dst, p.Key)
	dst = append(dst, `,"userId":`...)
	dst = AppendString(dst, p.UserID)
	dst = append(dst, `,"nick":`...)
	dst = AppendString(dst, p.Nick)
	dst = append(dst, `,"attendance":`...)
	dst = appendWord(dst, p.Attendance.String())
	dst = append(dst, `,"mic":`...)
	dst = appendWord(dst, p.Mic.String())
	dst = append(dst, `,"camera":`...)
	dst = appendWord(dst, p.Camera.String())
	dst = append(dst, `,"rejectDescription":`...)
	dst = AppendString(dst, p.RejectDescription)
	dst = append(dst, `,"session":`...)
	dst = strconv.AppendInt(dst, int64(p.Session), 10)
	return appendRoles(dst, &p.Roles)
}

// Person is a participant as it stands in JSON.
type Person struct {
	Key               string `json:"key"`
	UserID            string `json:"userId"`
	Nick              string `json:"nick"`
	Attendance        string `json:"attendance"`
	Mic               string `json:"mic"`
	Camera            string `json:"camera"`
	RejectDescription string `json:"rejectDescription"`
	Session           int    `json:"session"`
	Roles
}

// Participant returns the word for the JSON. Words that say nothing ("") are
// allowed only where unsaid is true.
func (p *Person) Participant(unsaid bool) (rollcall.Participant, error) {
	attendance, a := rollcall.ParseAttendance(p.Attendance)
	mic, m := rollcall.ParseDevice(p.Mic)
	camera, c := rollcall.ParseDevice(p.Camera)
	for _, word := range []struct {
		name, value string
		known       bool
	}{{"attendance", p.Attendance, a}, {"mic", p.Mic, m}, {"camera", p.Camera, c}} {
		if !word.known && !(unsaid && word.value == "") {
			return rollcall.Participant{}, fmt.Errorf("read participant: unknown %s %.64q", word.name, word.value)
		}
	}
	if p.Key == "" || p.Session < 0 {
		return rollcall.Participant{}, fmt.Errorf("read participant: key %.64q, session %d", p.Key, p.Session)
	}
	return rollcall.Participant{
		Key: p.Key, UserID: p.UserID, Nick: p.Nick, Attendance: attendance, Mic: mic, Camera: camera,
		RejectDescription: p.RejectDescription, Session: p.Session, Roles: p.Facts(),
	}, nil
}
