package forwarder

import (
	"fmt"
	"testing"
	"time"

	"rollcall"
	"rollcall/consume"
	"rollcall/forwarder/note"
	"rollcall/forwarder/target"
)

// The times of a stream follow the clocks of its leaders, and can go back: an old
// event behind a young one waits until that is old, too.
func TestOldEventsBehindYoungOnesAreNotCut(t *testing.T) {
	now := time.Date(2026, time.November, 23, 10, 0, 0, 0, time.UTC)
	q := newQueue()
	q.add("a", waiting{sequence: 1, at: now})
	q.add("b", waiting{sequence: 2, at: now.Add(-time.Hour)})
	if cut := q.cut(now.Add(-time.Minute), 10); len(cut) != 0 || q.count != 2 {
		t.Errorf("%d are cut, %d are left", len(cut), q.count)
	}
	if cut := q.cut(now.Add(time.Minute), 10); len(cut) != 2 || q.count != 0 {
		t.Errorf("%d are cut, %d are left", len(cut), q.count)
	}
}

// A digest names the end of every meeting that it is of, where the service has room.
func TestADigestNamesEveryEnd(t *testing.T) {
	for _, kind := range target.Kinds() {
		if kind.Markup == nil {
			continue
		}
		q := newQueue()
		for i := range 2 * maxMeetings {
			id := fmt.Sprintf("c%02d", i)
			e := rollcall.Event{Tenant: "acme", ConferenceID: id, Epoch: 1, Sequence: 1, Type: rollcall.MeetingEnded}
			q.add(id, waiting{sequence: uint64(i + 1), event: consume.Event{Event: e}})
		}
		due, digest := choose(q.all(), 1, false, kind.Limit)
		var b note.Batch
		for _, w := range events(due) {
			b.Add(w.event)
		}
		n := b.Note(digest, linesFor(len(due), kind.Limit))
		if n.Account.Told != len(due) {
			t.Errorf("%s: of %d ends %d are told by a line", kind.Name, len(due), n.Account.Told)
		}
	}
}
