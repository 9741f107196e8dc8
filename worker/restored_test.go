package worker_test

import (
	"testing"
	"time"

	"rollcall"
	"rollcall/internal/ledger"
	"rollcall/internal/ledgertest"
)

// comesAsFarAgain puts a backup in the place of a ledger, and has it come beyond where
// that was by what others store, before it counts as another one.
func comesAsFarAgain(t *testing.T, p *process, l *sameSite, restored *ledgertest.Memory) {
	t.Helper()
	was, err := l.Position(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	l.put(restored)
	for tries := 0; p.worker.Ledger() == nil; tries++ {
		if elapse(50 * time.Millisecond); tries == 100 {
			t.Fatal("it does not look like another one")
		}
	}
	for at := uint64(0); at <= was.Last; {
		msg := ledger.Message{Subject: names.Event("other", "c", "meeting.started"), Data: []byte("x")}
		if at, err = restored.Commit(t.Context(), []ledger.Message{msg}); err != nil {
			t.Fatal(err)
		}
	}
}

// What a worker holds is gone with the end of a ledger that was restored, though nothing
// changes any more that would have it written.
func TestALedgerThatIsRestoredAndComesAsFarAgain(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, l, m := newWorld(), &sameSite{}, ledgertest.NewMemory(names)
		l.put(m)
		p, backup := backedUp(t, w, l, m)
		restored := part(t, m, backup)
		comesAsFarAgain(t, p, l, restored)
		elapse(time.Minute)
		if got := keys(record(t, restored, "c1")); got != "ann bob" {
			t.Errorf("the roster is %q", got)
		}
		unique(t, restored, "c1")
		lawful(t, restored, "c1")
		p.stop(t)
	})
}

// A meeting whose end is gone goes on in the ledger, and nobody asks about it who knew of
// the end.
func TestAnEndThatIsGoneWithTheLedger(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, l, m := newWorld(), &sameSite{}, ledgertest.NewMemory(names)
		l.put(m)
		w.set("c0", "zoe")
		w.set("c1", "ann")
		p := start(t, "w1", l, w, track("c0", "c1"))
		elapse(time.Minute)
		backup := len(m.Messages())
		w.status("c1", rollcall.StatusEnded)
		elapse(time.Minute)
		restored := part(t, m, backup)
		comesAsFarAgain(t, p, l, restored)
		elapse(5 * time.Minute)
		if r := record(t, restored, "c1"); r.Meeting.Status != rollcall.StatusEnded {
			t.Errorf("it is %v by its record, the tracked set is %v", r.Meeting.Status, trackedSet(t, restored))
		}
		p.stop(t)
	})
}

// What was stored since the ledger was looked at last is gone with its end.
func TestAnEndOfTheLedgerIsLostBetweenTwoLooks(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, l, m := newWorld(), &sameSite{}, ledgertest.NewMemory(names)
		l.put(m)
		w.set("c1", "ann")
		p := start(t, "w1", l, w, track("c1"))
		elapse(time.Minute)
		w.set("c1", "ann", "bob")
		before := len(m.Messages())
		for tries := 0; keys(record(t, m, "c1")) != "ann bob"; tries++ {
			before = len(m.Messages())
			if elapse(10 * time.Millisecond); tries == 10_000 {
				t.Fatal("not stored")
			}
		}
		restored := part(t, m, before)
		l.put(restored)
		elapse(5 * time.Minute)
		if got := keys(record(t, restored, "c1")); got != "ann bob" {
			t.Errorf("the roster is %q", got)
		}
		p.stop(t)
	})
}
