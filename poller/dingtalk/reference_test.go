package dingtalk

import (
	"fmt"

	"rollcall"
)

// What follows decodes a meeting plainly: the members of each object are picked
// first, which scans every value once for each object around it, and then read
// one after the other. The real one must come to the same, whatever it is given.

func referenceDecode(raw []byte) *rollcall.Answer {
	d := reference{answer: new(rollcall.Answer)}
	var title, startTime, status, mediaStatus, userList []byte
	ok := pick(raw, func(name, value []byte) {
		switch string(name) {
		case "title":
			title = value
		case "startTime":
			startTime = value
		case "status":
			status = value
		case "mediaStatus":
			mediaStatus = value
		case "userList":
			userList = value
		}
	})
	if !ok {
		d.odd("meeting", "malformed")
		return d.answer
	}
	d.answer.Title = d.text("title", title)
	d.startTime(startTime)
	d.answer.Status = referenceCoded(&d, "status", status, statuses)
	d.media(mediaStatus)
	d.list(userList)
	return d.answer
}

// reference fills an answer.
type reference struct{ answer *rollcall.Answer }

func (d *reference) odd(field, value string) {
	if len(d.answer.Oddities) < maxOddities {
		d.answer.Oddities = append(d.answer.Oddities, rollcall.Oddity{Field: field, Value: value})
	}
}

// text reads words that people wrote; of others it tells the type only.
func (d *reference) text(field string, raw []byte) string {
	s, ok := text(raw)
	if !ok && given(raw) {
		d.odd(field, typeOf(raw))
	}
	return rollcall.Clip(s)
}

// coded reads a number that stands for an element of meanings.
func referenceCoded[T any](d *reference, field string, raw []byte, meanings []T) (meaning T) {
	n, ok := integer(raw)
	if ok && 0 <= n && n < int64(len(meanings)) {
		return meanings[n]
	}
	d.meaningless(field, raw)
	return meaning
}

// meaningless tells of a value that has no meaning, if there is one.
func (d *reference) meaningless(field string, raw []byte) {
	if given(raw) {
		d.odd(field, shown(raw))
	}
}

func (d *reference) startTime(raw []byte) {
	start, ok := moment(raw)
	if !ok {
		d.meaningless("startTime", raw)
	}
	d.answer.StartTime = start
}

// media reads the bits; a negative number has all of them and means none.
func (d *reference) media(raw []byte) {
	bits, ok := integer(raw)
	if !ok || bits < 0 {
		d.meaningless("mediaStatus", raw)
		return
	}
	d.answer.Media, d.answer.MediaGiven = rollcall.Media(bits), true
}

func (d *reference) list(raw []byte) {
	if !given(raw) {
		return
	}
	if raw[0] != '[' {
		d.odd("userList", typeOf(raw))
		return
	}
	d.answer.Listed = true
	c := newCursor(raw)
	c.array(func() { d.element(c.value()) })
}

func (d *reference) element(raw []byte) {
	if len(d.answer.Entries) == maxEntries {
		d.pass("userList", fmt.Sprintf("more than %d", maxEntries))
		return
	}
	entry, ok := d.entry(raw)
	if ok {
		d.answer.Entries = append(d.answer.Entries, entry)
	}
}

// pass tells of an element that cannot be used.
func (d *reference) pass(field, value string) {
	d.answer.Partial = true
	d.odd(field, value)
}

// entry reads one element; ok is false if nobody can say whose it is.
func (d *reference) entry(raw []byte) (entry rollcall.Entry, ok bool) {
	var userID, nick, attend, mic, camera, reject []byte
	isObject := pick(raw, func(name, value []byte) {
		switch string(name) {
		case "userId":
			userID = value
		case "nick":
			nick = value
		case "attendStatus":
			attend = value
		case "micStatus":
			mic = value
		case "cameraStatus":
			camera = value
		case "rejectDescription":
			reject = value
		}
	})
	if !isObject {
		d.pass("userList", typeOf(raw))
		return entry, false
	}
	if entry.UserID, ok = referenceUserID(userID); !ok {
		d.pass("userId", typeOf(userID))
		return entry, false
	}
	entry.Nick = d.text("nick", nick)
	entry.Attendance = referenceCoded(d, "attendStatus", attend, attendances)
	entry.Mic = referenceCoded(d, "micStatus", mic, devices)
	entry.Camera = referenceCoded(d, "cameraStatus", camera, devices)
	entry.RejectDescription = d.text("rejectDescription", reject)
	return entry, true
}

// referenceUserID reads a user's id, also one that is a number of digits. One of any
// other type is no empty id: it would make its owner somebody else.
func referenceUserID(raw []byte) (id string, ok bool) {
	if !given(raw) {
		return "", true
	}
	if id, ok = text(raw); ok {
		return id, true
	}
	return string(raw), skipDigits(raw, 0) == len(raw)
}
