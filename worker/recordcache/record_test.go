package recordcache

import (
	"slices"
	"testing"
	"time"

	"rollcall"
)

// Whether an answer is the one before was decided where it was heard: equal bytes
// elsewhere are an answer that has to be looked at, and so is a piece of them.
func TestTheMemoryOfAnAnswerIsItsVerdict(t *testing.T) {
	record, raw := twenty()
	later := rollcall.Number{Term: record.Number.Term, Poll: record.Number.Poll + 1}
	asked := time.UnixMilli(1700000200000)
	var r Record
	unchanged := func(answer []byte, n rollcall.Number) bool { return r.Unchanged(answer, n, asked) }
	r.Wrote(record, 9, true, asked)
	if unchanged(raw, later) || unchanged(nil, later) {
		t.Error("nobody has said which answer led to the record")
	}
	r.LedBy(raw)
	if !unchanged(raw, later) {
		t.Error("the answer that led to the record is not known again")
	}
	if unchanged(slices.Clone(raw), later) || unchanged(raw[:len(raw)-1], later) || unchanged(nil, later) {
		t.Error("another answer counts as the one that led to the record")
	}
	if unchanged(raw, record.Number) {
		t.Error("an answer that is not newer than the record counts")
	}
	if r.Void(); unchanged(raw, later) {
		t.Error("a record that was voided is believed")
	}
	r.Wrote(record, 9, false, asked)
	if r.LedBy(raw); unchanged(raw, later) {
		t.Error("a record of another term is believed")
	}
}
