package ledgertest

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall/internal/ledger"
	"rollcall/wire"
)

func tracking(t *testing.T, l Ledger, n wire.Names) {
	commit(t, l, track(t, n, "a"), track(t, n, "b.c"), track(t, n, "d"))
	if got := trackedIDs(t, l); got != "a b.c d" {
		t.Fatalf("tracked are %q", got)
	}
	commit(t, l, ledger.UntrackMessage(n, tenant, "b.c"), track(t, n, "a"))
	if got := trackedIDs(t, l); got != "a d" {
		t.Fatalf("tracked are %q after b.c was untracked", got)
	}
	commit(t, l, track(t, n, "b.c"))
	set, err := l.Tracked(context1m(t), tenant)
	if err != nil || len(set) != 3 || set[0].Source != "api" || set[0].Since.UnixMilli() != 1700000000000 || set[0].Labels["team"] != "blue" {
		t.Fatalf("got %+v, %v", set, err)
	}
	commit(t, l, ledger.UntrackMessage(n, tenant, "a"), ledger.UntrackMessage(n, tenant, "b.c"), ledger.UntrackMessage(n, tenant, "d"))
	if got := trackedIDs(t, l); got != "" {
		t.Fatalf("tracked are %q", got)
	}
	// Tombstones last a second; what they cover must not come to light again.
	brief := record(t, n, "brief", 0, true)
	brief.TTL = "1s"
	commit(t, l, brief)
	eventually(t, "what was written after the tombstones is gone", func() bool { return revision(t, l, "brief") == 0 })
	if got := trackedIDs(t, l); got != "" {
		t.Fatalf("tracked are %q after the tombstones have gone", got)
	}
}

func keeping(t *testing.T, l Ledger, n wire.Names) {
	if _, err := l.Claim(context1m(t), tenant, 0, "w1"); err != nil {
		t.Fatal(err)
	}
	first := commit(t, l, record(t, n, "kept", 0, true), record(t, n, "over", 0, false), track(t, n, "kept"))
	eventually(t, "the record of the meeting that is over ages out", func() bool { return revision(t, l, "over") == 0 })
	if got := revision(t, l, "kept"); got != first {
		t.Errorf("the kept record is at %d, want %d", got, first)
	}
	if got := trackedIDs(t, l); got != "kept" {
		t.Errorf("tracked are %q", got)
	}
	if claim, err := l.Holder(context1m(t), tenant, 0); err != nil || claim.Holder != "w1" {
		t.Errorf("the shard is held by %+v, %v", claim, err)
	}
	commit(t, l, record(t, n, "over", 0, true)) // nothing is there, so 0 is right
}

func load(t *testing.T, l Ledger, n wire.Names) {
	const many = 2500
	ids, msgs := make([]string, many), make([]ledger.Message, many)
	for i := range many {
		ids[i] = fmt.Sprintf("conference-%d", i)
		msgs[i] = record(t, n, ids[i], 0, true)
	}
	want := make(map[string]uint64, many)
	for start := 0; start < many; start += 500 {
		first := commit(t, l, msgs[start:start+500]...)
		for i := range 500 {
			want[ids[start+i]] = first + uint64(i)
		}
	}
	asked := append([]string{"absent", ids[0], ""}, ids...)
	found, err := l.Load(context1m(t), tenant, append(asked, "absent too"))
	if err != nil || len(found) != many {
		t.Fatalf("loaded %d records, %v, want %d", len(found), err, many)
	}
	for id, stored := range found {
		if stored.ConferenceID != id || stored.Err != nil || stored.Record.ConferenceID != id || stored.Revision != want[id] {
			t.Fatalf("%s: %+v, want revision %d", id, stored, want[id])
		}
	}
	if diff := cmp.Diff(sample(ids[7]), found[ids[7]].Record); diff != "" {
		t.Errorf("the record changed on its way:\n%s", diff)
	}
	for _, ids := range [][]string{nil, {"absent"}} {
		if found, err := l.Load(context1m(t), tenant, ids); err != nil || len(found) != 0 {
			t.Errorf("Load(%v) = %v, %v", ids, found, err)
		}
	}
	all, err := l.LoadAll(context1m(t), tenant)
	if err != nil || len(all) != many {
		t.Fatalf("LoadAll gave %d records, %v", len(all), err)
	}
	for _, stored := range all {
		if stored.Revision != want[stored.ConferenceID] {
			t.Fatalf("LoadAll: %s is at %d, want %d", stored.ConferenceID, stored.Revision, want[stored.ConferenceID])
		}
	}
}

func loadAll(t *testing.T, l Ledger, n wire.Names) {
	if all, err := l.LoadAll(context1m(t), tenant); err != nil || len(all) != 0 {
		t.Fatalf("an empty ledger gave %v, %v", all, err)
	}
	other := sample("c")
	other.Tenant = tenant + "-2"
	msg, err := RecordMessage(n, other, 0, true)
	if err != nil {
		t.Fatal(err)
	}
	commit(t, l, msg, record(t, n, "mine", 0, true), event(n, "c"), track(t, n, "c"))
	all, err := l.LoadAll(context1m(t), tenant)
	if err != nil || len(all) != 1 || all[0].ConferenceID != "mine" {
		t.Fatalf("got %+v, %v", all, err)
	}
}

func hostileIDs(t *testing.T, l Ledger, n wire.Names) {
	ids := []string{
		"a.b", "*", ">", "a b", "100%", "%2E", "会议", "a/b", "\r\n", "\x00", "..", ".", "$JS.API", "'\"<>&", "😀",
		strings.Repeat("会", 85), strings.Repeat(".", 256),
	}
	var msgs []ledger.Message
	for _, id := range ids {
		msgs = append(msgs, event(n, id), record(t, n, id, 0, true), track(t, n, id))
	}
	commit(t, l, msgs...)
	found, err := l.Load(context1m(t), tenant, ids)
	if err != nil || len(found) != len(ids) {
		t.Fatalf("loaded %d of %d, %v", len(found), len(ids), err)
	}
	tracked, err := l.Tracked(context1m(t), tenant)
	if err != nil || len(tracked) != len(ids) {
		t.Fatalf("%d of %d are tracked, %v", len(tracked), len(ids), err)
	}
	all, err := l.LoadAll(context1m(t), tenant)
	if err != nil {
		t.Fatal(err)
	}
	seen := make(map[string]bool)
	for _, stored := range all {
		seen[stored.ConferenceID] = stored.Err == nil && stored.Record.ConferenceID == stored.ConferenceID
	}
	for _, id := range ids {
		if !seen[id] || found[id].Record == nil || found[id].Record.ConferenceID != id {
			t.Errorf("%q did not come back", id)
		}
	}
	for _, name := range []string{"", "a.b", "*", ">", "A", "a b", strings.Repeat("a", 33)} {
		r := sample("c")
		r.Tenant = name
		if _, err := RecordMessage(n, r, 0, true); !exactly(err, ledger.ErrRefused) {
			t.Errorf("tenant %q: %v, want a refusal", name, err)
		}
	}
}

func unreadable(t *testing.T, l Ledger, n wire.Names) {
	put := func(id, data string) ledger.Message {
		return ledger.Message{Subject: n.State(tenant, id), Data: []byte(data), Guarded: true, Rollup: true}
	}
	whole := record(t, n, "good", 0, true)
	first := commit(
		t, l, whole, put("newer", `{"schema":2,"roster":"of another shape"}`), put("torn", string(whole.Data[:60])),
		put("empty", ""), put("swapped", string(whole.Data)), put("list", "[]"), put("bare", "{}"),
	)
	found, err := l.Load(context1m(t), tenant, []string{"good", "newer", "torn", "empty", "swapped", "list", "bare"})
	if err != nil || len(found) != 7 {
		t.Fatalf("loaded %d, %v", len(found), err)
	}
	if found["good"].Err != nil || found["good"].Record == nil {
		t.Errorf("the good record suffers from its neighbours: %v", found["good"].Err)
	}
	for id, stored := range found {
		if id != "good" && (stored.Err == nil || stored.Record != nil || stored.Revision < first) {
			t.Errorf("%s: %+v, want an error and a revision", id, stored)
		}
		if errors.Is(stored.Err, wire.ErrNewerSchema) != (id == "newer") {
			t.Errorf("%s: %v", id, stored.Err)
		}
	}
	all, err := l.LoadAll(context1m(t), tenant)
	if err != nil || len(all) != 7 {
		t.Fatalf("LoadAll gave %d, %v", len(all), err)
	}
}

func status(t *testing.T, l Ledger, n wire.Names) {
	for i := range 2 {
		err := l.PutStatus(context1m(t), tenant, wire.Status{State: wire.StateOK, Pace: time.Second, Tracked: i, At: time.Now()})
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := l.PutStatus(context1m(t), "no.tenant", wire.Status{}); !exactly(err, ledger.ErrRefused) {
		t.Errorf("a hostile tenant: %v, want a refusal", err)
	}
	if next := commit(t, l, event(n, "c")); next != 3 {
		t.Errorf("the next message is at %d, want 3: two were stored", next)
	}
}
