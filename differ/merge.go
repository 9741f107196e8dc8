package differ

import (
	"cmp"
	"strings"

	"rollcall"
)

// tally counts entries of the gone codes: failed, kicked out, left.
type tally [3]int

func (t *tally) of(code rollcall.Attendance) *int { return &t[code-rollcall.AttendanceFailed] }

// grown gives the code whose number grew since before: left when several did,
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

// atLeast gives the larger number of each code.
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
		cmp.Compare(b.Mic, a.Mic),
		cmp.Compare(b.Camera, a.Camera),
		strings.Compare(a.Nick, b.Nick),
		strings.Compare(a.RejectDescription, b.RejectDescription),
		cmp.Compare(a.Attendance, b.Attendance),
	)
}

// presence ranks attendances; somebody of whom it is not said ranks as invited.
func presence(a rollcall.Attendance) int {
	switch {
	case a.Gone():
		return 0
	case a.InRoster():
		return int(a)
	}
	return int(rollcall.AttendanceInvited)
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

// refusal gives the rejectDescription of the failed entry that counts.
func refusal(lines []line) string {
	for _, l := range lines {
		if l.entry.Attendance == rollcall.AttendanceFailed {
			return l.entry.RejectDescription
		}
	}
	return ""
}
