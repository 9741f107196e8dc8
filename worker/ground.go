package worker

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"rollcall/internal/ledger"
)

// ground is the ledger that the worker stands on. A ledger can be deleted,
// emptied, or restored from a backup under a running worker: then what the
// worker holds belongs to one that is no more.
type ground struct {
	ledger Ledger
	log    *zap.Logger
	// patience is for how long a ledger has to look gone, or like another one,
	// to be taken for it: a server that was frozen shows what was long ago.
	patience time.Duration

	replaced atomic.Uint64 // how often the ledger turned out to be another one

	mu     sync.Mutex
	known  ledger.Position  // as the stream's leader said last
	stored uint64           // the last stream sequence that is known to be stored
	amiss  map[string]amiss // what is wrong with it, by what it is wrong with
}

// amiss is something that is wrong with the ledger.
type amiss struct {
	since time.Time
	why   error
}

// What can be wrong besides the records of a shard: each is set right by itself.
const (
	theStream  = "stream"
	theMembers = "members"
)

// look compares the ledger with the one that is known. An error says that
// nothing that is held may be trusted now.
func (g *ground) look(ctx context.Context) error {
	replaced := g.replaced.Load()
	now, err := g.ledger.Position(ctx)
	if errors.Is(err, ledger.ErrGone) {
		if err = g.renew(ctx, theStream, err); err == nil {
			now, err = g.ledger.Position(ctx)
		}
	}
	if err != nil {
		return err
	}
	contrary := g.compare(now)
	if contrary == nil {
		return nil
	}
	if !g.suspect(theStream, contrary, g.patience) {
		return contrary
	}
	return g.replace(ctx, now, replaced, contrary)
}

// compare takes up where the ledger is, if it is the one that is known.
func (g *ground) compare(now ledger.Position) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if err := now.Follows(g.known); err != nil {
		return fmt.Errorf("the ledger is not the one that was: %w", err)
	}
	g.take(now)
	return nil
}

// take is called with mu held.
func (g *ground) take(now ledger.Position) {
	g.known = now
	delete(g.amiss, theStream)
	g.stored = max(g.stored, now.Last)
}

// suspect notes that something is wrong, and reports whether it has been for so long.
func (g *ground) suspect(what string, why error, patience time.Duration) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.amiss == nil {
		g.amiss = make(map[string]amiss)
	}
	wrong := amiss{since: time.Now(), why: why}
	if before, ok := g.amiss[what]; ok {
		wrong.since = before.since
	}
	g.amiss[what] = wrong
	return time.Since(wrong.since) >= patience
}

// right notes that something is as it should be.
func (g *ground) right(what string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.amiss, what)
}

// renewal bounds the creating of what is gone.
const renewal = 30 * time.Second

// renew creates what is gone, as a start does.
func (g *ground) renew(ctx context.Context, what string, gone error) error {
	if !g.suspect(what, gone, g.patience) {
		return gone
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), renewal)
	defer cancel()
	if err := g.ledger.Renew(ctx); err != nil {
		return fmt.Errorf("%w; to create it anew: %w", gone, err)
	}
	if what != theStream { // [ground.replace] logs it
		g.right(what)
		g.log.Error("a bucket was deleted and is created anew: nothing needs to be done", zap.Error(gone))
	}
	return nil
}

// replace lets every shard begin as at a start, unless another one that looked
// with it has done so.
func (g *ground) replace(ctx context.Context, now ledger.Position, replaced uint64, why error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), renewal)
	defer cancel()
	if err := g.ledger.Renew(ctx); err != nil { // a bucket may be gone with the stream
		return fmt.Errorf("%w; to open it anew: %w", why, err)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.replaced.Load() != replaced {
		return nil
	}
	g.log.Error("the ledger was replaced; what was held of the old one is given up, and work begins as at a start: "+
		"nothing needs to be done; to have back what was in it, stop all workers, restore the stream from a backup, and start them again",
		zap.Error(why))
	g.stored, g.amiss = 0, nil
	g.take(now)
	g.replaced.Add(1)
	return nil
}

// note takes up the stream sequence of something that was stored.
func (g *ground) note(sequence uint64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.stored = max(g.stored, sequence)
}

// position is where the ledger was when it was last looked at.
func (g *ground) position() ledger.Position {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.known
}

// end is the last stream sequence that is known to be stored.
func (g *ground) end() uint64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.stored
}

// complaint says what is wrong with the ledger; nil when nothing is.
func (g *ground) complaint() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, what := range slices.Sorted(maps.Keys(g.amiss)) {
		return g.amiss[what].why
	}
	return nil
}

// Ledger says what is wrong with the ledger itself: that its stream is gone, or
// that it is another one. nil: nothing is.
func (w *Worker) Ledger() error { return w.ground.complaint() }
