package membership

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"rollcall/internal/ledger"
)

const ttl = 5 * time.Second

// member is a worker as others read it.
func member(t *testing.T, id string, info Info) ledger.Member {
	t.Helper()
	data, err := json.Marshal(info)
	if err != nil {
		t.Fatal(err)
	}
	return ledger.Member{ID: id, Info: data}
}

func TestAHeartbeatLapses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := NewHeartbeat(ttl)
		if h.Fresh() || h.Settled() {
			t.Error("it lives before a beat was confirmed")
		}
		back := h.Back()
		h.Confirm(time.Now())
		<-back
		time.Sleep(ttl - 1)
		h.Confirm(time.Now())
		if time.Sleep(time.Nanosecond); !h.Settled() || h.Lapses() != 1 {
			t.Errorf("it has lived for a TTL, and is settled: %v, after %d lapses", h.Settled(), h.Lapses())
		}
		if time.Sleep(ttl); h.Fresh() {
			t.Error("it is fresh a TTL after the last beat")
		}
		h.Confirm(time.Now())
		if !h.Fresh() || h.Settled() || h.Lapses() != 2 {
			t.Error("the first beat after a lapse settles at once")
		}
	})
}

// Only those who know a tenant count for its shards, and those whose word cannot
// be read count for all.
func TestShardsBelongToWhoKnowsTheTenant(t *testing.T) {
	p := NewPeers("me", ttl)
	others := []ledger.Member{
		member(t, "me", Info{Beat: 7, Knows: []string{"acme"}}),
		member(t, "stranger", Info{Knows: []string{"other"}}),
		{ID: "garbled", Info: []byte("{")},
	}
	if err := p.Meet(others, 7); err != nil {
		t.Fatal(err)
	}
	for shard := range 32 {
		if got, want := p.Owns("acme", shard), Owner([]string{"me", "garbled"}, "acme", shard) == "me"; got != want {
			t.Errorf("shard %d belongs to this worker: %v, want %v", shard, got, want)
		}
	}
	if !p.Alive("stranger") || !p.Alive("garbled") || p.Alive("gone") {
		t.Error("who lives is not who registered")
	}
}

func TestAReadingWithoutTheOwnBeatIsRefused(t *testing.T) {
	p := NewPeers("me", ttl)
	for _, members := range [][]ledger.Member{nil, {member(t, "me", Info{Beat: 6})}} {
		if err := p.Meet(members, 7); err == nil || p.Alive("me") {
			t.Error("what a server that lags behind shows is taken for the members")
		}
	}
}

// Whoever has not let go of a shard is waited for, as long as what waits there
// becomes less; but not by one who can store nothing either.
func TestWhoeverStoresNothingIsNotWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := NewPeers("me", ttl)
		meet := func(settled uint64, leaving bool) bool {
			other := Info{}
			if leaving {
				other.Leaving = []Leaving{{Tenant: "acme", Shard: 1, Of: 2, Waiting: 3, Settled: settled}}
			}
			if err := p.Meet([]ledger.Member{member(t, "me", Info{}), member(t, "other", other)}, 0); err != nil {
				t.Fatal(err)
			}
			return p.Blocks("acme", 1, 2)
		}
		for n := range uint64(10) {
			if !meet(n, true) {
				t.Fatal("it stores, and is not waited for")
			}
			time.Sleep(patience * ttl / 2)
		}
		if p.Blocks("acme", 0, 2) || p.Blocks("other", 1, 2) || !p.Blocks("acme", 0, 3) {
			t.Error("it blocks other shards than those it has meetings of")
		}
		if time.Sleep(patience * ttl); meet(9, true) {
			t.Error("it stores nothing, and is waited for")
		}
		if p.Refused(); !meet(9, true) {
			t.Error("this worker can store nothing either, and does not wait")
		}
		if meet(9, false) {
			t.Error("it has let go, and is waited for")
		}
	})
}

// counts is a ledger of numbers of shards.
type counts struct{ now ledger.Shards }

func (c *counts) SetShards(_ context.Context, _ string, count int, _ string, expect uint64) (ledger.Shards, error) {
	if expect != c.now.Revision {
		return ledger.Shards{}, errors.New("stale")
	}
	c.now = ledger.Shards{Count: count, Revision: c.now.Revision + 1}
	return c.now, nil
}

// The configured number is said once; after that the ledger's holds, which is
// put back where it was lost.
func TestTheNumberOfShardsIsTheLedgers(t *testing.T) {
	l, c := &counts{}, ShardCount{Tenant: "acme", Configured: 4, By: "me"}
	say := func(inForce, want int, wantChanged bool) {
		t.Helper()
		now, changed, err := c.Say(t.Context(), l, l.now, inForce)
		if err != nil || now.Count != want || changed != wantChanged {
			t.Errorf("the ledger says %+v, changed: %v, %v; want %d shards, changed: %v", now, changed, err, want, wantChanged)
		}
	}
	say(4, 4, false)
	l.now = ledger.Shards{Count: 8, Revision: 9}
	say(4, 8, false)
	l.now = ledger.Shards{}
	say(8, 8, false)

	other := ShardCount{Tenant: "acme", Configured: 2, By: "other"}
	if now, changed, err := other.Say(t.Context(), l, l.now, 2); now.Count != 2 || !changed || err != nil {
		t.Errorf("one that starts with another number says %+v, %v", now, err)
	}
	for i, want := range []bool{false, false, true} {
		if c.Follows(3, 9) != want {
			t.Errorf("reading %d of an earlier number is followed: %v", i, !want)
		}
	}
	if !c.Follows(10, 9) || c.Follows(9, 9) {
		t.Error("a later number is not followed, or the same one is")
	}
}
