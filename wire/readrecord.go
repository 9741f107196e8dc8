package wire

import (
	"strings"
	"unicode/utf8"

	"rollcall"
)

// readRecord reads a record in the very form that [EncodeRecord] writes, as
// nearly all are, without reflection; nil: it is none, or has another form.
func readRecord(data []byte) *rollcall.Record {
	if !utf8.Valid(data) {
		return nil
	}
	c := canonical{rest: string(data)}
	r := c.record()
	if !c.ended() || checkRecord(r) != nil {
		return nil
	}
	gather(r)
	return r
}

func (c *canonical) record() *rollcall.Record {
	r := &rollcall.Record{}
	c.head(r)
	c.roster(r)
	c.memory(r)
	c.tail(r)
	return r
}

func (c *canonical) head(r *rollcall.Record) {
	c.expect(`{"schema":1,"tenant":`)
	r.Tenant = c.text()
	c.expect(`,"conferenceId":`)
	r.ConferenceID = c.text()
	c.expect(`,"epoch":`)
	r.Epoch = c.int64()
	c.expect(`,"sequence":`)
	r.Sequence = c.uint()
	c.expect(`,"observedAt":`)
	r.ObservedAt = c.time()
	c.expect(`,"term":`)
	r.Number.Term = c.uint()
	c.expect(`,"poll":`)
	r.Number.Poll = c.uint()
	if c.took(`,"labels":`) {
		r.Labels = c.labels()
	}
	c.expect(`,"meeting":`)
	r.Meeting = c.meeting()
}

// labels reads labels as [AppendLabels] writes them, nil for none.
func (c *canonical) labels() rollcall.Labels {
	c.expect(`{`)
	if c.took(`}`) {
		return nil
	}
	labels := rollcall.Labels{}
	for i := 0; !c.other && !(i > 0 && c.took(`}`)); i++ {
		c.element(i)
		key := strings.Clone(c.text())
		c.expect(`:`)
		labels[key] = strings.Clone(c.text())
	}
	return labels
}

func (c *canonical) meeting() rollcall.Conference {
	var m Meeting
	c.expect(`{"title":`)
	m.Title = c.text()
	c.expect(`,"startTime":`)
	m.StartTime = Time{Time: c.time()}
	c.expect(`,"status":`)
	m.Status = c.text()
	c.expect(`,"media":{"micMuted":`)
	c.bool()
	c.expect(`,"cameraClosed":`)
	c.bool()
	c.expect(`,"muteAll":`)
	c.bool()
	c.expect(`,"code":`)
	m.Media.Code = c.int64()
	c.expect(`},"present":`)
	m.Present = c.int()
	if c.took(`,"endTime":`) {
		m.EndTime = Time{Time: c.time()}
	}
	c.expect(`}`)
	meeting, err := m.Conference()
	c.require(err == nil)
	return meeting
}

func (c *canonical) roster(r *rollcall.Record) {
	c.expect(`,"roster":[`)
	if n := c.count(`{"key":`, `],"memory":[`); n > 0 {
		r.Roster = make([]rollcall.Participant, n)
	}
	for i := range r.Roster {
		c.element(i)
		r.Roster[i] = c.person()
		c.expect(`}`)
	}
	c.expect(`]`)
}

func (c *canonical) memory(r *rollcall.Record) {
	c.expect(`,"memory":[`)
	if n := c.count(`{"key":`, `],"misses":`); n > 0 {
		r.Memory = make([]rollcall.Memory, n)
	}
	for i := range r.Memory {
		c.element(i)
		r.Memory[i] = c.remembered()
	}
	c.expect(`]`)
}

func (c *canonical) remembered() (m rollcall.Memory) {
	closed := rollcall.DeviceClosed.String()
	var p Person
	c.expect(`{"key":`)
	p.Key = c.text()
	p.UserID = c.textIf(memoryUserID, "")
	p.Nick = c.textIf(memoryNick, nickIn(p.Key))
	c.expect(`,"attendance":`)
	p.Attendance = c.text()
	p.Mic, p.Camera = c.textIf(memoryMic, closed), c.textIf(memoryCamera, closed)
	p.RejectDescription = c.textIf(memoryReject, "")
	p.Session = c.countIf(memorySession)
	roles := c.roles()
	m.Failed, m.KickedOut, m.Left = c.countIf(memoryFailed), c.countIf(memoryKickedOut), c.countIf(memoryLeft)
	c.expect(`}`)
	who, err := p.Participant(true)
	c.require(err == nil)
	m.Participant, m.Participant.Roles = who, roles
	return m
}

// textIf reads the text of a member that may be missing.
func (c *canonical) textIf(member, otherwise string) string {
	if c.other || !c.took(member) {
		return otherwise
	}
	return c.text()
}

// countIf reads the number of a member that may be missing; it is 0 then.
func (c *canonical) countIf(member string) int {
	if c.other || !c.took(member) {
		return 0
	}
	return c.int()
}

// person reads a person of the roster but for the closing brace.
func (c *canonical) person() rollcall.Participant {
	var p Person
	c.expect(`{"key":`)
	p.Key = c.text()
	c.expect(`,"userId":`)
	p.UserID = c.text()
	c.expect(`,"nick":`)
	p.Nick = c.text()
	c.expect(`,"attendance":`)
	p.Attendance = c.text()
	c.expect(`,"mic":`)
	p.Mic = c.text()
	c.expect(`,"camera":`)
	p.Camera = c.text()
	c.expect(`,"rejectDescription":`)
	p.RejectDescription = c.text()
	c.expect(`,"session":`)
	p.Session = c.int()
	word, err := p.Participant(false)
	word.Roles = c.roles()
	c.require(err == nil)
	return word
}

func (c *canonical) tail(r *rollcall.Record) {
	c.expect(`,"misses":`)
	r.Misses = c.int()
	c.expect(`,"partial":`)
	r.Partial = c.partial()
	c.expect(`,"endReason":`)
	r.EndReason = rollcall.Reason(c.text())
	c.expect(`,"endedAt":`)
	r.EndedAt = c.time()
	c.expect(`,"summarized":`)
	r.Summarized = c.bool()
	c.expect(`,"untracked":`)
	r.Untracked = c.bool()
	c.expect(`,"statusUnknown":`)
	if c.bool() {
		r.Meeting.Status = rollcall.StatusUnknown
	}
	r.Unlisted, r.Forgotten = c.took(unlisted), c.took(forgotten)
	if c.took(erased) {
		r.Erased = c.texts()
	}
	if c.took(rolesAt) {
		r.RolesAt = c.time()
	}
	c.expect(`}`)
}

func (c *canonical) partial() *rollcall.Partial {
	if c.took("null") {
		return nil
	}
	p := &rollcall.Partial{}
	c.expect(`{"provenance":`)
	p.Provenance = rollcall.Provenance(c.text())
	c.expect(`,"windowAfter":`)
	p.WindowAfter = c.time()
	c.expect(`}`)
	return p
}

// gather moves the texts of a record into one piece of memory of their own:
// otherwise each would keep the whole of what was read.
func gather(r *rollcall.Record) {
	size := 0
	eachText(r, func(s *string) { size += len(*s) })
	var texts strings.Builder
	texts.Grow(size)
	eachText(r, func(s *string) {
		start := texts.Len()
		texts.WriteString(*s)
		*s = texts.String()[start:]
	})
}

// eachText calls f for each text of a record; a user id that is the key, too,
// becomes the same text.
func eachText(r *rollcall.Record, f func(*string)) {
	f(&r.Tenant)
	f(&r.ConferenceID)
	f(&r.Meeting.Title)
	f((*string)(&r.EndReason))
	if r.Partial != nil {
		f((*string)(&r.Partial.Provenance))
	}
	for i := range r.Erased {
		f(&r.Erased[i])
	}
	for i := range r.Roster {
		eachTextOf(&r.Roster[i], f)
	}
	for i := range r.Memory {
		eachTextOf(&r.Memory[i].Participant, f)
	}
}

func eachTextOf(p *rollcall.Participant, f func(*string)) {
	same := p.Key == p.UserID
	f(&p.Key)
	if same {
		p.UserID = p.Key
	} else {
		f(&p.UserID)
	}
	f(&p.Nick)
	f(&p.RejectDescription)
}
