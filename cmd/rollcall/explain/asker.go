package explain

import (
	"fmt"
	"time"

	"rollcall/internal/safetext"
)

// asker says which worker asked. Events do not say it; the record has the number of
// the poll that wrote it, and the shard's claim who holds it now.
func (f *Facts) asker(at *time.Location) Asker {
	holder := safetext.Field(f.Claim.Holder, 80)
	shard := "the shard"
	if f.Shards > 1 {
		shard = fmt.Sprintf("shard %d of %d", f.Shard, f.Shards)
	}
	switch {
	case f.Event != nil && f.ofThisPoll():
		a := Asker{Term: f.Record.Number.Term, Poll: f.Record.Number.Poll}
		a.Text = fmt.Sprintf("by poll %d of term %d; whose term that was is not recorded any more", a.Poll, a.Term)
		if f.Claim.Holder != "" && f.Claim.Term == a.Term {
			a.Worker, a.Text = f.Claim.Holder, fmt.Sprintf("by worker %s (poll %d of its term %d)", holder, a.Poll, a.Term)
		}
		return a
	case f.Claim.Holder == "":
		return Asker{Text: "by whom is not recorded; nobody holds " + shard + " now"}
	case f.Claim.Term < f.Stream:
		return Asker{Text: fmt.Sprintf("by whom is not recorded; worker %s has held %s since %s, before this was stored", holder, shard, clock(f.Claim.At, at))}
	}
	return Asker{Text: fmt.Sprintf("by whom is not recorded; worker %s took %s later, at %s", holder, shard, clock(f.Claim.At, at))}
}

// ofThisPoll reports whether the record is the one that the event's poll has written:
// they were stored together.
func (f *Facts) ofThisPoll() bool {
	return f.Record != nil && f.Batch != "" && f.Batch == f.RecordBatch
}
