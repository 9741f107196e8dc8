package dingtalk

import "rollcall"

// Bounds of what one answer may make of one meeting, far above what a meeting
// of 500 people needs.
const (
	maxEntries  = 100_000
	tooMany     = "more than 100000"
	maxOddities = 64
)

// Decode reads what Query gave for one meeting. It never fails: what cannot be
// read is not said, and is told as an oddity.
func (*Client) Decode(raw []byte) *rollcall.Answer { return decode(raw) }

func decode(raw []byte) *rollcall.Answer {
	d := decoder{cursor: *newCursor(raw)}
	if d.peek() == '{' {
		for more := d.open('}'); more; more = d.next('}') {
			d.member(d.inMeeting())
		}
		if d.done() {
			return d.answer()
		}
	}
	return &rollcall.Answer{Oddities: []rollcall.Oddity{{Field: "meeting", Value: "malformed"}}}
}

// decoder reads meetings in one walk. Of members of one name the last counts,
// so nothing is made of them before the end; the list alone is read on the way,
// and begun anew when another one comes.
type decoder struct {
	cursor
	meeting
	people []person // of the list; its memory is used for the next one
	texts  []byte   // of all people, one after the other; as is this
}

// meeting is what is read of one meeting.
type meeting struct {
	title                              words
	startTime, status, media, userList []byte // values as they stand in JSON; nil: absent

	partial bool     // somebody of the list cannot be told
	odd     oddities // of the list
}

// person is an entry of the list; its texts stand in the decoder's, in this order.
type person struct {
	userID, nick, reject int32 // lengths
	attendance           rollcall.Attendance
	mic, camera          rollcall.Device
}

// begin forgets the meeting before.
func (d *decoder) begin() {
	d.meeting, d.people, d.texts = meeting{}, d.people[:0], d.texts[:0]
}

// inMeeting passes the name of a member.
func (d *decoder) inMeeting() (n name) {
	n, d.at = meetingName(d.data, d.at)
	return n
}

// member reads what stands under a name.
func (d *decoder) member(name name) {
	switch name {
	case nameTitle:
		d.title = wordsOf(d.value())
	case nameStartTime:
		d.startTime = d.value()
	case nameStatus:
		d.status = d.value()
	case nameMediaStatus:
		d.media = d.value()
	case nameUserList:
		d.list()
	default:
		d.value()
	}
}

// list reads the users, if it is a list of them that comes.
func (d *decoder) list() {
	d.odd, d.partial, d.people, d.texts = nil, false, d.people[:0], d.texts[:0]
	if d.peek() != '[' {
		d.userList = d.value()
		return
	}
	if d.people == nil { // room for the usual meeting
		d.people, d.texts = make([]person, 0, 48), make([]byte, 0, 2048)
	}
	d.userList = d.data[d.at : d.at+1]
	for more := d.open(']'); more; more = d.next(']') {
		switch full := len(d.people) == maxEntries; {
		case d.peek() == '{' && !full:
			d.user()
		case full:
			d.value()
			d.pass("userList", tooMany)
		default:
			if raw := d.value(); raw != nil {
				d.pass("userList", typeOf(raw))
			}
		}
	}
}

// pass tells of an element that cannot be used.
func (d *decoder) pass(field, value string) {
	d.partial = true
	d.odd.add(field, value)
}

// user is what is read of one element of the list.
type user struct {
	words [3]words  // userID, nick, rejectDescription
	codes [3][]byte // attendStatus, micStatus, cameraStatus
}

// user reads one element. It keeps its place to itself meanwhile, for the sake
// of speed: this is where most of any answer is read.
func (d *decoder) user() {
	more := d.open('}')
	var u user
	b, i, depth := d.data, d.at, d.depth
	for more {
		var n name
		n, i = userName(b, i)
		switch {
		case n >= nameAttendStatus:
			if isCode(b, i) {
				u.codes[n-nameAttendStatus], i = b[i:i+1], i+1
			} else {
				u.codes[n-nameAttendStatus], i = passValue(b, i, depth)
			}
		case n >= nameUserID:
			u.words[n-nameUserID], i = passWords(b, i, depth)
		default:
			i = skipValue(b, i, depth)
		}
		if isNext(b, i) {
			i++
			continue
		}
		if i, more = skipNext(b, i, '}'); !more {
			d.depth--
		}
	}
	if d.at = i; i != bad {
		d.take(&u)
	}
}

// take adds somebody to the list, but nobody if nobody can say who it is.
func (d *decoder) take(u *user) {
	id, ok := userIDOf(u.words[0])
	if !ok {
		d.pass("userId", typeOf(u.words[0].raw))
		return
	}
	name := d.odd.text("nick", u.words[1])
	p := person{
		attendance: coded(&d.odd, "attendStatus", u.codes[0], attendances),
		mic:        coded(&d.odd, "micStatus", u.codes[1], devices),
		camera:     coded(&d.odd, "cameraStatus", u.codes[2], devices),
	}
	why := d.odd.text("rejectDescription", u.words[2])
	p.userID, p.nick, p.reject = int32(len(id)), int32(len(name)), int32(len(why))
	d.texts = append(append(append(d.texts, id...), name...), why...)
	d.people = append(d.people, p)
}

// answer makes of a meeting what it says. Its texts share one string, which
// holds nothing else.
func (d *decoder) answer() *rollcall.Answer {
	var odd oddities
	title := odd.text("title", d.title)
	d.texts = append(d.texts, title...)
	texts := string(d.texts)
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
	a.Entries = entries(d.people, texts)
	return a
}

// entries makes entries of people, whose texts are the first ones of those given.
func entries(people []person, texts string) []rollcall.Entry {
	if len(people) == 0 {
		return nil
	}
	list := make([]rollcall.Entry, len(people))
	cut := func(length int32) (text string) {
		text, texts = texts[:length], texts[length:]
		return text
	}
	for i := range people {
		p, e := &people[i], &list[i]
		e.UserID, e.Nick, e.RejectDescription = cut(p.userID), cut(p.nick), cut(p.reject)
		e.Attendance, e.Mic, e.Camera = p.attendance, p.mic, p.camera
	}
	return list
}

// userIDOf reads a user's id, also one that is a number of digits. One of any
// other type is no empty id: it would make its owner somebody else.
func userIDOf(w words) (id []byte, ok bool) {
	switch {
	case !given(w.raw):
		return nil, true
	case w.raw[0] == '"':
		return w.text(), true
	}
	return w.raw, skipDigits(w.raw, 0) == len(w.raw)
}
