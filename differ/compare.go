package differ

import (
	"slices"

	"rollcall"
)

// comparison holds what the record knows of people against what an answer says
// of them.
type comparison struct {
	roster    []rollcall.Participant
	memory    []rollcall.Memory
	first     bool // see transition
	fresh     bool // see transition
	cut       bool // the record is that of a slice
	forgotten bool // people who are gone are no longer in the memory

	oddities []rollcall.Oddity
}

// odd notes a value that is ignored.
func (c *comparison) odd(field, value string) {
	c.oddities = append(c.oddities, rollcall.Oddity{Field: field, Value: value})
}

// compare walks the known people who are not settled and the lines side by side,
// and returns those that changed, by key.
func (c *comparison) compare(l list) (people []person) {
	if c.first {
		people = make([]person, 0, len(l.lines))
	}
	all, lines := c.known(), l.lines
	all.marks = l.marks
	for all.more() || len(lines) > 0 {
		var p person
		if len(lines) == 0 || all.more() && all.key() < lines[0].key {
			p = absent(all.next(), l.partial)
		} else {
			var k known
			if all.more() && all.key() == lines[0].key {
				k = all.next()
			}
			n := sameKey(lines)
			if slices.ContainsFunc(lines[:n], line.vague) {
				agree(k, lines[:n])
			}
			p = c.sight(k, lines[:n], l.partial)
			lines = lines[n:]
		}
		if p.changed() {
			people = append(people, p)
		}
	}
	return people
}

// sameKey counts the lines of the first person.
func sameKey(lines []line) int {
	n := 1
	for n < len(lines) && lines[n].key == lines[0].key {
		n++
	}
	return n
}

// absent judges somebody who is not listed: gone, if the whole list was read.
func absent(k known, partial bool) person {
	p := person{was: k.before(k.who.Nick), is: k.who, before: k.gone, half: k.half}
	switch {
	case partial:
		p.now, p.half = p.before, false
	case p.is.Attendance.InRoster():
		p.leave(rollcall.AttendanceLeft, "")
	}
	return p
}

// sight judges somebody who is listed; the first of the lines counts.
func (c *comparison) sight(k known, lines []line, partial bool) person {
	e := lines[0].entry
	p := person{
		is: k.who, before: k.gone, now: count(lines), listed: true, half: k.half,
		grown: lines[0].grown, spent: lines[0].spent,
	}
	p.is.Key, p.is.UserID = lines[0].key, e.UserID
	if e.Nick != "" {
		p.is.Nick = e.Nick
	}
	p.was = k.before(p.is.Nick)
	if (partial || lines[0].unsure) && e.UserID != "" {
		p.now = p.now.atLeast(p.before) // an entry that could not be read is not one that is gone
	}
	switch {
	case e.Attendance.InRoster():
		p.stand(e.Attendance, e)
	case e.Attendance.Gone():
		c.depart(&p, lines, partial)
	case p.was.Attendance.InRoster():
		p.stand(p.was.Attendance, e)
	case !p.was.Attendance.Gone():
		p.stand(rollcall.AttendanceInvited, e)
	}
	return p
}

// depart judges somebody with gone entries only.
func (c *comparison) depart(p *person, lines []line, partial bool) {
	code := p.now.grown(p.before)
	if lines[0].entry.UserID == "" {
		code = p.grown
	}
	switch was := p.was.Attendance; {
	case was.InRoster():
		if code != rollcall.AttendanceUnknown || !partial {
			departFromRoster(p, code, refusal(lines))
		}
	case code != rollcall.AttendanceUnknown && c.before(p): // gone before anybody looked
		p.leave(code, refusal(lines))
		p.hush()
	case code == rollcall.AttendanceUnknown && !was.Gone(): // only numbered anew
		p.leave(lines[0].entry.Attendance, refusal(lines))
		p.hush()
	default:
		departAgain(p, code, refusal(lines))
	}
}

// before reports whether somebody in no roster who is gone may have been so
// before anybody looked, or may have been forgotten.
func (c *comparison) before(p *person) bool {
	if p.was.Attendance == rollcall.AttendanceUnknown {
		return c.fresh || c.forgotten && p.is.UserID == ""
	}
	return c.fresh && !c.cut // otherwise a slice may end in the middle of it
}

// departFromRoster judges the going of somebody who stood in the roster.
func departFromRoster(p *person, code rollcall.Attendance, refusal string) {
	switch {
	case code == rollcall.AttendanceFailed:
		p.leave(code, refusal)
	case code == rollcall.AttendanceUnknown: // old entries alone: for somebody asked, no proof of a visit
		p.leave(rollcall.AttendanceLeft, "")
	case p.was.Attendance == rollcall.AttendancePresent:
		p.leave(code, "")
	default:
		p.visit(code)
	}
}

// departAgain judges somebody who was not in the roster.
func departAgain(p *person, code rollcall.Attendance, refusal string) {
	switch code {
	case rollcall.AttendanceUnknown, p.was.Attendance: // nothing new
	case rollcall.AttendanceFailed:
		p.leave(code, refusal)
	default:
		p.visit(code)
	}
}

// rosterOf returns the old roster with the changed people in it.
func rosterOf(old []rollcall.Participant, people []person) []rollcall.Participant {
	roster := make([]rollcall.Participant, 0, len(old)+len(people))
	for i := range people {
		p := &people[i].is
		at, found := find(old, p.Key, 0)
		roster, old = append(roster, old[:at]...), old[at:]
		if found {
			old = old[1:]
		}
		if p.Attendance.InRoster() {
			roster = append(roster, *p)
		}
	}
	return append(roster, old...)
}

// memoryOf returns the old memory with the changed people in it, and the old one
// itself where none of them is or was remembered.
func memoryOf(old []rollcall.Memory, people []person) []rollcall.Memory {
	var memory []rollcall.Memory
	rest := old
	for i := range people {
		m, needed := people[i].memory()
		at, found := slices.BinarySearchFunc(rest, m.Participant.Key, byMemoryKey)
		if needed || found {
			memory, rest = append(memory, rest[:at]...), rest[at:]
		}
		if found {
			rest = rest[1:]
		}
		if needed {
			memory = append(memory, m)
		}
	}
	if memory == nil && len(rest) == len(old) {
		return old
	}
	return append(memory, rest...)
}
