package differ

import (
	"testing"

	"rollcall"
)

// Whoever the short cut leaves out is one in whom the long way sees no change,
// whatever stands in roster, memory and list: all of it is tried.
func TestStandsIsTheLongWayCutShort(t *testing.T) {
	short := 0
	for _, p := range everyParticipant() {
		for _, memory := range everyMemory() {
			for _, lines := range everyList() {
				all := knownPeople{roster: []rollcall.Participant{p}, memory: memory}
				if !all.stands(lines) {
					continue
				}
				short++
				if key := all.key(); key != lines[0].key {
					t.Fatalf("%q is passed over for %q", key, lines[0].key)
				}
				if far := (&step{}).sight(all.next(), lines[:sameKey(lines)], false); far.changed() {
					t.Fatalf("passed over, and yet changed: %+v", far)
				}
			}
		}
	}
	if short == 0 {
		t.Error("nobody was passed over")
	}
}

func devices() []rollcall.Device {
	return []rollcall.Device{rollcall.DeviceUnknown, rollcall.DeviceClosed, rollcall.DeviceOpen}
}

func everyParticipant() (all []rollcall.Participant) {
	for _, key := range []string{"b", "c"} {
		for _, nick := range []string{"", "Bo"} {
			for _, refusal := range []string{"", "busy"} {
				for _, a := range []rollcall.Attendance{rollcall.AttendanceInvited, rollcall.AttendancePresent} {
					for _, mic := range devices() {
						for _, camera := range devices() {
							all = append(all, rollcall.Participant{
								Key: key, UserID: "b", Nick: nick, RejectDescription: refusal, Attendance: a, Mic: mic, Camera: camera,
							})
						}
					}
				}
			}
		}
	}
	return all
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

// everyList gives the lists of nobody, of one line of one person, and of that
// line before one that says that the same person, or the next one, has left.
func everyList() [][]line {
	all := [][]line{nil}
	gone := &rollcall.Entry{UserID: "b", Attendance: rollcall.AttendanceLeft}
	for _, userID := range []string{"", "b"} {
		for _, nick := range []string{"", "Bo", "Bob"} {
			for a := rollcall.AttendanceUnknown; a <= rollcall.AttendanceLeft; a++ {
				for _, mic := range devices() {
					for _, camera := range devices() {
						l := line{key: "b", entry: &rollcall.Entry{UserID: userID, Nick: nick, Attendance: a, Mic: mic, Camera: camera}}
						all = append(all, []line{l}, []line{l, {key: "b", entry: gone}}, []line{l, {key: "c", entry: gone}})
					}
				}
			}
		}
	}
	return all
}
