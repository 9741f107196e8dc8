package consumetest

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"rollcall"
	"rollcall/internal/fulltest"
)

// A new epoch tells all of everybody: a field that is added later, too.
func TestEveryFieldOfAPersonIsFound(t *testing.T) {
	roster := fulltest.Record().Roster
	for i := range roster {
		roster[i].RejectDescription = "" // of who is present there is none
	}
	if diff := cmp.Diff(roster, rollcall.Fold(nil, found(*fulltest.Event(), roster))); diff != "" {
		t.Errorf("found (faults.go) does not tell all of a person:\n%s", diff)
	}
}
