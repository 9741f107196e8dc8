package budget

import (
	"context"
	"errors"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"
)

// Ledger keeps a tenant's entries, each replaced by compare-and-swap. Both
// errors of a write that was not stored and of one whose outcome is unknown
// are passing ones; one that lost a race matches ledger.ErrStale.
type Ledger interface {
	// ReadBudget returns an entry, its revision (0: never written) and when the
	// ledger stored it, by the ledger's own clock. It may be a moment behind.
	ReadBudget(ctx context.Context, tenant, key string) (data []byte, revision uint64, written time.Time, err error)
	// WriteBudget replaces an entry that still has the revision expect.
	WriteBudget(ctx context.Context, tenant, key string, data []byte, expect uint64) (revision uint64, err error)
}

// Why a call is not granted.
var (
	// ErrSpent: the calls of the month are used up, or reserved by others.
	ErrSpent = errors.New("the calls of the month (poll.monthly_calls) are used up; more come with the next month")
	// ErrPace: so many calls were made lately that the next ones have to wait.
	ErrPace = errors.New("the calls of this hour are used up ahead of their time; the next ones become available gradually")
	// ErrTurning: it cannot be said which month a call would be counted to.
	ErrTurning = errors.New("the month turns within a minute; no call is made that DingTalk might count to the other one")
	// ErrUnreachable: what was reserved is spent, and the budget cannot be asked for more.
	ErrUnreachable = errors.New("the reserved calls are spent and the budget in NATS cannot be asked for more")
	// ErrClosed: the budget was closed.
	ErrClosed = errors.New("the budget is closed")
)

// Config is what a budget needs.
type Config struct {
	Tenant string
	Calls  int64 // the calls a month, at least 1
	// Finds says that meetings are looked for, which takes a share of the calls.
	Finds bool
	// Pushed reports whether DingTalk tells of new meetings by itself: looking for
	// others takes a small share then. nil: never.
	Pushed func() bool
	Logger *zap.Logger // nil: silent

	// Now reads the wall clock; nil: [time.Now].
	Now func() time.Time
	// Elapsed reads a clock that is never set; nil: the process's monotonic one.
	Elapsed func() time.Duration
}

// Budget is one worker's part in a tenant's budget. It is made by [New] and
// safe for concurrent use.
type Budget struct {
	cfg     Config
	log     *zap.Logger
	figures atomic.Pointer[Figures]
	share   atomic.Uint64 // the bits of the part of the tenant's shards that is held

	mu       sync.Mutex // guards what follows; held while the ledger is asked
	ledger   Ledger
	slip     *Slip // nil: there is none
	clock    clock
	books    books
	retry    time.Time
	pace     pace
	lost     int // accounts that were written anew
	restored bool
	closed   bool
}

// Figures is how a budget stands, as far as this worker knows.
type Figures struct {
	Month   Month
	Limit   int64
	Left    int64         // neither spent nor reserved
	Held    int64         // reserved by this worker and not spent
	Pace    time.Duration // between two calls of this worker about tracked meetings; 0: not known, or none are made
	Started bool          // the account of the month was read
	Lost    int           // accounts that were gone or unreadable, and written anew
}

// New makes a budget. It grants nothing before [Budget.Attach].
func New(cfg Config) *Budget {
	if cfg.Logger == nil {
		cfg.Logger = zap.NewNop()
	}
	if cfg.Now == nil {
		cfg.Now = func() time.Time { return time.Now().Round(0) }
	}
	if cfg.Elapsed == nil {
		began := time.Now()
		cfg.Elapsed = func() time.Duration { return time.Since(began) }
	}
	b := &Budget{
		cfg: cfg, log: cfg.Logger.With(zap.String("tenant", cfg.Tenant)),
		clock: clock{wall: cfg.Now, steady: cfg.Elapsed}, books: books{calls: cfg.Calls},
	}
	b.books.watch = watch{tenant: cfg.Tenant, log: b.log, weights: flat()}
	b.Share(1, 1)
	b.figures.Store(&Figures{Limit: cfg.Calls})
	return b
}

// Attach connects the budget with its ledger, and a slip on the disk; without one (nil)
// a crash loses what is reserved.
func (b *Budget) Attach(l Ledger, slip *Slip) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ledger, b.books.watch.ledger, b.slip = l, l, slip
}

// Share says which part of the tenant's shards this worker holds: the pace is
// shared among workers as the meetings are. It never waits.
func (b *Budget) Share(held, shards int) {
	b.share.Store(math.Float64bits(float64(held) / float64(max(shards, 1))))
}

// Figures returns how the budget stands. It never waits.
func (b *Budget) Figures() Figures { return *b.figures.Load() }

// Allow returns how many calls may be spent now on asking about meetings: so many
// are tracked, and so many more are only looked after. An error says why none
// may be, where that is not just the pace.
func (b *Budget) Allow(ctx context.Context, tracked, watched int) (calls int, err error) {
	return b.allow(ctx, tracked+watched > 0, tracked > 0, asks)
}

// AllowFind returns how many calls may be spent now on looking for meetings; busy
// says that some are tracked.
func (b *Budget) AllowFind(ctx context.Context, busy bool) (calls int, err error) {
	return b.allow(ctx, true, busy, finds)
}

// Pace is the time between two calls that ask about tracked meetings; 0: it is
// not known, or there are none. It never waits.
func (b *Budget) Pace() time.Duration { return b.Figures().Pace }

func (b *Budget) allow(ctx context.Context, wanted, busy bool, of purpose) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now, err := b.ready(ctx)
	if err != nil {
		return 0, err
	}
	b.books.watch.look(ctx, now, busy)
	b.accrue(now, busy)
	defer b.publish()
	bucket := of(&b.pace)
	bucket.allowed = 0
	calls := int64(math.Floor(bucket.saved))
	if !wanted || calls < 1 || b.clock.doubtful() {
		return 0, nil
	}
	err = b.refill(ctx, now, calls)
	if left := b.books.held.left(); left > 0 && b.certain(now) {
		bucket.allowed = min(calls, left)
		return int(bucket.allowed), nil
	}
	return 0, b.why(err)
}

// why says why nothing is held.
func (b *Budget) why(err error) error {
	switch {
	case err != nil:
		return errors.Join(ErrUnreachable, err)
	case b.books.account != nil && b.books.account.Granted >= b.cfg.Calls:
		return ErrSpent
	}
	return nil
}

// Spend takes one call out of what is reserved, for an operation of this name.
// It is called right before the call is made. An error says that the call must
// not be made.
func (b *Budget) Spend(ctx context.Context, op string) error {
	return b.spend(ctx, op, asks, -mostOverdraft)
}

// SpendFind is [Budget.Spend] for a call that looks for meetings.
func (b *Budget) SpendFind(ctx context.Context, op string) error {
	return b.spend(ctx, op, finds, -mostOverdraft)
}

// SpendOverheard is [Budget.SpendFind] for a list that a pass about tracked
// meetings had to read. It spares the next one as far as that is saved for
// already; what it owed beyond would keep new meetings from being found for long.
func (b *Budget) SpendOverheard(ctx context.Context, op string) error {
	return b.spend(ctx, op, finds, 0)
}

func (b *Budget) spend(ctx context.Context, op string, of purpose, overdraft float64) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	now, err := b.ready(ctx)
	switch {
	case err != nil:
		return err
	case b.clock.doubtful():
		return ErrTurning
	case b.books.held.left() < 1:
		err = b.refill(ctx, now, 1)
	}
	if b.books.held.left() < 1 || !b.certain(now) {
		if why := b.why(err); why != nil {
			return why
		}
		return ErrPace
	}
	if err := b.note(op); err != nil {
		return err
	}
	b.pace.took(of(&b.pace), overdraft)
	b.publish()
	return nil
}

// Close gives back what is reserved and not spent. Nothing is granted after it.
func (b *Budget) Close(ctx context.Context) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	if b.ledger == nil || b.books.held.month == "" {
		return nil
	}
	b.books.watch.close(ctx)
	return b.giveBack(ctx)
}

// publish makes the figures available to readers.
func (b *Budget) publish() {
	f := Figures{Month: b.books.held.month, Limit: b.cfg.Calls, Held: b.books.held.left(), Pace: b.pace.between(), Started: b.books.account != nil, Lost: b.lost}
	if b.books.account != nil {
		f.Left = max(0, b.cfg.Calls-b.books.account.Granted)
	}
	b.figures.Store(&f)
}
