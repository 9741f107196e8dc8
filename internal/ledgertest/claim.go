package ledgertest

import (
	"fmt"
	"sync"
	"testing"

	"rollcall/internal/ledger"
	"rollcall/wire"
)

func claims(t *testing.T, l Ledger, n wire.Names) {
	ctx := context1m(t)
	if got, err := l.Holder(ctx, tenant, 0); err != nil || got != (ledger.Claim{}) {
		t.Fatalf("before any claim: %+v, %v", got, err)
	}
	var last uint64
	for i := range 3 {
		holder := fmt.Sprintf("worker %d", i)
		claim, err := l.Claim(ctx, tenant, 0, holder)
		if err != nil || claim.Holder != holder || claim.Term <= last {
			t.Fatalf("claim %d: %+v, %v after term %d", i, claim, err, last)
		}
		if got, err := l.Holder(ctx, tenant, 0); err != nil || got != claim {
			t.Fatalf("the holder is %+v, %v, want %+v", got, err, claim)
		}
		last = commit(t, l, event(n, "c"))
	}
	if got, err := l.Holder(ctx, tenant, 1); err != nil || got != (ledger.Claim{}) {
		t.Errorf("another shard is held by %+v, %v", got, err)
	}
	if got, err := l.Holder(ctx, "other", 0); err != nil || got != (ledger.Claim{}) {
		t.Errorf("the shard of another tenant is held by %+v, %v", got, err)
	}
}

func claimRace(t *testing.T, l Ledger, _ wire.Names) {
	ctx := context1m(t)
	var wg sync.WaitGroup
	var mu sync.Mutex
	won := make(map[uint64]string)
	for i := range 8 {
		wg.Go(func() {
			holder := fmt.Sprint(i)
			claim, err := l.Claim(ctx, tenant, 0, holder)
			if err != nil {
				if !exactly(err, ledger.ErrStale) {
					t.Errorf("a lost race: %v, want ErrStale", err)
				}
				return
			}
			mu.Lock()
			defer mu.Unlock()
			if other, taken := won[claim.Term]; taken {
				t.Errorf("%s and %s both have term %d", other, holder, claim.Term)
			}
			won[claim.Term] = holder
		})
	}
	wg.Wait()
	now, err := l.Holder(ctx, tenant, 0)
	if err != nil || won[now.Term] != now.Holder {
		t.Fatalf("the holder is %+v, %v; won have %v", now, err, won)
	}
	for term := range won {
		if term > now.Term {
			t.Errorf("term %d was given and %d is the last", term, now.Term)
		}
	}
}

// claimGuard: a superseded holder can no longer change the tracked set.
func claimGuard(t *testing.T, l Ledger, n wire.Names) {
	ctx := context1m(t)
	under := func(claim ledger.Claim, msg ledger.Message) []ledger.Message {
		msg.Guarded, msg.Expect, msg.ExpectOf = true, claim.Term, n.Claim(tenant, 0)
		return []ledger.Message{msg, track(t, n, "beside")}
	}
	mine, err := l.Claim(ctx, tenant, 0, "w1")
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // what is said twice is said once
		if _, err := l.Commit(ctx, under(mine, track(t, n, "a"))); err != nil {
			t.Fatalf("the holder may not track: %v", err)
		}
	}
	theirs, err := l.Claim(ctx, tenant, 0, "w2")
	if err != nil {
		t.Fatal(err)
	}
	for _, msg := range []ledger.Message{track(t, n, "b"), ledger.UntrackMessage(n, tenant, "a")} {
		if _, err := l.Commit(ctx, under(mine, msg)); !exactly(err, ledger.ErrStale) {
			t.Errorf("whoever was superseded writes %s: %v, want ErrStale", msg.Subject, err)
		}
	}
	if _, err := l.Commit(ctx, under(theirs, ledger.UntrackMessage(n, tenant, "a"))); err != nil {
		t.Errorf("the new holder may not untrack: %v", err)
	}
	if got := trackedIDs(t, l); got != "beside" {
		t.Errorf("%q is tracked", got)
	}
}
