package recordcache

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"rollcall/internal/fulltest"
)

// A field that is added to a record and forgotten where records are packed or
// gathered shows here.
func TestEveryFieldOfARecordIsKept(t *testing.T) {
	want := fulltest.Record()
	if diff := cmp.Diff(want, gather(want)); diff != "" {
		t.Errorf("gathered:\n%s", diff)
	}
	want.Partial = nil // what has one is not packed
	p := pack(want, []byte("an answer"))
	if p == nil {
		t.Fatal("it cannot be packed")
	}
	if diff := cmp.Diff(want, p.unpack()); diff != "" {
		t.Errorf("packed:\n%s", diff)
	}
}
