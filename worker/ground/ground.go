// Package ground knows whether the ledger is still the one that a worker stands
// on. A ledger can be deleted, emptied, or restored from a backup under a running
// worker: then what the worker holds belongs to one that no longer exists. It
// promises that
//
//   - a ledger is taken for another one only after it has looked so for a while,
//     since a server that was frozen shows what was long ago;
//   - one that was replaced is so once, however many look at it;
//   - what is gone is created anew, as at a start.
package ground

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

// Source is where it is read which ledger there is.
type Source interface {
	Position(ctx context.Context) (ledger.Position, error)
	Renew(ctx context.Context) error
}

// Ledger is the one that a worker stands on. It is safe for concurrent use.
type Ledger struct {
	source Source
	log    *zap.Logger
	// patience is for how long a ledger has to look gone, or like another one,
	// to be taken for it.
	patience time.Duration

	replaced atomic.Uint64 // how often the ledger turned out to be another one
	doubted  atomic.Uint64 // how often it looked like another one

	mu     sync.Mutex
	known  ledger.Position  // as the stream's leader said last
	stored uint64           // the last stream sequence that is known to be stored
	lasts  bool             // a claim or a division is known to be among it: they stay forever
	amiss  map[string]amiss // what is wrong with it, by what it is wrong with
}

// amiss is something that is wrong with the ledger.
type amiss struct {
	since time.Time
	why   error
}

// What can be wrong besides what a shard has read: each is fixed separately.
const (
	Stream  = "stream"
	Members = "members"
)

// New returns a ledger about which nothing is known yet.
func New(source Source, log *zap.Logger, patience time.Duration) *Ledger {
	return &Ledger{source: source, log: log, patience: patience}
}

// Replaced counts how often the ledger turned out to be another one. What was
// read before must not be believed after.
func (g *Ledger) Replaced() uint64 { return g.replaced.Load() }

// Doubted counts how often the ledger looked like another one. One that was restored
// from a backup looks right again once it has come as far: what was held before is to be
// read again, which shows whether it is there.
func (g *Ledger) Doubted() uint64 { return g.doubted.Load() }

// Look compares the ledger with the one that is known. An error says that
// nothing that is held may be trusted now.
func (g *Ledger) Look(ctx context.Context) error {
	replaced, stored := g.replaced.Load(), g.End() // which its answer has to hold
	now, err := g.source.Position(ctx)
	if errors.Is(err, ledger.ErrGone) {
		if err = g.Renew(ctx, Stream, err); err == nil {
			now, err = g.source.Position(ctx)
		}
	}
	if err != nil {
		return err
	}
	contrary := g.compare(now, stored)
	if contrary == nil {
		return nil
	}
	g.doubted.Add(1)
	if !g.suspect(Stream, contrary, g.patience) {
		return contrary
	}
	return g.replace(ctx, now, replaced, contrary)
}

// compare takes up where the ledger is, if it is the one that is known, and holds what was
// stored before it was asked.
func (g *Ledger) compare(now ledger.Position, stored uint64) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.lasts {
		now.First = 0 // all that there is may be statuses, each of which replaces the one before
	}
	err := now.Follows(g.known)
	if err == nil { // what was stored since may have come after a purge: it says nothing of the beginning
		known, at := g.known, now
		known.Last, at.First = max(known.Last, stored), 0
		err = at.Follows(known)
	}
	if err != nil {
		return fmt.Errorf("the ledger is not the one that was: %w", err)
	}
	g.take(now)
	return nil
}

// take is called with mu held.
func (g *Ledger) take(now ledger.Position) {
	g.known = now
	delete(g.amiss, Stream)
	g.stored = max(g.stored, now.Last)
}

// suspect notes that something is wrong, and reports whether it has been for so long.
func (g *Ledger) suspect(what string, why error, patience time.Duration) bool {
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

// Right notes that something is as it should be.
func (g *Ledger) Right(what string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.amiss, what)
}

// renewal bounds the creating of what is gone.
const renewal = 30 * time.Second

// Renew creates what is gone, as a start does.
func (g *Ledger) Renew(ctx context.Context, what string, gone error) error {
	if !g.suspect(what, gone, g.patience) {
		return gone
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), renewal)
	defer cancel()
	if err := g.source.Renew(ctx); err != nil {
		return fmt.Errorf("%w; to create it anew: %w", gone, err)
	}
	if what != Stream { // [Ledger.replace] logs it
		g.Right(what)
		g.log.Error("a bucket was deleted and is created anew: nothing needs to be done", zap.Error(gone))
	}
	return nil
}

// replace lets every shard begin as at a start, unless another one that looked
// with it has done so.
func (g *Ledger) replace(ctx context.Context, now ledger.Position, replaced uint64, why error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), renewal)
	defer cancel()
	if err := g.source.Renew(ctx); err != nil { // a bucket may be gone with the stream
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
	g.stored, g.lasts, g.amiss = 0, false, nil
	g.take(now)
	g.replaced.Add(1)
	return nil
}

// Note takes up the stream sequence of a claim or a division, or of what was
// stored under it, from a caller that knows of so many replacements.
func (g *Ledger) Note(replaced, sequence uint64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if replaced != g.replaced.Load() || sequence == 0 {
		return
	}
	if !g.lasts {
		g.lasts, g.known.Last = true, max(g.known.Last, sequence)
	}
	g.stored = max(g.stored, sequence)
}

// Position is where the ledger was when it was last looked at.
func (g *Ledger) Position() ledger.Position {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.known
}

// End is the last stream sequence that is known to be stored.
func (g *Ledger) End() uint64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.stored
}

// Complaint says what is wrong with the ledger; nil when nothing is.
func (g *Ledger) Complaint() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, what := range slices.Sorted(maps.Keys(g.amiss)) {
		return g.amiss[what].why
	}
	return nil
}

// lagsFor is for how long a ledger of several replicas may show less than it has
// acknowledged until it counts as one that has lost it. A frozen server is
// replaced before that.
const lagsFor = time.Minute

// Lags notes that the ledger shows less than it has acknowledged, to a caller
// that read what when it had been replaced so often. Where nothing can lag, or
// it goes on for too long, it was restored from a backup, or has lost its end,
// and came as far again before anybody looked.
func (g *Ledger) Lags(ctx context.Context, what string, why error, replaced uint64) error {
	patience := lagsFor
	if g.Position().Alone {
		patience = 0
	}
	if !g.suspect(what, why, patience) || g.Replaced() != replaced {
		return why
	}
	now, err := g.source.Position(ctx)
	if err != nil {
		return errors.Join(why, err)
	}
	return errors.Join(why, g.replace(ctx, now, replaced, why))
}
