package differ

import "rollcall"

// place is a number to which a gone entry is to be dealt.
type place struct {
	key   string
	known known
	dealt bool
}

// dealing returns the gone entries of one nick to the numbers that are left. It
// takes as long as there are entries: anybody can be there a thousand times.
type dealing struct {
	growth tally
	places []place
	codes  []*rollcall.Entry // in order; nil: dealt
	lines  []line            // dealt

	head    int              // no code before it is left
	ofCode  [3][]int         // places in codes; those of each code
	refused map[string][]int // the same of failed ones, by their rejectDescription
}

// deal lets those who are gone keep the code of the last list, otherwise the
// remembered one. Of the rest, people of the roster come first: they did leave.
func (d *dealing) deal() {
	d.sort()
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

// sort notes where the entries of each kind are.
func (d *dealing) sort() {
	for i, e := range d.codes {
		kind := e.Attendance - rollcall.AttendanceFailed
		d.ofCode[kind] = append(d.ofCode[kind], i)
		if e.Attendance == rollcall.AttendanceFailed {
			if d.refused == nil {
				d.refused = map[string][]int{}
			}
			d.refused[e.RejectDescription] = append(d.refused[e.RejectDescription], i)
		}
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
	if p.dealt || !code.Gone() {
		return
	}
	i := d.find(code)
	if same, refused := d.refused[p.known.who.RejectDescription]; refused && code == rollcall.AttendanceFailed {
		same = d.left(same)
		d.refused[p.known.who.RejectDescription] = same
		i = max(i, first(same))
	}
	if i >= 0 {
		d.give(p, i, rollcall.AttendanceUnknown)
	}
}

// take deals an entry of a code that grew, otherwise the first one.
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
	for d.codes[d.head] == nil {
		d.head++
	}
	d.give(p, d.head, rollcall.AttendanceUnknown)
}

// find returns the first entry of a code that is left; -1: none is.
func (d *dealing) find(code rollcall.Attendance) int {
	places := &d.ofCode[code-rollcall.AttendanceFailed]
	*places = d.left(*places)
	return first(*places)
}

// left returns the places from the first one on that is not dealt.
func (d *dealing) left(places []int) []int {
	for len(places) > 0 && d.codes[places[0]] == nil {
		places = places[1:]
	}
	return places
}

func first(places []int) int {
	if len(places) == 0 {
		return -1
	}
	return places[0]
}

func (d *dealing) give(p *place, i int, grown rollcall.Attendance) {
	p.dealt = true
	d.lines = append(d.lines, line{key: p.key, entry: d.codes[i], grown: grown})
	d.codes[i] = nil
}
