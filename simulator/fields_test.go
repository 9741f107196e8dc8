package simulator

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"rollcall"
	"rollcall/internal/fulltest"
)

// Whatever an entry says is served, and read back as what was shown.
func TestEveryFieldOfAnEntryIsServed(t *testing.T) {
	entry := fulltest.Entry()
	m := &meeting{id: "6f1a", status: rollcall.StatusStarted, listed: []*device{{Line: Line{Entry: entry}}}}
	if diff := cmp.Diff(entry, m.wire().UserList[0].entry()); diff != "" {
		t.Errorf("what is served (-is, +served):\n%s", diff)
	}
}
