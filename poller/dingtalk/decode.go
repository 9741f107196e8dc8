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

// Decode reads what Query gave for one meeting. It never fails: what cannot be
// read is not said, and is told as an oddity.
func (*Client) Decode(raw []byte) *rollcall.Answer { return decode(raw) }

func decode(raw []byte) *rollcall.Answer {
	// Room for the usual meeting, which is decoded with three allocations.
	var people [48]person
	var texts [2048]byte
	d := decoder{cursor: *newCursor(raw)}
	if d.peek() == '{' {
		if c := d.meeting(crowd{people[:0], texts[:0]}); d.done() {
			return d.answer(c)
		}
	}
	return &rollcall.Answer{Oddities: []rollcall.Oddity{{Field: "meeting", Value: "malformed"}}}
}

// decoder reads one meeting in one walk. Of members of one name the last counts,
// so nothing is made of them before the end; the list alone is read on the way,
// and begun anew when another one comes.
type decoder struct {
	cursor
	title, startTime, status, media, userList []byte // values as they stand in JSON; nil: absent

	partial bool     // somebody of the list cannot be told
	odd     oddities // of the list
}

// crowd is the people of a list. It is handed on by value, for the compiler to
// see that its memory may lie on the stack.
type crowd struct {
	people []person
	texts  []byte // of all people, one after the other
}

// person is an entry of the list; its texts stand in the crowd's, in this order.
type person struct {
	userID, nick, reject int32 // lengths
	attendance           rollcall.Attendance
	mic, camera          rollcall.Device
}

func (d *decoder) meeting(c crowd) crowd {
	for more := d.open('}'); more; more = d.next('}') {
		switch string(d.name()) {
		case "title":
			d.title = d.value()
		case "startTime":
			d.startTime = d.value()
		case "status":
			d.status = d.value()
		case "mediaStatus":
			d.media = d.value()
		case "userList":
			c = d.list(crowd{c.people[:0], c.texts[:0]})
		default:
			d.value()
		}
	}
	return c
}

// list reads the users, if it is a list of them that comes.
func (d *decoder) list(c crowd) crowd {
	d.odd, d.partial = nil, false
	if d.peek() != '[' {
		d.userList = d.value()
		return c
	}
	d.userList = d.data[d.at : d.at+1]
	for more := d.open(']'); more; more = d.next(']') {
		switch full := len(c.people) == maxEntries; {
		case d.peek() == '{' && !full:
			c = d.user(c)
		case full:
			d.value()
			d.pass("userList", fmt.Sprintf("more than %d", maxEntries))
		default:
			if raw := d.value(); raw != nil {
				d.pass("userList", typeOf(raw))
			}
		}
	}
	return c
}

// pass tells of an element that cannot be used.
func (d *decoder) pass(field, value string) {
	d.partial = true
	d.odd.add(field, value)
}

// user reads one element; nobody is added if nobody can say whose it is.
func (d *decoder) user(c crowd) crowd {
	var userID, nick, attend, mic, camera, reject []byte
	for more := d.open('}'); more; more = d.next('}') {
		switch string(d.name()) {
		case "userId":
			userID = d.value()
		case "nick":
			nick = d.value()
		case "attendStatus":
			attend = d.value()
		case "micStatus":
			mic = d.value()
		case "cameraStatus":
			camera = d.value()
		case "rejectDescription":
			reject = d.value()
		default:
			d.value()
		}
	}
	if d.at == bad {
		return c
	}
	id, ok := userIDOf(userID)
	if !ok {
		d.pass("userId", typeOf(userID))
		return c
	}
	name := d.odd.text("nick", nick)
	p := person{
		attendance: coded(&d.odd, "attendStatus", attend, attendances),
		mic:        coded(&d.odd, "micStatus", mic, devices),
		camera:     coded(&d.odd, "cameraStatus", camera, devices),
	}
	why := d.odd.text("rejectDescription", reject)
	p.userID, p.nick, p.reject = int32(len(id)), int32(len(name)), int32(len(why))
	c.texts = append(append(append(c.texts, id...), name...), why...)
	c.people = append(c.people, p)
	return c
}

// answer makes of a meeting what it says. Its texts share one string, which
// holds nothing else.
func (d *decoder) answer(c crowd) *rollcall.Answer {
	var odd oddities
	title := odd.text("title", d.title)
	texts := string(append(c.texts, title...))
	a := &rollcall.Answer{Partial: d.partial}
	var ok bool
	if a.StartTime, ok = moment(d.startTime); !ok {
		odd.meaningless("startTime", d.startTime)
	}
	a.Status = coded(&odd, "status", d.status, statuses)
	// A negative number has all bits and means none.
	if bits, ok := integer(d.media); ok && bits >= 0 {
		a.Media, a.MediaGiven = rollcall.Media(bits), true
	} else {
		odd.meaningless("mediaStatus", d.media)
	}
	if a.Listed = len(d.userList) > 0 && d.userList[0] == '['; !a.Listed && given(d.userList) {
		odd.add("userList", typeOf(d.userList))
	}
	for _, o := range d.odd {
		odd.add(o.Field, o.Value)
	}
	a.Oddities = odd
	a.Title = texts[len(texts)-len(title):]
	a.Entries = c.entries(texts)
	return a
}

// entries makes entries of the people, whose texts are the first ones of those given.
func (c crowd) entries(texts string) []rollcall.Entry {
	if len(c.people) == 0 {
		return nil
	}
	list := make([]rollcall.Entry, len(c.people))
	cut := func(length int32) (text string) {
		text, texts = texts[:length], texts[length:]
		return text
	}
	for i := range c.people {
		p, e := &c.people[i], &list[i]
		e.UserID, e.Nick, e.RejectDescription = cut(p.userID), cut(p.nick), cut(p.reject)
		e.Attendance, e.Mic, e.Camera = p.attendance, p.mic, p.camera
	}
	return list
}

// userIDOf reads a user's id, also one that is a number of digits. One of any
// other type is no empty id: it would make its owner somebody else.
func userIDOf(raw []byte) (id []byte, ok bool) {
	switch {
	case !given(raw):
		return nil, true
	case raw[0] == '"':
		return plain(raw), true
	}
	return raw, skipDigits(raw, 0) == len(raw)
}
