package budget

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"go.uber.org/zap"

	"rollcall/internal/ledger"
)

// mostTries bounds how often a write is tried that others overtake.
const mostTries = 16

// patience bounds one exchange with the ledger: a caller waiting for a call
// waits for it too.
const patience = 5 * time.Second

// retryAfter is how long an unreachable ledger is left alone while something
// is still held.
const retryAfter = 30 * time.Second

// holding is what this worker has of one month. The zero value has nothing.
type holding struct {
	month    Month
	holder   string
	reserved int64 // as the ledger confirmed it
	spent    map[string]int64
	next     int64 // the size of the next block: they begin small, since a crash may lose one
}

func newHolding(m Month) holding {
	return holding{month: m, holder: strings.ToLower(rand.Text()[:12]), spent: make(map[string]int64), next: 1}
}

func (h *holding) left() int64 { return h.reserved - sum(h.spent) }

func isStale(err error) bool { return errors.Is(err, ledger.ErrStale) }

// ready returns the ledger's time, and makes sure that what is held is of the
// month it lies in.
func (b *Budget) ready(ctx context.Context) (time.Time, error) {
	if b.closed {
		return time.Time{}, ErrClosed
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := b.setClock(ctx); err != nil {
		return time.Time{}, errors.Join(ErrUnreachable, err)
	}
	now, _ := b.clock.now()
	if err := b.restore(ctx); err != nil {
		return now, errors.Join(ErrUnreachable, err)
	}
	if m := MonthOf(now); m != b.books.held.month {
		b.turn(ctx, m)
	}
	if b.books.account == nil {
		if err := b.begin(ctx, now); err != nil {
			return now, errors.Join(ErrUnreachable, err)
		}
	}
	return now, nil
}

// setClock reads the ledger's time where it is needed. While the month goes on,
// an old reading does as well.
func (b *Budget) setClock(ctx context.Context) error {
	if b.ledger == nil {
		return errors.New("there is no ledger yet")
	}
	now, known := b.clock.now()
	if !b.clock.stale() || known && MonthOf(now) == MonthOf(b.clock.told) && now.Before(b.retry) {
		return nil
	}
	err := b.clock.read(ctx, b.ledger, b.cfg.Tenant)
	if err == nil || !known {
		return err
	}
	b.retry = now.Add(retryAfter)
	return nil
}

// certain reports whether the ledger itself named the month of what is held.
func (b *Budget) certain(now time.Time) bool {
	return b.books.held.month == MonthOf(now) && b.books.held.month == MonthOf(b.clock.told)
}

// restore gives back, once, what an earlier process on the same disk reserved
// and did not spend.
func (b *Budget) restore(ctx context.Context) error {
	if b.restored {
		return nil
	}
	note, found, err := b.slip.read()
	if err != nil {
		b.log.Warn("what an earlier process had spent cannot be read; what it had reserved counts as spent", zap.Error(err))
	}
	if found {
		if sum(note.Spent) > 0 { // what is spent was reserved before
			b.books.before = note.Month
		}
		err := b.change(ctx, note.Month, func(a *account) bool { return a.close(note.Holder, note.Spent) })
		if err != nil {
			return fmt.Errorf("give back what an earlier process reserved: %w", err)
		}
	}
	b.restored = true
	return nil
}

// turn begins another month. What is held of the one before is now worthless,
// except that its account should be complete.
func (b *Budget) turn(ctx context.Context, m Month) {
	if b.books.held.month != "" {
		if err := b.giveBack(ctx); err != nil {
			b.log.Warn("the account of the month before stays incomplete", zap.Error(err))
		}
	}
	b.books.held, b.books.account = newHolding(m), nil
}

// giveBack ends the lease of what is held.
func (b *Budget) giveBack(ctx context.Context) error {
	if b.books.held.reserved == 0 {
		return nil
	}
	err := b.change(ctx, b.books.held.month, func(a *account) bool { return a.close(b.books.held.holder, b.books.held.spent) })
	if err != nil {
		return fmt.Errorf("give back %d reserved calls: %w", b.books.held.left(), err)
	}
	b.books.held.reserved = sum(b.books.held.spent)
	if err := b.slip.remove(); err != nil {
		b.log.Warn("the note of what was spent cannot be taken away", zap.Error(err))
	}
	return nil
}

// begin reads the account and the hours, and starts the pace where others left it.
func (b *Budget) begin(ctx context.Context, now time.Time) error {
	if err := b.books.watch.learn(ctx, nil); err != nil {
		return err
	}
	return b.change(ctx, b.books.held.month, func(a *account) bool {
		b.books.account = a
		rate := b.books.rate(now, false)
		a.accrue(now, rate, max(1, rate*blockSpan.Seconds()))
		b.pace = pace{at: now}
		b.pace.begin(a.Credit)
		return false
	})
}

// refill makes sure that calls are held, and some more as far as the block
// goes. What it could not get is not an error.
func (b *Budget) refill(ctx context.Context, now time.Time, calls int64) error {
	left := b.books.held.left()
	block := min(b.books.held.next, b.pace.largest())
	if left >= calls && (left > block/2 || now.Before(b.retry)) {
		return nil
	}
	if err := b.startNote(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	want := min(max(calls, block), b.pace.largest()) - left
	err := b.change(ctx, b.books.held.month, func(a *account) bool { return b.books.reserve(a, now, want, b.pace.rate) })
	if err != nil {
		b.retry = now.Add(retryAfter)
		return err
	}
	b.books.held.next = min(2*b.books.held.next, max(1, b.pace.largest()))
	return nil
}

// change reads the account of a month, lets do change it, and writes it if do
// says so, again and again while others are faster.
func (b *Budget) change(ctx context.Context, m Month, do func(*account) bool) error {
	for range mostTries {
		data, revision, _, err := b.ledger.ReadBudget(ctx, b.cfg.Tenant, string(m))
		if err != nil {
			return err
		}
		now, _ := b.clock.now()
		a, lost, err := b.books.read(m, data, revision, now, b.pace.rate)
		if err != nil {
			return err
		}
		if do(a) || lost != nil {
			err = b.put(ctx, m, a, revision)
		}
		if err == nil {
			b.books.keep(m, a)
		}
		if err == nil && lost != nil {
			b.tellLost(m, a, lost)
		}
		if err == nil || !isStale(err) {
			return err
		}
	}
	return fmt.Errorf("%w: others changed the budget %d times in a row", ledger.ErrBusy, mostTries)
}

func (b *Budget) put(ctx context.Context, m Month, a *account, revision uint64) error {
	a.Schema, a.Limit, a.Finds = schema, b.cfg.Calls, b.cfg.Finds
	text, err := json.Marshal(a)
	if err != nil {
		return fmt.Errorf("encode the account of the month: %w", err)
	}
	_, err = b.ledger.WriteBudget(ctx, b.cfg.Tenant, string(m), text, revision)
	return err
}
