package wire

import (
	"strconv"
	"strings"

	"rollcall"
)

// Of a person who is remembered only that is written which the others leave
// open: not the nick that the key holds, no device that is closed, no count of 0.
// A record that says all of it, as they once did, says the same.

// The members of a remembered person that may be missing, as they are written.
const (
	memoryUserID    = `,"userId":`
	memoryNick      = `,"nick":`
	memoryMic       = `,"mic":`
	memoryCamera    = `,"camera":`
	memoryReject    = `,"rejectDescription":`
	memorySession   = `,"session":`
	memoryFailed    = `,"failed":`
	memoryKickedOut = `,"kickedOut":`
	memoryLeft      = `,"left":`
)

// memoryJSON is a remembered person as it stands in a record; nil: not said.
type memoryJSON struct {
	Key               string  `json:"key"`
	UserID            string  `json:"userId"`
	Nick              *string `json:"nick"`
	Attendance        string  `json:"attendance"`
	Mic               *string `json:"mic"`
	Camera            *string `json:"camera"`
	RejectDescription string  `json:"rejectDescription"`
	Session           int     `json:"session"`
	Failed            int     `json:"failed"`
	KickedOut         int     `json:"kickedOut"`
	Left              int     `json:"left"`
	Roles
}

func (j *memoryJSON) memory() (rollcall.Memory, error) {
	closed, nick := rollcall.DeviceClosed.String(), nickIn(j.Key)
	p := Person{
		Key: j.Key, UserID: j.UserID, Nick: or(j.Nick, nick), Attendance: j.Attendance,
		Mic: or(j.Mic, closed), Camera: or(j.Camera, closed), RejectDescription: j.RejectDescription, Session: j.Session, Roles: j.Roles,
	}
	who, err := p.Participant(true)
	return rollcall.Memory{Participant: who, Failed: j.Failed, KickedOut: j.KickedOut, Left: j.Left}, err
}

func or(said *string, otherwise string) string {
	if said == nil {
		return otherwise
	}
	return *said
}

// nickIn returns the nick that the key of a person without a user id holds; "" for
// all others.
func nickIn(key string) string {
	rest, nameless := strings.CutPrefix(key, "anon:")
	if end := strings.LastIndexByte(rest, '#'); nameless && end > 0 {
		return rest[:end]
	}
	return ""
}

func appendMemory(dst []byte, memory []rollcall.Memory) []byte {
	dst = append(dst, `,"memory":[`...)
	for i := range memory {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendRemembered(dst, &memory[i])
	}
	return append(dst, ']')
}

func appendRemembered(dst []byte, m *rollcall.Memory) []byte {
	p := &m.Participant
	dst = AppendString(append(dst, `{"key":`...), p.Key)
	dst = appendTextUnless(dst, memoryUserID, p.UserID, "")
	dst = appendTextUnless(dst, memoryNick, p.Nick, nickIn(p.Key))
	dst = appendWord(append(dst, `,"attendance":`...), p.Attendance.String())
	if p.Mic != rollcall.DeviceClosed {
		dst = appendWord(append(dst, memoryMic...), p.Mic.String())
	}
	if p.Camera != rollcall.DeviceClosed {
		dst = appendWord(append(dst, memoryCamera...), p.Camera.String())
	}
	dst = appendTextUnless(dst, memoryReject, p.RejectDescription, "")
	dst = appendRoles(appendCount(dst, memorySession, p.Session), &p.Roles)
	dst = appendCount(dst, memoryFailed, m.Failed)
	dst = appendCount(dst, memoryKickedOut, m.KickedOut)
	return append(appendCount(dst, memoryLeft, m.Left), '}')
}

func appendTextUnless(dst []byte, member, text, known string) []byte {
	if text == known {
		return dst
	}
	return AppendString(append(dst, member...), text)
}

func appendCount(dst []byte, member string, n int) []byte {
	if n == 0 {
		return dst
	}
	return strconv.AppendInt(append(dst, member...), int64(n), 10)
}
