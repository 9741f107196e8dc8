package ledgertest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"rollcall/internal/ledger"
	"rollcall/wire"
)

func sorted(set map[string]bool) []string { return slices.Sorted(maps.Keys(set)) }

func guards(t *testing.T, l Ledger, n wire.Names) {
	first := commit(t, l, record(t, n, "c", 0, true))
	for _, wrong := range []uint64{0, first - 1, first + 1, first + 1000} {
		if _, err := l.Commit(context1m(t), []ledger.Message{record(t, n, "c", wrong, true)}); !exactly(err, ledger.ErrStale) {
			t.Errorf("expecting %d where %d is: %v, want ErrStale", wrong, first, err)
		}
	}
	if got := revision(t, l, "c"); got != first {
		t.Fatalf("a stale write moved the record from %d to %d", first, got)
	}
	second := commit(t, l, record(t, n, "c", first, true))
	if got := revision(t, l, "c"); second <= first || got != second {
		t.Errorf("the record is at %d after a commit at %d", got, second)
	}
	other := record(t, n, "other", 5, true)
	if _, err := l.Commit(context1m(t), []ledger.Message{other}); !exactly(err, ledger.ErrStale) {
		t.Errorf("expecting 5 where nothing is: %v, want ErrStale", err)
	}
}

// exactly reports whether err matches want and no other outcome.
func exactly(err, want error) bool {
	for _, outcome := range []error{ledger.ErrStale, ledger.ErrBusy, ledger.ErrUnknown, ledger.ErrFull, ledger.ErrRefused} {
		if errors.Is(err, outcome) != (outcome == want) {
			return false
		}
	}
	return true
}

func atomicity(t *testing.T, l Ledger, n wire.Names) {
	a := commit(t, l, record(t, n, "a", 0, true), record(t, n, "b", 0, true))
	_, err := l.Commit(context1m(t), []ledger.Message{
		event(n, "a"), record(t, n, "a", a, true), track(t, n, "a"), event(n, "b"), record(t, n, "b", 0, true),
	})
	if !exactly(err, ledger.ErrStale) {
		t.Fatalf("got %v, want ErrStale", err)
	}
	if got := revision(t, l, "a"); got != a {
		t.Errorf("the record of a moved from %d to %d", a, got)
	}
	if got := trackedIDs(t, l); got != "" {
		t.Errorf("%q is tracked", got)
	}
	if next := commit(t, l, event(n, "a")); next != a+2 {
		t.Errorf("the next message is at %d, want %d: something was stored", next, a+2)
	}
}

func resend(t *testing.T, l Ledger, n wire.Names) {
	batch := []ledger.Message{event(n, "c"), record(t, n, "c", 0, true)}
	first := commit(t, l, batch...)
	if _, err := l.Commit(context1m(t), batch); !exactly(err, ledger.ErrStale) {
		t.Fatalf("got %v, want ErrStale", err)
	}
	if next := commit(t, l, event(n, "c")); next != first+2 {
		t.Errorf("the next message is at %d, want %d", next, first+2)
	}
}

func contiguity(t *testing.T, l Ledger, n wire.Names) {
	first := commit(t, l, event(n, "a"), event(n, "a"), record(t, n, "a", 0, true), event(n, "b"), record(t, n, "b", 0, true))
	if a, b := revision(t, l, "a"), revision(t, l, "b"); a != first+2 || b != first+4 {
		t.Errorf("the records are at %d and %d, want %d and %d", a, b, first+2, first+4)
	}
	if next := commit(t, l, event(n, "a")); next != first+5 {
		t.Errorf("the next batch begins at %d, want %d", next, first+5)
	}
}

func concurrency(t *testing.T, l Ledger, n wire.Names) {
	const writers, batches = 4, 8
	ctx := context1m(t)
	var wg sync.WaitGroup
	var mu sync.Mutex
	want := make(map[string]uint64)
	for w := range writers {
		var made [batches][]ledger.Message
		for b := range made {
			for i := range 5 {
				made[b] = append(made[b], event(n, "e"), record(t, n, fmt.Sprintf("%d-%d-%d", w, b, i), 0, true))
			}
		}
		wg.Go(func() {
			for b := range made {
				first, err := l.Commit(ctx, made[b])
				if err != nil {
					t.Errorf("commit: %v", err)
					return
				}
				mu.Lock()
				for i := range 5 {
					want[fmt.Sprintf("%d-%d-%d", w, b, i)] = first + uint64(2*i+1)
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	got, err := l.Load(ctx, tenant, slices.Collect(maps.Keys(want)))
	if err != nil || len(got) != writers*batches*5 {
		t.Fatalf("loaded %d records, %v", len(got), err)
	}
	for id, at := range want {
		if got[id].Revision != at {
			t.Errorf("the record %s is at %d, want %d", id, got[id].Revision, at)
		}
	}
}

func rollup(t *testing.T, l Ledger, n wire.Names) {
	first := commit(t, l, record(t, n, "c", 0, true))
	r := sample("c")
	r.Sequence, r.Meeting.Title = 2, "Renamed"
	msg, err := RecordMessage(n, r, first, true)
	if err != nil {
		t.Fatal(err)
	}
	second := commit(t, l, msg)
	all, err := l.LoadAll(context1m(t), tenant)
	if err != nil || len(all) != 1 || all[0].Revision != second || all[0].Record.Meeting.Title != "Renamed" {
		t.Fatalf("got %+v, %v", all, err)
	}
}

func count(t *testing.T, l Ledger, n wire.Names) {
	msgs := make([]ledger.Message, ledger.MaxBatchMessages+1)
	for i := range msgs {
		msgs[i] = event(n, "c")
	}
	msgs[0] = record(t, n, "c", 0, true)
	_, err := l.Commit(context1m(t), msgs)
	if !exactly(err, ledger.ErrRefused) || !strings.Contains(err.Error(), "1001") {
		t.Errorf("1,001 messages: %v, want a refusal that says so", err)
	}
	if _, err := l.Commit(context1m(t), nil); !exactly(err, ledger.ErrRefused) {
		t.Errorf("no messages: %v, want a refusal", err)
	}
	first := commit(t, l, msgs[:ledger.MaxBatchMessages]...)
	if next := commit(t, l, event(n, "c")); next != first+ledger.MaxBatchMessages {
		t.Errorf("1,000 messages from %d, and the next is at %d", first, next)
	}
	if got := revision(t, l, "c"); got != first {
		t.Errorf("the record is at %d, want %d", got, first)
	}
}

func size(t *testing.T, l Ledger, n wire.Names) {
	huge := event(n, "enormous")
	huge.Data = make([]byte, 1<<20)
	_, err := l.Commit(context1m(t), []ledger.Message{event(n, "c"), huge, event(n, "c")})
	if !exactly(err, ledger.ErrRefused) || !strings.Contains(err.Error(), huge.Subject) || !strings.Contains(err.Error(), "max_payload") {
		t.Errorf("a message of 1 MiB: %v, want a refusal that names it", err)
	}
	var heavy []ledger.Message
	for range 5 {
		msg := event(n, "c")
		msg.Data = make([]byte, 900<<10)
		heavy = append(heavy, msg)
	}
	if _, err := l.Commit(context1m(t), heavy); !exactly(err, ledger.ErrRefused) {
		t.Errorf("a batch of 4.5 MiB: %v, want a refusal", err)
	}
	commit(t, l, heavy[:4]...)
	twice := []ledger.Message{record(t, n, "c", 0, true), record(t, n, "c", 0, true)}
	if _, err := l.Commit(context1m(t), twice); !exactly(err, ledger.ErrRefused) {
		t.Errorf("two records of one meeting: %v, want a refusal", err)
	}
}

func cancelled(t *testing.T, l Ledger, n wire.Names) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := l.Commit(ctx, []ledger.Message{record(t, n, "c", 0, true)}); !exactly(err, ledger.ErrBusy) || !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want ErrBusy for a cancelled context", err)
	}
	if got := revision(t, l, "c"); got != 0 {
		t.Errorf("the record is at %d", got)
	}
}
