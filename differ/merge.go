package differ

import (
	"cmp"
	"slices"
	"strings"

	"rollcall"
)

// tally counts entries of the gone codes: failed, kicked out, left.
type tally [3]int

func (t *tally) of(code rollcall.Attendance) *int { return &t[code-rollcall.AttendanceFailed] }

// grown returns the code whose number grew since before: left when several did,
// unknown when none did.
func (t tally) grown(before tally) rollcall.Attendance {
	code := rollcall.AttendanceUnknown
	for i := range t {
		switch {
		case t[i] <= before[i]:
		case code != rollcall.AttendanceUnknown:
			return rollcall.AttendanceLeft
		default:
			code = rollcall.AttendanceFailed + rollcall.Attendance(i)
		}
	}
	return code
}

func (t tally) plus(o tally) tally {
	for i := range t {
		t[i] += o[i]
	}
	return t
}

// since returns by how much each code grew.
func (t tally) since(before tally) tally {
	for i := range t {
		t[i] = max(0, t[i]-before[i])
	}
	return t
}

// spend takes one away; unknown: there is none.
func (t *tally) spend() rollcall.Attendance {
	for _, code := range wentOrder() {
		if *t.of(code) > 0 {
			*t.of(code)--
			return code
		}
	}
	return rollcall.AttendanceUnknown
}

// atLeast returns the larger number of each code.
func (t tally) atLeast(o tally) tally {
	for i := range t {
		t[i] = max(t[i], o[i])
	}
	return t
}

func unsaid(a rollcall.Attendance) bool { return !a.InRoster() && !a.Gone() }

// compareLines sorts by key, those without one by nick, and the entries of one
// person or nick so that the one that counts comes first.
func compareLines(a, b line) int {
	if c := strings.Compare(a.key, b.key); c != 0 {
		return c
	}
	if a.key == "" && a.entry.Nick != b.entry.Nick {
		return strings.Compare(a.entry.Nick, b.entry.Nick)
	}
	return compareEntries(a.entry, b.entry)
}

// compareEntries puts the most present first, then the open microphone, the
// open camera, and the smaller bytes. The attendance itself comes last, so that
// only equal entries are equal.
func compareEntries(a, b *rollcall.Entry) int {
	return cmp.Or(
		cmp.Compare(presence(b.Attendance), presence(a.Attendance)),
		cmp.Compare(maybe(b.Mic), maybe(a.Mic)),
		cmp.Compare(maybe(b.Camera), maybe(a.Camera)),
		strings.Compare(a.Nick, b.Nick),
		strings.Compare(a.RejectDescription, b.RejectDescription),
		cmp.Compare(a.Attendance, b.Attendance),
	)
}

// maybe ranks a device; one whose state is not said may be open.
func maybe(d rollcall.Device) int { return [...]int{1, 0, 2}[d] }

// presence ranks attendances; somebody whose is not said ranks as invited.
func presence(a rollcall.Attendance) int {
	switch {
	case a.Gone():
		return 0
	case a.InRoster():
		return int(a)
	}
	return int(rollcall.AttendanceInvited)
}

// agree puts the entry that counts first, where entries of one person leave
// something unsaid: that is as it was before. Of equal ones the one that says
// more comes first: otherwise the same list, read again, would bring news.
func agree(k known, lines []line) {
	lines[0].unsure = slices.ContainsFunc(lines, line.unsaid)
	unsure := lines[0].unsure
	slices.SortFunc(lines, func(a, b line) int {
		v, w := weigh(k, a.entry), weigh(k, b.entry)
		return cmp.Or(slices.Compare(w[:], v[:]), compareEntries(a.entry, b.entry))
	})
	lines[0].unsure = unsure
}

// weigh returns how present an entry shows the person k, and with what open; an
// unsaid one who stood in no roster ranks last.
func weigh(k known, e *rollcall.Entry) [4]int {
	said := 1
	present := presence(e.Attendance)
	if unsaid(e.Attendance) {
		said, present = 0, -1
		if k.who.Attendance.InRoster() && !k.half {
			present = presence(k.who.Attendance)
		}
	}
	var mic, camera rollcall.Device // as before; nothing is open for somebody the entry does not show present
	if present == presence(rollcall.AttendancePresent) {
		mic, camera = k.who.Mic, k.who.Camera
	}
	return [4]int{present, openness(e.Mic, mic, said), openness(e.Camera, camera, said), said}
}

// openness ranks a device: said to be open, open as before, closed.
func openness(device, before rollcall.Device, said int) int {
	switch {
	case device == rollcall.DeviceOpen && said > 0:
		return 2
	case device != rollcall.DeviceClosed && before == rollcall.DeviceOpen:
		return 1
	}
	return 0
}

// unsaid reports whether the entry does not say how its person stands.
func (l line) unsaid() bool { return unsaid(l.entry.Attendance) }

// vague reports whether the entry leaves anything unsaid.
func (l line) vague() bool {
	return l.unsaid() || l.entry.Mic == rollcall.DeviceUnknown || l.entry.Camera == rollcall.DeviceUnknown
}

// count counts the gone codes of one person's lines.
func count(lines []line) (t tally) {
	for _, l := range lines {
		if l.entry.Attendance.Gone() {
			*t.of(l.entry.Attendance)++
		}
	}
	return t
}

// refusal returns the rejectDescription of the failed entry that counts.
func refusal(lines []line) string {
	for _, l := range lines {
		if l.entry.Attendance == rollcall.AttendanceFailed {
			return l.entry.RejectDescription
		}
	}
	return ""
}
