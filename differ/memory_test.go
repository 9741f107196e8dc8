package differ

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"rollcall"
)

// guests are so many people without a user id who all have other names in each poll.
func guests(poll, n int) Look {
	asked := time.Date(2026, 3, 2, 10, 0, 15*poll, 0, time.UTC)
	a := &rollcall.Answer{Status: rollcall.StatusStarted, Listed: true}
	for i := range n {
		a.Entries = append(a.Entries, rollcall.Entry{
			Nick: fmt.Sprintf("%s %d %d", strings.Repeat("<", 240), poll, i), Attendance: rollcall.AttendancePresent,
		})
	}
	a.Entries = append(a.Entries, rollcall.Entry{UserID: fmt.Sprint("u", poll), Attendance: rollcall.AttendancePresent})
	return Look{Tenant: "acme", ConferenceID: "c1", Kind: rollcall.SightingListed, Answer: a, AskedAt: asked, AnsweredAt: asked.Add(time.Second)}
}

// Guests who rename themselves for ever leave a bounded trace. That some of them
// are forgotten is told once a meeting, and makes up no visit; people with a user
// id stay known.
func TestWhoIsNoLongerListedIsForgottenInBounds(t *testing.T) {
	var record *rollcall.Record
	told := 0
	for poll := range 40 {
		look := guests(poll, 100)
		res := Diff(record, look, Rules{})
		told += len(res.Oddities)
		if n := len(res.Events); poll > 0 && n != 202 {
			t.Fatalf("poll %d: %d events, want that all come and go", poll, n)
		}
		if record = res.Record; len(record.Memory) > maxAway+poll {
			t.Fatalf("poll %d: %d people are remembered", poll, len(record.Memory))
		}
	}
	if told != 1 || !record.Forgotten {
		t.Errorf("that somebody was forgotten was told %d times", told)
	}
	known := 0
	for _, m := range record.Memory {
		if m.Participant.UserID != "" {
			known++
		}
	}
	if known != 39 {
		t.Errorf("of 39 people with a user id %d are remembered", known)
	}
	again := guests(40, 100)
	for i := range again.Answer.Entries[:50] {
		again.Answer.Entries[i] = guests(3, 100).Answer.Entries[i]
		again.Answer.Entries[i].Attendance = rollcall.AttendanceLeft
	}
	for _, e := range Diff(record, again, Rules{}).Events {
		if e.Provenance == rollcall.ProvenanceInferred {
			t.Fatalf("a visit of a guest who was forgotten is made up: %s %s", e.Type, e.Participant.Key[:20])
		}
	}
}
