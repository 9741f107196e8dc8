package differ

import (
	"slices"
	"strconv"

	"rollcall"
)

// Most entries say of somebody in the roster what the roster says, and come in
// its order. So each is first held against the roster, there where its person is
// expected; only what that does not settle becomes a line, to be put in order.

// list is what an answer's list of users says.
type list struct {
	lines   []line       // by key; the first of a key wins
	marks   []rosterMark // place by place those of the roster
	next    int          // the place in the roster that the next entry is expected to be about
	partial bool         // absence proves nothing
}

// line is an entry with the key of its person.
type line struct {
	key   string // "" until numbered
	entry *rollcall.Entry
	// For people without a user id, whose gone codes are counted together:
	grown rollcall.Attendance // the code that grew and is this person's
	spent rollcall.Attendance // the code that grew because this one left and was called again
	// unsure says, on the first of a person's, that an entry does not say how the
	// person stands: it may be any of those that the last list had.
	unsure bool
}

// rosterMark says whether a person of the roster is unchanged: by the entry that
// says so, as long as there is no other; the number is the entry's, from 1.
type rosterMark int32

const (
	unseen    rosterMark = 0  // no entry so far
	undecided rosterMark = -1 // the lines say, and the memory
)

func (m rosterMark) unchanged() bool { return m > unseen }

// scratch is the room to read the list of a usual meeting without allocating.
type scratch struct {
	lines [16]line
	marks [128]rosterMark
}

// read settles what it can, and sorts the other entries by person.
func (c *comparison) read(a *rollcall.Answer, d *scratch) list {
	more := max(0, len(a.Entries)-len(c.roster)) // the least number of lines
	l := list{lines: slices.Grow(d.lines[:0], more), marks: c.marks(d.marks[:]), partial: a.Partial}
	nameless := 0
	for i := range a.Entries {
		switch e := &a.Entries[i]; {
		case len(e.UserID) > rollcall.MaxID:
			c.odd("userId", strconv.Itoa(len(e.UserID))+" bytes")
		case e.UserID == "":
			nameless++
			l.lines = append(l.lines, line{entry: e})
		default:
			l.lines = l.take(l.lines, c.roster, a.Entries, i)
		}
	}
	slices.SortFunc(l.lines, compareLines)
	if nameless > 0 {
		l.lines = slices.Concat(c.number(l.lines[:nameless], l.partial), l.lines[nameless:])
		slices.SortFunc(l.lines, compareLines)
	}
	return l
}

// marks returns the marks of the roster. One entry does not settle a person
// with a memory: the others are counted.
func (c *comparison) marks(room []rosterMark) []rosterMark {
	if len(room) < len(c.roster) {
		room = make([]rosterMark, len(c.roster))
	}
	at := 0
	for i := range c.memory {
		var found bool
		if at, found = find(c.roster, c.memory[i].Participant.Key, at); found {
			room[at] = undecided
		}
	}
	return room[:len(c.roster)]
}

// take marks a person of the roster by the i-th entry, which has a user id, or adds
// the entry to the lines. These are passed by value, so that the scratch buffers do
// not escape to the heap.
func (l *list) take(lines []line, roster []rollcall.Participant, entries []rollcall.Entry, i int) []line {
	e := &entries[i]
	key := KeyOf(e.UserID)
	at, known := find(roster, key, l.next)
	l.next = at
	if known {
		l.next++
		switch first := l.marks[at]; {
		case first == unseen && unmoved(&roster[at], e):
			l.marks[at] = rosterMark(i) + 1
			return lines
		case first.unchanged(): // by an entry that is not the only one
			lines = append(lines, line{key: key, entry: &entries[first-1]})
		}
		l.marks[at] = undecided
	}
	return append(lines, line{key: key, entry: e})
}

// find returns the place of a key in the roster, or where it would stand; at once
// if it is where it is expected.
func find(roster []rollcall.Participant, key string, expected int) (at int, found bool) {
	if expected < len(roster) && roster[expected].Key == key {
		return expected, true
	}
	end := len(roster) // slices.BinarySearchFunc would copy every person that it looks at
	for at < end {
		if mid := (at + end) / 2; roster[mid].Key < key {
			at = mid + 1
		} else {
			end = mid
		}
	}
	return at, at < len(roster) && roster[at].Key == key
}

// unmoved reports whether an entry leaves somebody of the roster as is.
func unmoved(p *rollcall.Participant, e *rollcall.Entry) bool {
	if e.Attendance != p.Attendance || e.UserID != p.UserID || e.Nick != p.Nick || p.RejectDescription != "" {
		return false
	}
	if p.Attendance != rollcall.AttendancePresent {
		return p.Mic == rollcall.DeviceClosed && p.Camera == rollcall.DeviceClosed
	}
	return device(e.Mic, p.Mic) == p.Mic && device(e.Camera, p.Camera) == p.Camera
}
