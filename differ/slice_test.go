package differ

import (
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
			table := section4()
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
	table := section4()
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
