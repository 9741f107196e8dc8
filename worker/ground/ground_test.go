package ground

import (
	"context"
	"sync"
	"testing"
	"time"

	"go.uber.org/zap"

	"rollcall/internal/ledger"
)

// another is a ledger that was replaced, and is opened anew by two at once.
type another struct {
	Source
	both sync.WaitGroup
}

func (*another) Position(context.Context) (ledger.Position, error) {
	return ledger.Position{Stream: "OTHER", Last: 7}, nil
}

func (l *another) Renew(context.Context) error {
	l.both.Done()
	l.both.Wait()
	return nil
}

// moving is a ledger that shows one position after the other.
type moving struct {
	Source
	at []ledger.Position
}

func (l *moving) Position(context.Context) (ledger.Position, error) {
	at := l.at[0]
	l.at = l.at[1:]
	return at, nil
}

func (*moving) Renew(context.Context) error { return nil }

// Where a stream holds nothing that stays, as one that was purged or created just
// now, every message in it can give way to a later one of its subject.
func TestStatusesThatReplaceOneAnotherAreNoPurge(t *testing.T) {
	at := func(first, last uint64) ledger.Position {
		return ledger.Position{Stream: "MEETINGS", First: first, Last: last}
	}
	g := New(&moving{at: []ledger.Position{at(1, 9), at(28, 31), at(32, 32), at(33, 36), at(36, 38), at(39, 40)}}, zap.NewNop(), 0)
	look := func(want uint64) {
		t.Helper()
		if err := g.Look(t.Context()); err != nil {
			t.Error(err)
		}
		if n := g.Replaced(); n != want {
			t.Errorf("it was replaced %d times, want %d", n, want)
		}
	}
	look(0)
	g.Note(0, 5)
	look(1) // what stays is gone
	look(1)
	g.Note(0, 5) // by one that has not heard of it
	look(1)
	g.Note(1, 36) // which came after all that was seen last
	look(1)
	look(2)
}

// What was stored since the last look shows an end that is lost, and hides no purge.
func TestWhatIsStoredBetweenTwoLooks(t *testing.T) {
	at := func(first, last uint64) ledger.Position {
		return ledger.Position{Stream: "MEETINGS", First: first, Last: last}
	}
	for name, second := range map[string]ledger.Position{"its end is lost": at(1, 11), "purged before": at(10, 12)} {
		t.Run(name, func(t *testing.T) {
			g := New(&moving{at: []ledger.Position{at(1, 9), second, at(1, 13)}}, zap.NewNop(), time.Hour)
			g.Note(0, 5)
			if err := g.Look(t.Context()); err != nil {
				t.Fatal(err)
			}
			g.Note(0, 12)
			if err := g.Look(t.Context()); err == nil || g.Doubted() != 1 {
				t.Errorf("%v; it looked like another one %d times", err, g.Doubted())
			}
			if err := g.Look(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

// Shards look at the ledger each for itself: one that was replaced once is given
// up once, or what was begun anew would be given up again.
func TestALedgerIsReplacedOnce(t *testing.T) {
	l := &another{}
	l.both.Add(2)
	g := New(l, zap.NewNop(), 0)
	g.known = ledger.Position{Stream: "MEETINGS", Last: 9}
	var looking sync.WaitGroup
	for range 2 {
		looking.Go(func() {
			if err := g.Look(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	looking.Wait()
	if n := g.Replaced(); n != 1 {
		t.Errorf("it was replaced %d times", n)
	}
}
