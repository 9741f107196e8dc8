package differ

import (
	"testing"

	"rollcall"
)

// Whoever is settled is one in whom the long way sees no change, whatever
// stands in roster, memory and list: all of it is tried.
func TestSettledIsTheLongWayCutShort(t *testing.T) {
	short := 0
	for _, p := range everyParticipant() {
		for _, memory := range everyMemory() {
			c := comparison{roster: []rollcall.Participant{p}, memory: memory}
			for _, entries := range everyList() {
				got := c.read(&rollcall.Answer{Listed: true, Entries: entries}, &scratch{})
				if !got.marks[0].unchanged() {
					continue
				}
				short++
				lines := linesOf(p.Key, entries)
				if len(lines) != 1 {
					t.Fatalf("%q is passed over, with %d entries", p.Key, len(lines))
				}
				if far := c.sight(c.about(p.Key), lines, false); far.changed() {
					t.Fatalf("passed over, and yet changed: %+v", far)
				}
			}
		}
	}
	if short == 0 {
		t.Error("nobody was passed over")
	}
}

// linesOf gives the entries of one person as they would stand in a list.
func linesOf(key string, entries []rollcall.Entry) (lines []line) {
	for i := range entries {
		if e := &entries[i]; e.UserID != "" && KeyOf(e.UserID) == key {
			lines = append(lines, line{key: key, entry: e})
		}
	}
	return lines
}

func everyParticipant() []rollcall.Participant {
	return every[rollcall.Participant](values{
		"Key":               {"b", "c"},
		"UserID":            {"b"},
		"Nick":              {"", "Bo"},
		"Attendance":        {rollcall.AttendanceInvited, rollcall.AttendancePresent},
		"Mic":               upTo(rollcall.DeviceOpen),
		"Camera":            upTo(rollcall.DeviceOpen),
		"RejectDescription": {"", "busy"},
		"Session":           {1},
		"Roles":             {rollcall.Roles{}, rollcall.Roles{Host: rollcall.FactTrue}},
	})
}

func everyMemory() [][]rollcall.Memory {
	all := [][]rollcall.Memory{nil}
	for _, key := range []string{"a", "b", "d"} {
		for _, a := range []rollcall.Attendance{rollcall.AttendancePresent, rollcall.AttendanceLeft} {
			for _, left := range []int{0, 1} {
				all = append(all, []rollcall.Memory{{Participant: rollcall.Participant{Key: key, Attendance: a}, Left: left}})
			}
		}
	}
	return all
}

// everyList gives the lists of nobody, of one entry of one person or of somebody
// without a user id, and of that person's beside another: the same, or one that
// says that the same person, or the next one, has left.
func everyList() [][]rollcall.Entry {
	all := [][]rollcall.Entry{nil}
	gone := rollcall.Entry{UserID: "b", Attendance: rollcall.AttendanceLeft}
	next := rollcall.Entry{UserID: "c", Attendance: rollcall.AttendanceLeft}
	for _, e := range every[rollcall.Entry](values{
		"UserID":            {"b"},
		"Nick":              {"", "Bo", "Bob"},
		"Attendance":        upTo(rollcall.AttendanceLeft),
		"Mic":               upTo(rollcall.DeviceOpen),
		"Camera":            upTo(rollcall.DeviceOpen),
		"RejectDescription": {""},
	}) {
		all = append(all, []rollcall.Entry{e}, []rollcall.Entry{e, e}, []rollcall.Entry{e, gone},
			[]rollcall.Entry{gone, e}, []rollcall.Entry{e, next}, []rollcall.Entry{next, e})
		e.UserID = ""
		all = append(all, []rollcall.Entry{e})
	}
	return all
}
