package recordcache

import (
	"encoding/binary"
	"strings"
	"time"

	"rollcall"
)

// unpack returns the record as it was packed. Its texts share one piece of
// memory, and none with the answer.
func (p *packed) unpack() *rollcall.Record {
	u := unpacker{form: p.form, raw: p.raw}
	u.texts.Grow(int(u.uint()))
	r := &rollcall.Record{}
	u.head(r)
	if n, listed := u.length(); listed {
		r.Roster = make([]rollcall.Participant, n)
	}
	for i := range r.Roster {
		u.person(&r.Roster[i])
	}
	if n, listed := u.length(); listed {
		r.Memory = make([]rollcall.Memory, n)
	}
	for i := range r.Memory {
		m := &r.Memory[i]
		u.person(&m.Participant)
		m.Failed, m.KickedOut, m.Left = int(u.int()), int(u.int()), int(u.int())
	}
	for range u.uint() {
		who, bits := personAt(r, int(u.uint())), rollcall.Fact(u.uint())
		who.Roles = rollcall.Roles{Host: bits & 3, CoHost: bits >> 2 & 3, External: bits >> 4 & 3, Phone: bits >> 6}
	}
	return r
}

// unpacker reads the form. It trusts it: nobody else ever had it in hand.
type unpacker struct {
	form, raw []byte
	texts     strings.Builder // grown to all of them, so that it never moves
}

func (u *unpacker) head(r *rollcall.Record) {
	r.Tenant, r.ConferenceID = u.text(), u.text()
	r.Epoch, r.Sequence = int64(u.uint()), u.uint()
	r.Number = rollcall.Number{Term: u.uint(), Poll: u.uint()}
	r.ObservedAt = u.time()
	r.Meeting.Title, r.Meeting.StartTime, r.Meeting.EndTime = u.text(), u.time(), u.time()
	r.Labels = u.labels()
	r.Meeting.Status, r.Meeting.Media = rollcall.Status(u.int()), rollcall.Media(u.int())
	r.Meeting.Present, r.Misses = int(u.int()), int(u.int())
	r.EndReason, r.EndedAt, r.RolesAt = rollcall.Reason(u.text()), u.time(), u.time()
	flags := u.uint()
	r.Summarized, r.Untracked = flags&1 != 0, flags&2 != 0
	r.Unlisted, r.Forgotten = flags&4 != 0, flags&8 != 0
	if n, some := u.length(); some {
		r.Erased = make([]string, n)
	}
	for i := range r.Erased {
		r.Erased[i] = u.text()
	}
}

func (u *unpacker) labels() rollcall.Labels {
	n := u.uint()
	if n == 0 {
		return nil
	}
	labels := make(rollcall.Labels, n)
	for range n {
		key := u.text()
		labels[key] = u.text()
	}
	return labels
}

func (u *unpacker) uint() uint64 {
	v, n := binary.Uvarint(u.form)
	u.form = u.form[n:]
	return v
}

func (u *unpacker) int() int64 {
	v, n := binary.Varint(u.form)
	u.form = u.form[n:]
	return v
}

func (u *unpacker) byte() byte {
	b := u.form[0]
	u.form = u.form[1:]
	return b
}

func (u *unpacker) length() (n int, listed bool) {
	n = int(u.uint())
	return n - 1, n > 0
}

func (u *unpacker) time() time.Time {
	if u.byte() == 0 {
		return time.Time{}
	}
	sec := u.int()
	return time.Unix(sec, u.int()).UTC()
}

func (u *unpacker) text() string {
	n := int(u.uint())
	from := &u.form
	if n&1 == 0 {
		place := u.raw[u.uint():]
		from = &place
	}
	n >>= 1
	start := u.texts.Len()
	u.texts.Write((*from)[:n])
	*from = (*from)[n:]
	return u.texts.String()[start:]
}

func (u *unpacker) person(x *rollcall.Participant) {
	words := u.byte()
	x.Attendance, x.Mic, x.Camera = rollcall.Attendance(words&7), rollcall.Device(words>>3&3), rollcall.Device(words>>5&3)
	x.Key = u.text()
	if words>>7 != 0 {
		x.UserID = x.Key
	} else {
		x.UserID = u.text()
	}
	x.Nick, x.RejectDescription = u.text(), u.text()
	x.Session = int(u.int())
}
