package differ

import (
	"slices"
	"strconv"
	"strings"

	"rollcall"
)

// People without a user id have no identity but their place among those of the
// same nick. One who leaves moves the others, so their gone codes are counted
// over the whole nick, and an entry that merely moved is no visit.

// number returns the lines of people without a user id their keys; they come
// sorted by nick, the most present first. It returns them in no particular order.
func (c *comparison) number(lines []line, partial bool) []line {
	numbered := make([]line, 0, len(lines))
	bags := c.bags()
	for len(lines) > 0 {
		n := 1
		for n < len(lines) && lines[n].entry.Nick == lines[0].entry.Nick {
			n++
		}
		numbered = append(numbered, c.numberNick(lines[:n], bags[lines[0].entry.Nick], partial)...)
		lines = lines[n:]
	}
	return numbered
}

// numberNick numbers the lines of one nick.
func (c *comparison) numberNick(lines []line, last bag, partial bool) []line {
	nick := lines[0].entry.Nick
	// With an entry missing that could not be read, every number after it
	// would be somebody else'c.
	if partial && len(lines) < last.entries {
		return nil
	}
	growth := count(lines).since(last.gone)
	if slices.ContainsFunc(lines, line.unsaid) {
		lines = c.recognize(last, lines)
	}
	d := dealing{growth: growth, lines: make([]line, 0, len(lines))}
	for i, l := range lines {
		l.key = anonKey(nick, i+1)
		k := c.about(l.key)
		if l.entry.Attendance.Gone() {
			d.places = append(d.places, place{key: l.key, known: k})
			d.codes = append(d.codes, l.entry)
			continue
		}
		if k.who.Attendance == rollcall.AttendancePresent && l.entry.Attendance < rollcall.AttendancePresent {
			l.spent = d.growth.spend() // called again: one of the codes that grew is this departure
		}
		d.lines = append(d.lines, l)
	}
	d.deal()
	return d.lines
}

// bag is what is known of the people of one nick without a user id.
type bag struct {
	stood   [3]int // how many are invited, joining and present
	gone    tally  // gone entries in the last list
	entries int    // in the last list
}

// bags returns what is known of each nick.
func (c *comparison) bags() map[string]bag {
	bags := map[string]bag{}
	i, _ := find(c.roster, anonPrefix, 0)
	j, _ := slices.BinarySearchFunc(c.memory, anonPrefix, byMemoryKey)
	people := knownPeople{roster: c.roster[i:], memory: c.memory[j:]}
	for people.more() && strings.HasPrefix(people.key(), anonPrefix) {
		k := people.next()
		nick := nickOf(k.who.Key)
		b := bags[nick]
		b.gone = b.gone.plus(k.gone)
		if k.who.Attendance.InRoster() && !k.half {
			b.stood[k.who.Attendance-rollcall.AttendanceInvited]++
		}
		if k.who.Attendance.InRoster() || k.gone != (tally{}) {
			b.entries++
		}
		bags[nick] = b
	}
	return bags
}

// recognize reads an attendance that is not said as it was before: somebody the
// others do not account for is taken for one who stands there, the most present
// first, otherwise for one whose gone entry is no longer there; a new one is
// invited. It returns the lines in order, without those that say neither who
// stands there nor how.
func (c *comparison) recognize(last bag, lines []line) []line {
	for _, l := range lines {
		if a := l.entry.Attendance; a.InRoster() {
			last.stood[a-rollcall.AttendanceInvited]--
		}
	}
	last.gone = last.gone.since(count(lines))
	recognized := make([]line, 0, len(lines))
	for _, l := range lines {
		if l.unsaid() {
			e := *l.entry
			e.Attendance = last.next()
			l.entry = &e
		}
		switch {
		case !l.unsaid():
			recognized = append(recognized, l)
		case l.entry.Nick == "":
			c.odd("userList", "an entry without userId, nick and attendStatus")
		default:
			l.entry.Attendance = rollcall.AttendanceInvited
			recognized = append(recognized, l)
		}
	}
	slices.SortFunc(recognized, compareLines)
	return recognized
}

// next takes somebody out who is not accounted for; unknown: nobody is left.
func (b *bag) next() rollcall.Attendance {
	for i := len(b.stood) - 1; i >= 0; i-- {
		if b.stood[i] > 0 {
			b.stood[i]--
			return rollcall.AttendanceInvited + rollcall.Attendance(i)
		}
	}
	return b.gone.spend()
}

// nickOf returns the nick of a person without a user id.
func nickOf(key string) string {
	return key[len(anonPrefix):max(len(anonPrefix), strings.LastIndexByte(key, '#'))]
}

// anonKey returns the key of the n-th person of a nick without a user id.
func anonKey(nick string, n int) string {
	return anonPrefix + nick + "#" + strconv.Itoa(n)
}
