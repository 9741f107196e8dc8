package dingtalk

import (
	"fmt"

	"rollcall"
)

// Bounds of what one answer may make of one meeting, far above what a meeting
// of 500 people needs.
const (
	maxEntries  = 100_000
	maxOddities = 64
)

// What DingTalk's numbers mean, by number.
var (
	statuses    = []rollcall.Status{rollcall.StatusInitialized, rollcall.StatusEnded, rollcall.StatusStarted}
	devices     = []rollcall.Device{rollcall.DeviceUnknown, rollcall.DeviceClosed, rollcall.DeviceOpen}
	attendances = []rollcall.Attendance{
		rollcall.AttendanceUnknown, rollcall.AttendanceInvited, rollcall.AttendanceJoining,
		rollcall.AttendancePresent, rollcall.AttendanceFailed, rollcall.AttendanceKickedOut, rollcall.AttendanceLeft,
	}
)

// Decode reads what Query gave for one meeting. It never fails: what cannot be
// read is not said, and is told as an oddity.
func (*Client) Decode(raw []byte) *rollcall.Answer { return decode(raw) }

func decode(raw []byte) *rollcall.Answer {
	d := decoder{answer: new(rollcall.Answer)}
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
	d.answer.Status = coded(&d, "status", status, statuses)
	d.media(mediaStatus)
	d.list(userList)
	return d.answer
}

// pick calls each with the members of an object, in their order, so that the
// last of a name wins; ok is false if raw is not an object.
func pick(raw []byte, each func(name, value []byte)) (ok bool) {
	c := newCursor(raw)
	if c.peek() != '{' {
		return false
	}
	c.object(func(name []byte) {
		if value := c.value(); value != nil {
			each(name, value)
		}
	})
	return c.done()
}

// decoder fills an answer.
type decoder struct{ answer *rollcall.Answer }

func (d *decoder) odd(field, value string) {
	if len(d.answer.Oddities) < maxOddities {
		d.answer.Oddities = append(d.answer.Oddities, rollcall.Oddity{Field: field, Value: value})
	}
}

// text reads words that people wrote; of others it tells the type only.
func (d *decoder) text(field string, raw []byte) string {
	s, ok := text(raw)
	if !ok && given(raw) {
		d.odd(field, typeOf(raw))
	}
	return rollcall.Clip(s)
}

// coded reads a number that stands for an element of meanings.
func coded[T any](d *decoder, field string, raw []byte, meanings []T) (meaning T) {
	n, ok := integer(raw)
	if ok && 0 <= n && n < int64(len(meanings)) {
		return meanings[n]
	}
	d.meaningless(field, raw)
	return meaning
}

// meaningless tells of a value that has no meaning, if there is one.
func (d *decoder) meaningless(field string, raw []byte) {
	if given(raw) {
		d.odd(field, shown(raw))
	}
}

func (d *decoder) startTime(raw []byte) {
	start, ok := moment(raw)
	if !ok {
		d.meaningless("startTime", raw)
	}
	d.answer.StartTime = start
}

// media reads the bits; a negative number has all of them and means none.
func (d *decoder) media(raw []byte) {
	bits, ok := integer(raw)
	if !ok || bits < 0 {
		d.meaningless("mediaStatus", raw)
		return
	}
	d.answer.Media, d.answer.MediaGiven = rollcall.Media(bits), true
}

func (d *decoder) list(raw []byte) {
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

func (d *decoder) element(raw []byte) {
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
func (d *decoder) pass(field, value string) {
	d.answer.Partial = true
	d.odd(field, value)
}

// entry reads one element; ok is false if nobody can say whose it is.
func (d *decoder) entry(raw []byte) (entry rollcall.Entry, ok bool) {
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
	if entry.UserID, ok = userIDOf(userID); !ok {
		d.pass("userId", typeOf(userID))
		return entry, false
	}
	entry.Nick = d.text("nick", nick)
	entry.Attendance = coded(d, "attendStatus", attend, attendances)
	entry.Mic = coded(d, "micStatus", mic, devices)
	entry.Camera = coded(d, "cameraStatus", camera, devices)
	entry.RejectDescription = d.text("rejectDescription", reject)
	return entry, true
}

// userIDOf reads a user's id, also one that is a number of digits. One of any
// other type is no empty id: it would make its owner somebody else.
func userIDOf(raw []byte) (id string, ok bool) {
	if !given(raw) {
		return "", true
	}
	if id, ok = text(raw); ok {
		return id, true
	}
	return string(raw), skipDigits(raw, 0) == len(raw)
}
