package differ

import (
	"slices"
	"strings"

	"rollcall"
)

// People without a user id have no identity but their place among those of the
// same nick. One who leaves moves the others, so their gone codes are counted
// over the whole nick, and an entry that merely moved is no visit.

// number gives the lines of people without a user id their keys; they come
// sorted by nick, the most present first. It gives them in no particular order.
func (s *step) number(lines []line, partial bool) []line {
	numbered := make([]line, 0, len(lines))
	for len(lines) > 0 {
		n := 1
		for n < len(lines) && lines[n].entry.Nick == lines[0].entry.Nick {
			n++
		}
		numbered = append(numbered, s.numberNick(lines[:n], partial)...)
		lines = lines[n:]
	}
	return numbered
}

// numberNick numbers the lines of one nick.
func (s *step) numberNick(lines []line, partial bool) []line {
	nick := lines[0].entry.Nick
	before, entries := s.lastOfNick(anonPrefix + nick + "#")
	// With an entry missing that could not be read, every number after it
	// would be somebody else's.
	if partial && len(lines) < entries {
		return nil
	}
	d := dealing{growth: count(lines).since(before), lines: make([]line, 0, len(lines))}
	for i, l := range lines {
		l.key = anonKey(nick, i+1)
		k := s.about(l.key)
		if l.entry.Attendance.Gone() {
			d.places = append(d.places, place{key: l.key, known: k})
			d.codes = append(d.codes, l.entry)
			continue
		}
		if k.who.Attendance == rollcall.AttendancePresent && presence(l.entry.Attendance) < presence(k.who.Attendance) && !unsaid(l.entry.Attendance) {
			l.spent = d.spend() // called again: one of the codes that grew is this departure
		}
		d.lines = append(d.lines, l)
	}
	d.deal()
	return d.lines
}

// lastOfNick gives the gone codes and the number of entries that a nick had in
// the last list.
func (s *step) lastOfNick(prefix string) (gone tally, entries int) {
	i, _ := slices.BinarySearchFunc(s.roster, prefix, byKey)
	j, _ := slices.BinarySearchFunc(s.memory, prefix, byMemoryKey)
	people := knownPeople{roster: s.roster[i:], memory: s.memory[j:]}
	for people.more() && strings.HasPrefix(people.key(), prefix) {
		k := people.next()
		if !isAnonKey(k.who.Key, prefix) {
			continue
		}
		gone = gone.plus(k.gone)
		if k.who.Attendance.InRoster() || k.gone != (tally{}) {
			entries++
		}
	}
	return gone, entries
}

func (t tally) plus(o tally) tally {
	for i := range t {
		t[i] += o[i]
	}
	return t
}

// since gives by how much each code grew.
func (t tally) since(before tally) tally {
	for i := range t {
		t[i] = max(0, t[i]-before[i])
	}
	return t
}

// place is a number to which a gone entry is to be dealt.
type place struct {
	key   string
	known known
	dealt bool
}

// dealing gives the gone entries of one nick to the numbers that are left.
type dealing struct {
	growth tally
	places []place
	codes  []*rollcall.Entry // not dealt yet
	lines  []line            // dealt
}

// deal lets who is gone keep the code of the last list, or else the remembered
// one. Of the rest, people of the roster come first: they did leave.
func (d *dealing) deal() {
	for i := range d.places {
		d.keep(&d.places[i], d.places[i].known.gone.grown(tally{}))
	}
	for i := range d.places {
		d.keep(&d.places[i], d.places[i].known.who.Attendance)
	}
	for i := range d.places {
		if a := d.places[i].known.who.Attendance; a.InRoster() {
			d.take(&d.places[i], departureOrder(a))
		}
	}
	for i := range d.places {
		d.take(&d.places[i], wentOrder())
	}
}

// wentOrder is the order in which a departure looks for its code: a kick is
// claimed only where nobody simply left.
func wentOrder() [3]rollcall.Attendance {
	return [3]rollcall.Attendance{rollcall.AttendanceLeft, rollcall.AttendanceKickedOut, rollcall.AttendanceFailed}
}

// departureOrder is that of somebody who stood in the roster: who was only
// asked has rather failed to come than been there.
func departureOrder(a rollcall.Attendance) [3]rollcall.Attendance {
	if a == rollcall.AttendancePresent {
		return wentOrder()
	}
	return [3]rollcall.Attendance{rollcall.AttendanceFailed, rollcall.AttendanceLeft, rollcall.AttendanceKickedOut}
}

// keep deals an entry of the code that the place had before, if there is one,
// and rather the very refusal that is remembered.
func (d *dealing) keep(p *place, code rollcall.Attendance) {
	i := d.find(code)
	if p.dealt || i < 0 {
		return
	}
	same := slices.IndexFunc(d.codes, func(e *rollcall.Entry) bool {
		return e.Attendance == code && e.RejectDescription == p.known.who.RejectDescription
	})
	d.give(p, max(i, same), rollcall.AttendanceUnknown)
}

// take deals an entry of a code that grew, or else the first one.
func (d *dealing) take(p *place, order [3]rollcall.Attendance) {
	if p.dealt {
		return
	}
	for _, code := range order {
		if i := d.find(code); i >= 0 && *d.growth.of(code) > 0 {
			*d.growth.of(code)--
			d.give(p, i, code)
			return
		}
	}
	d.give(p, 0, rollcall.AttendanceUnknown)
}

// spend uses up one growth without an entry.
func (d *dealing) spend() rollcall.Attendance {
	for _, code := range wentOrder() {
		if *d.growth.of(code) > 0 {
			*d.growth.of(code)--
			return code
		}
	}
	return rollcall.AttendanceUnknown
}

func (d *dealing) find(code rollcall.Attendance) int {
	return slices.IndexFunc(d.codes, func(e *rollcall.Entry) bool { return e.Attendance == code })
}

func (d *dealing) give(p *place, i int, grown rollcall.Attendance) {
	p.dealt = true
	d.lines = append(d.lines, line{key: p.key, entry: d.codes[i], grown: grown})
	d.codes = slices.Delete(d.codes, i, i+1)
}
