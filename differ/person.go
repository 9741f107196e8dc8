package differ

import (
	"slices"
	"strings"

	"rollcall"
)

// person is somebody an answer changed.
type person struct {
	was, is     rollcall.Participant // was.Attendance is unknown for a new person
	before, now tally
	listed      bool
	visited     bool                // came and went between two polls
	half        bool                // the stored slice ends between the coming and the going
	untold      bool                // the slice to be stored shows a new nick, and ends before the renaming
	grown       rollcall.Attendance // see line
	spent       rollcall.Attendance // see line
	first, last int                 // the person's events: from the first, up to and without the last; both 0: none
}

// changed reports whether the record has to say anything else of the person.
func (p *person) changed() bool { return p.was != p.is || p.before != p.now || p.half }

// stand puts the person into the roster. What the entry does not say of the
// devices stays as before.
func (p *person) stand(a rollcall.Attendance, e *rollcall.Entry) {
	setAttendance(&p.is, a)
	if a != rollcall.AttendancePresent {
		return
	}
	p.is.Mic, p.is.Camera = device(e.Mic, p.was.Mic), device(e.Camera, p.was.Camera)
	if p.was.Attendance != rollcall.AttendancePresent {
		p.is.Session++
	}
}

func device(said, before rollcall.Device) rollcall.Device {
	open := said == rollcall.DeviceOpen || said != rollcall.DeviceClosed && before == rollcall.DeviceOpen
	if open {
		return rollcall.DeviceOpen
	}
	return rollcall.DeviceClosed
}

// leave makes the person one of the gone.
func (p *person) leave(code rollcall.Attendance, refusal string) {
	setAttendance(&p.is, code)
	if code == rollcall.AttendanceFailed {
		p.is.RejectDescription = refusal
	}
}

// setAttendance also takes away what belongs to one attendance alone: the devices
// to present, the refusal to failed.
func setAttendance(p *rollcall.Participant, a rollcall.Attendance) {
	p.Attendance, p.RejectDescription = a, ""
	p.Mic, p.Camera = rollcall.DeviceClosed, rollcall.DeviceClosed
}

// visit makes the person one who came and went unseen.
func (p *person) visit(code rollcall.Attendance) {
	p.leave(code, "")
	p.is.Session++
	p.visited = true
}

// hush remembers the person without a word: nothing is known to have happened.
func (p *person) hush() { p.was = p.is }

// memory returns what the record remembers of the person beside the roster.
func (p *person) memory() (m rollcall.Memory, needed bool) {
	m = rollcall.Memory{Participant: p.is, Failed: p.now[0], KickedOut: p.now[1], Left: p.now[2]}
	if p.untold {
		m.Participant.Nick = p.was.Nick
	}
	return m, p.is.Attendance.Gone() || p.now != tally{} || p.untold
}

// known is what the record knows of somebody; zero: nothing.
type known struct {
	who  rollcall.Participant
	gone tally
	half bool   // see person
	nick string // the last one published; not who's where a slice ends before the renaming
}

// before returns the person as it was before it had this nick.
func (k known) before(nick string) rollcall.Participant {
	if k.who.Nick == nick {
		k.who.Nick = k.nick
	}
	return k.who
}

// knownPeople walks roster and memory side by side, by key.
type knownPeople struct {
	roster []rollcall.Participant
	memory []rollcall.Memory
	marks  []rosterMark // of the roster, or none: who is settled is passed over
}

func (c *comparison) known() knownPeople { return knownPeople{roster: c.roster, memory: c.memory} }

func (k *knownPeople) more() bool {
	for len(k.marks) > 0 && k.marks[0].unchanged() {
		k.roster, k.marks = k.roster[1:], k.marks[1:]
	}
	return len(k.roster)+len(k.memory) > 0
}

// key returns the key of the next person; there must be one.
func (k *knownPeople) key() string {
	switch {
	case len(k.roster) == 0:
		return k.memory[0].Participant.Key
	case len(k.memory) == 0:
		return k.roster[0].Key
	}
	return min(k.roster[0].Key, k.memory[0].Participant.Key)
}

func (k *knownPeople) next() (n known) {
	key := k.key()
	if len(k.memory) > 0 && k.memory[0].Participant.Key == key {
		m := &k.memory[0]
		n = known{who: m.Participant, gone: tally{m.Failed, m.KickedOut, m.Left}, nick: m.Participant.Nick}
		k.memory = k.memory[1:]
	}
	if len(k.roster) > 0 && k.roster[0].Key == key {
		n.half = n.who.Attendance.Gone()
		if !n.who.Attendance.InRoster() {
			n.nick = k.roster[0].Nick
		}
		n.who = k.roster[0]
		k.roster, k.marks = k.roster[1:], k.marks[min(1, len(k.marks)):]
	}
	return n
}

// about returns what the record knows of the person with that key.
func (c *comparison) about(key string) known {
	var k knownPeople
	if i, ok := find(c.roster, key, 0); ok {
		k.roster = c.roster[i : i+1]
	}
	if i, ok := slices.BinarySearchFunc(c.memory, key, byMemoryKey); ok {
		k.memory = c.memory[i : i+1]
	}
	if !k.more() {
		return known{}
	}
	return k.next()
}

func byMemoryKey(m rollcall.Memory, key string) int { return strings.Compare(m.Participant.Key, key) }
