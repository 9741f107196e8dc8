package ledgertest

import (
	"context"
	"slices"
	"strings"
	"testing"

	"rollcall/internal/ledger"
	"rollcall/wire"
)

// Eraser reads and erases the events of a ledger in memory.
type Eraser struct{ Ledger *Memory }

// Events reads as [store.Eraser.Events] does.
func (e Eraser) Events(ctx context.Context, tenant, conferenceID string, take func(ledger.Raw)) error {
	m := e.Ledger
	return m.do(ctx, "events", func() error {
		prefix := m.names.Event(tenant, conferenceID, "")
		if conferenceID == "" {
			prefix = m.names.Prefix + ".event." + tenant + "."
		}
		for i := range m.log {
			if msg := &m.log[i]; strings.HasPrefix(msg.Subject, prefix) && slices.Contains(m.stored[msg.Subject], i) {
				take(msg.raw())
			}
		}
		return nil
	})
}

// Erase erases as [store.Eraser.Erase] does.
func (e Eraser) Erase(ctx context.Context, sequence uint64) error {
	m := e.Ledger
	return m.do(ctx, "erase", func() error {
		if at := int(sequence) - 1; at < len(m.log) {
			msg := &m.log[at]
			msg.Data = nil
			m.stored[msg.Subject] = slices.DeleteFunc(m.stored[msg.Subject], func(i int) bool { return i == at })
		}
		return nil
	})
}

func erasing(t *testing.T, l Ledger, n wire.Names) {
	first := commit(t, l, told(n, "a.b", 7, 1), told(n, "a.b", 7, 2), told(n, "a.b", 7, 3), record(t, n, "a.b", 0, true), told(n, "c", 8, 1))
	stored := func(id string) (all []uint64) {
		t.Helper()
		err := l.Events(context1m(t), tenant, id, func(m ledger.Raw) { all = append(all, m.Sequence) })
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	if got, want := stored("a.b"), []uint64{first, first + 1, first + 2}; !slices.Equal(got, want) {
		t.Fatalf("events %v, want %v", got, want)
	}
	for range 2 { // what is gone already is no error
		for _, sequence := range []uint64{first + 1, first + 2} {
			if err := l.Erase(context1m(t), sequence); err != nil {
				t.Fatal(err)
			}
		}
	}
	if got := stored(""); !slices.Equal(got, []uint64{first, first + 4}) {
		t.Errorf("of the tenant are stored %v", got)
	}
	if last, err := l.LastEvents(context1m(t), tenant, []string{"a.b"}); err != nil || last["a.b"].Sequence != 1 {
		t.Errorf("the last event is %+v, %v", last, err)
	}
	if tail, err := l.Tail(context1m(t), tenant, first); err != nil || len(tail.Events) != 1 || len(tail.Records) != 1 {
		t.Errorf("the tail is %+v, %v", tail, err)
	}
	commit(t, l, told(n, "a.b", 7, 4))
	if got := stored("a.b"); len(got) != 2 {
		t.Errorf("after another one: %v", got)
	}
}
