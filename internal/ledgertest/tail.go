package ledgertest

import (
	"fmt"
	"testing"
	"time"

	"rollcall"
	"rollcall/internal/ledger"
	"rollcall/wire"
)

// told is the message of an event with this number.
func told(n wire.Names, id string, epoch int64, sequence uint64) ledger.Message {
	at := time.UnixMilli(1700000000000).UTC()
	e := &rollcall.Event{
		Tenant: tenant, ConferenceID: id, Epoch: epoch, Sequence: sequence, Type: rollcall.MeetingStarted, Time: at,
		Index: 1, Count: 1, Meeting: rollcall.Conference{Status: rollcall.StatusStarted},
		Provenance: rollcall.ProvenanceBaseline, Window: rollcall.Window{Before: at},
	}
	types := rollcall.Types() // its subject names the type, which is that of some event
	return ledger.Message{
		Subject: n.Event(tenant, id, types[int(sequence)%len(types)]), Data: wire.AppendEvent(nil, e),
	}
}

func tail(t *testing.T, l Ledger, n wire.Names) {
	claim, err := l.Claim(context1m(t), tenant, 0, "w1")
	if err != nil {
		t.Fatal(err)
	}
	if found, err := l.Tail(context1m(t), tenant, claim.Term); err != nil || len(found.Events)+len(found.Records)+len(found.Tracked) > 0 {
		t.Fatalf("nothing was stored, and the tail is %+v, %v", found, err)
	}
	first := commit(
		t, l, told(n, "a.b", 7, 1), told(n, "a.b", 7, 2), record(t, n, "a.b", 0, true), track(t, n, "a.b"),
		told(n, "torn", 9, 1), told(n, "torn", 9, 2),
	)
	found, err := l.Tail(context1m(t), tenant, 0)
	if err != nil || len(found.Events) != 2 || len(found.Records) != 1 || len(found.Tracked) != 1 {
		t.Fatalf("got %+v, %v", found, err)
	}
	if got, want := found.Events["torn"], (ledger.Last{Epoch: 9, Sequence: 2, Revision: first + 5}); got != want {
		t.Errorf("the last event is %+v, want %+v", got, want)
	}
	if r := found.Records["a.b"]; r.Revision != first+2 || r.Record == nil || found.Events["a.b"].Revision != first+1 {
		t.Errorf("the record is %+v, the last event before it %+v", r, found.Events["a.b"])
	}
	commit(t, l, ledger.UntrackMessage(n, tenant, "a.b"), ledger.Message{Subject: n.Event(tenant, "odd", rollcall.MeetingStarted), Data: []byte("{")})
	found, err = l.Tail(context1m(t), tenant, first+5)
	if err != nil || len(found.Events) != 1 || len(found.Records) != 0 || !found.Tracked["a.b"].Gone {
		t.Errorf("after it there are an odd event and a tombstone, got %+v, %v", found, err)
	}
	if odd := found.Events["odd"]; odd.Revision != first+7 || odd.Epoch != 0 {
		t.Errorf("an event that cannot be read is %+v", odd)
	}
}

func lastEvents(t *testing.T, l Ledger, n wire.Names) {
	if found, err := l.LastEvents(context1m(t), tenant, []string{"none"}); err != nil || len(found) > 0 {
		t.Errorf("an empty ledger gave %v, %v", found, err)
	}
	const meetings, each = 300, 12
	var ids []string
	for i := range meetings {
		ids = append(ids, fmt.Sprintf("c.%d", i))
	}
	for start := 0; start < meetings; start += 50 {
		var msgs []ledger.Message
		for _, id := range ids[start : start+50] {
			for i := range each {
				msgs = append(msgs, told(n, id, 5, uint64(i+1)))
			}
		}
		commit(t, l, msgs...)
	}
	found, err := l.LastEvents(context1m(t), tenant, append([]string{"none"}, ids...))
	if err != nil || len(found) != meetings {
		t.Fatalf("found %d of %d, %v", len(found), meetings, err)
	}
	for id, last := range found {
		if last.Sequence != each || last.Epoch != 5 {
			t.Fatalf("the last event of %s is %+v", id, last)
		}
	}
}

func position(t *testing.T, l Ledger, n wire.Names) {
	before, err := l.Position(context1m(t))
	if err != nil || before.Stream != n.Stream || before.Created.IsZero() || before.Last != 0 {
		t.Fatalf("got %+v, %v", before, err)
	}
	at := commit(t, l, event(n, "c"))
	if err := l.Renew(context1m(t)); err != nil {
		t.Fatal(err)
	}
	after, err := l.Position(context1m(t))
	if err != nil || after.Last != at || after.Follows(before) != nil || before.Follows(after) == nil {
		t.Errorf("got %+v after %+v, %v", after, before, err)
	}
}

func garbageClaim(t *testing.T, l Ledger, n wire.Names) {
	first, err := l.Claim(context1m(t), tenant, 0, "w1")
	if err != nil {
		t.Fatal(err)
	}
	at := commit(t, l, ledger.Message{Subject: n.Claim(tenant, 0), Data: []byte("+OK"), Rollup: true, TTL: "never"})
	if now, err := l.Holder(context1m(t), tenant, 0); err != nil || now.Err == nil || now.Term != at || now.Holder != "" {
		t.Errorf("the claim is %+v, %v", now, err)
	}
	next, err := l.Claim(context1m(t), tenant, 0, "w2")
	if err != nil || next.Term <= at || next.Term <= first.Term {
		t.Fatalf("claimed after it: %+v, %v", next, err)
	}
	if now, err := l.Holder(context1m(t), tenant, 0); err != nil || now != next {
		t.Errorf("the claim is %+v, %v, want %+v", now, err, next)
	}
}

func garbageTracking(t *testing.T, l Ledger, n wire.Names) {
	other := track(t, n, "other")
	other.Subject = n.Tracked(tenant, "own")
	broken := track(t, n, "broken")
	broken.Data = []byte(`{"schema":1`)
	commit(t, l, other, broken, track(t, n, "good"))
	set, err := l.Tracked(context1m(t), tenant)
	if err != nil || len(set) != 3 {
		t.Fatalf("got %+v, %v", set, err)
	}
	for _, each := range set {
		if (each.Err == nil) != (each.ConferenceID == "good") || each.Revision == 0 {
			t.Errorf("got %+v", each)
		}
	}
}

// tailOfTwo: what was stored of one tenant says nothing about the tail of another.
func tailOfTwo(t *testing.T, l Ledger, _ wire.Names) {
	ctx := context1m(t)
	first, err := l.Claim(ctx, tenant, 0, "w1")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.Claim(ctx, "other", 0, "w1"); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Tail(ctx, tenant, first.Term-1); err != nil {
		t.Error(err)
	}
}
