package budget

import (
	"context"
	"fmt"
	"time"

	"rollcall/internal/ledger"
)

// clock knows the ledger's time: what it was when it was last read, and what
// has passed since. Between two looks that is what the faster of this machine's
// clocks says: the steady one rests while the machine sleeps, the other one can
// be set back. Only a machine that does both between two looks deceives it.
type clock struct {
	wall   func() time.Time
	steady func() time.Duration

	told     time.Time     // the ledger's time; zero: never read
	passed   time.Duration // since then, at the last look, at most
	least    time.Duration // the same, at least
	wallAt   time.Time     // of the last look
	steadyAt time.Duration
}

const (
	// clockLasts is how long the ledger's time is extrapolated before it is
	// read again, if that can be done.
	clockLasts = time.Hour
	clockKey   = "clock"
)

// now is the ledger's time; ok is false when it was never read. It may be ahead
// by as long as the reading took, and is not behind.
func (c *clock) now() (now time.Time, ok bool) {
	wall, steady := c.wall(), c.steady()
	c.passed += max(steady-c.steadyAt, wall.Sub(c.wallAt), 0)
	c.least += max(min(steady-c.steadyAt, wall.Sub(c.wallAt)), 0)
	c.wallAt, c.steadyAt = wall, steady
	return c.told.Add(c.passed), !c.told.IsZero()
}

// doubtful reports whether it cannot be said for certain, by the last look,
// which month DingTalk would count a call to.
func (c *clock) doubtful() bool {
	most, least := c.told.Add(c.passed), c.told.Add(c.least)
	return nearBoundary(most) || nearBoundary(least) || MonthOf(most) != MonthOf(least)
}

// stale reports whether the ledger's time should be read again: where this
// machine's clocks have parted, and before a month's turn more often.
func (c *clock) stale() bool {
	now, ok := c.now()
	passed := c.passed
	return !ok || passed > clockLasts || passed-c.least > monthBoundary/6 || MonthOf(now) != MonthOf(c.told) || MonthOf(now.Add(clockLasts)) != MonthOf(now) && passed > 10*time.Minute
}

// read writes something, and takes the time at which the ledger stored it. The
// time of an entry that somebody else wrote says nothing: the one that is read
// may be an old one.
func (c *clock) read(ctx context.Context, l Ledger, tenant string) error {
	wall, steady := c.wall(), c.steady()
	wrote, err := touch(ctx, l, tenant)
	if err != nil {
		return fmt.Errorf("read the time of the ledger: %w", err)
	}
	_, revision, told, err := l.ReadBudget(ctx, tenant, clockKey)
	switch {
	case err != nil:
		return fmt.Errorf("read the time of the ledger: %w", err)
	case revision < wrote:
		return fmt.Errorf("read the time of the ledger: %w: the answer is older than the question", ledger.ErrBusy)
	case c.steady()-steady > monthBoundary/2:
		return fmt.Errorf("read the time of the ledger: %w: it took too long to be of use", ledger.ErrBusy)
	}
	c.told, c.passed, c.least, c.wallAt, c.steadyAt = told, 0, 0, wall, steady
	return nil
}

// touch writes an entry that nobody reads, and returns its revision.
func touch(ctx context.Context, l Ledger, tenant string) (revision uint64, err error) {
	for range mostTries {
		_, before, _, err := l.ReadBudget(ctx, tenant, clockKey)
		if err != nil {
			return 0, err
		}
		revision, err = l.WriteBudget(ctx, tenant, clockKey, []byte("{}"), before)
		if err == nil || !isStale(err) {
			return revision, err
		}
	}
	return 0, fmt.Errorf("%w: others were faster %d times in a row", ledger.ErrBusy, mostTries)
}
