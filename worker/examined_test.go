package worker

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"rollcall"
	"rollcall/internal/ledger"
	"rollcall/store"
	"rollcall/wire"
)

// tails notes after which stream sequences a tail was read.
type tails struct {
	*store.Memory
	after []uint64
	fails error
}

func (l *tails) Tail(ctx context.Context, tenant string, after uint64) (ledger.Tail, error) {
	if l.after = append(l.after, after); l.fails != nil {
		return ledger.Tail{}, l.fails
	}
	return l.Memory.Tail(ctx, tenant, after)
}

// A meeting that nobody has asked about for days, as it is to start tomorrow, has
// the record of an old term: what came since is read once, and not at each lapse.
func TestWhatWasExaminedIsNotReadAgain(t *testing.T) {
	names := wire.Names{Stream: "MEETINGS", Prefix: "meetings"}
	l := &tails{Memory: store.NewMemory(names)}
	w, err := New(Config{ID: "w1", Names: names, Ledger: l, Committer: l.Memory, Tenants: []Tenant{{Name: "acme"}}})
	if err != nil {
		t.Fatal(err)
	}
	s := w.tenants[0].shards()[0]
	s.entries = map[string]*entry{}
	for term, id := range []string{"old", "new"} {
		record := &rollcall.Record{Tenant: "acme", ConferenceID: id, Number: rollcall.Number{Term: uint64(term + 1), Poll: 1}}
		msg, err := s.recordMessage(record, 0)
		if err != nil {
			t.Fatal(err)
		}
		first, err := l.Commit(t.Context(), []ledger.Message{msg})
		if err != nil {
			t.Fatal(err)
		}
		s.entries[id] = &entry{tracked: true}
		s.entries[id].record.Read(record, first)
	}
	for range 2 {
		if err := s.examine(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if !slices.Equal(l.after, []uint64{1, 2}) {
		t.Errorf("tails were read after %d", l.after)
	}
}

// A claim after which the ledger could not be examined leaves records that were
// not held against their events: no answer that comes late is compared with them.
func TestAClaimThatWasNotExamined(t *testing.T) {
	names := wire.Names{Stream: "MEETINGS", Prefix: "meetings"}
	l := &tails{Memory: store.NewMemory(names), fails: errors.New("away")}
	w, err := New(Config{ID: "w1", Names: names, Ledger: l, Committer: l.Memory, Tenants: []Tenant{{Name: "acme"}}})
	if err != nil {
		t.Fatal(err)
	}
	w.heart.Confirm(time.Now())
	s := w.tenants[0].shards()[0]
	if err := s.claim(t.Context()); !errors.Is(err, l.fails) {
		t.Fatal(err)
	}
	if err := s.verify(t.Context()); !errors.Is(err, l.fails) {
		t.Errorf("what was read with the claim is trusted: %v", err)
	}
}
