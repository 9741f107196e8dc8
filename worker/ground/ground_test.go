package ground

import (
	"context"
	"sync"
	"testing"

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
