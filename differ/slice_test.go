package differ

import (
	"slices"
	"testing"

	"rollcall"
)

// The process dies between the coming and the going of somebody who did both
// between two polls. Whether the going is inferred depends on what is seen next.
func TestSliceInsideAVisit(t *testing.T) {
	gone := []string{"people", "u1 Ann left"}
	there := []string{"people", "u1 Ann present"}
	unseen := []string{"people incomplete"}
	for _, tt := range []struct {
		name  string
		looks [][]string
		want  rollcall.Provenance
	}{
		{"the same look", [][]string{gone}, rollcall.ProvenanceInferred},
		{"not looked at in between", [][]string{unseen, gone}, rollcall.ProvenanceInferred},
		{"there again in between", [][]string{there, gone}, rollcall.ProvenanceObserved},
	} {
		t.Run(tt.name, func(t *testing.T) {
			table := eventRules()
			tl := teller{table: table[:]}
			tl.poll([]string{"status started", "people"})
			before := tl.record
			tl.poll(gone)
			tl.record = tl.result.Slice(before, 1)
			if p := tl.record.Roster; len(p) != 1 || p[0].Attendance != rollcall.AttendancePresent {
				t.Fatalf("after the coming the roster is %+v", p)
			}
			var last []rollcall.Event
			for _, look := range tt.looks {
				tl.poll(look)
				last = tl.result.Events
			}
			if len(last) != 1 || last[0].Type != rollcall.ParticipantLeft || last[0].Provenance != tt.want {
				t.Errorf("got %q, want one departure, %s", tellAll(last), tt.want)
			}
		})
	}
}

// A slice may be cut again before anything of it was told.
func TestSliceOfASlice(t *testing.T) {
	table := eventRules()
	tl := teller{table: table[:]}
	tl.poll([]string{"status started", "people"})
	for n := 1; n >= 0; n-- {
		before := tl.record
		tl.poll([]string{"people", "u1 Ann kicked_out"})
		tl.record = tl.result.Slice(before, n)
	}
	tl.poll([]string{"people", "u1 Ann kicked_out"})
	got := tl.result.Events
	if len(got) != 1 || got[0].Type != rollcall.ParticipantKickedOut || got[0].Provenance != rollcall.ProvenanceInferred {
		t.Errorf("got %q, want the going, inferred", tellAll(got))
	}
	if p := tl.record.Partial; p != nil {
		t.Errorf("the poll is told and goes on under %+v", p)
	}
}

// Two of one nick without user ids are called again. Wherever it is cut, each
// departure is told once.
func TestSliceOfTwoWhoAreCalledAgain(t *testing.T) {
	for n := range 5 {
		table := eventRules()
		tl := teller{table: table[:]}
		tl.poll([]string{"status started", "people", "- Tel present", "- Tel present"})
		before := tl.record
		again := []string{"people", "- Tel joining", "- Tel joining", "- Tel left", "- Tel left"}
		tl.poll(again)
		told := tl.result.Events[:n]
		tl.record = tl.result.Slice(before, n)
		tl.poll(again)
		got := append(told, tl.result.Events...)
		if len(got) != 4 || got[0].Reason != rollcall.ReasonCalledAgain || got[1].Reason != rollcall.ReasonCalledAgain ||
			got[2].Type != rollcall.ParticipantJoining || got[3].Type != rollcall.ParticipantJoining {
			t.Errorf("cut at %d: %q", n, tellAll(got))
		}
	}
}

// Somebody who was asked comes under another nick. Cut between the two, the
// record has the nick that the coming shows, and the renaming is told by the next
// look: also where that shows the old nick again, or a third.
func TestSliceBetweenJoinedAndRenamed(t *testing.T) {
	for _, tt := range []struct {
		name, next string
		renamed    int
	}{
		{"the same look", "u1 Anna present", 1},
		{"no nick", "u1 - present", 1},
		{"the old nick", "u1 Ann present", 1},
		{"a third nick", "u1 Anne present", 1},
		{"gone since", "u1 Anna left", 0},
	} {
		table := eventRules()
		tl := teller{table: table[:]}
		tl.poll([]string{"status started", "people", "u1 Ann invited"})
		before := tl.record
		tl.poll([]string{"people", "u1 Anna present"})
		if told := tl.result.Events; len(told) != 2 || told[0].Type != rollcall.ParticipantJoined {
			t.Fatalf("told is %q", tellAll(told))
		}
		tl.record = tl.result.Slice(before, 1)
		if nick := tl.record.Roster[0].Nick; nick != "Anna" {
			t.Errorf("%s: the event shows Anna, the record %q", tt.name, nick)
		}
		slice := tl.record
		tl.poll([]string{"people", tt.next})
		renamed := 0
		for _, e := range tl.result.Events {
			if e.Type == rollcall.ParticipantRenamed {
				renamed++
			}
		}
		if folded := Fold(slice.Roster, tl.result.Events); renamed != tt.renamed || !slices.Equal(folded, tl.record.Roster) {
			t.Errorf("%s: told is %q, folded %+v, recorded %+v", tt.name, tellAll(tl.result.Events), folded, tl.record.Roster)
		}
		if len(tl.record.Memory) > 1-tt.renamed {
			t.Errorf("%s: what was told is still remembered: %+v", tt.name, tl.record.Memory)
		}
	}
}
