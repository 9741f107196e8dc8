package budget

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"rollcall/wire"
)

// ErrPushesSpent says that no more pushes may be heard this month.
var ErrPushesSpent = errors.New("the pushes of the month (push.monthly_pushes) are nearly used up: nothing is heard until the next month; the schedule goes on")

// ErrPushesUncounted says that the ledger cannot count pushes now.
var ErrPushesUncounted = errors.New("pushes cannot be counted in NATS, and are not heard until they can be")

// Pushes counts what DingTalk pushes to a tenant in a calendar month of its count
// (UTC+8), by all workers together. Like calls, pushes are counted in the ledger
// before they come, some at a time, so that a crash loses none: it counts as many
// as were reserved. It is made by [NewPushes] and safe for concurrent use.
type Pushes struct {
	tenant  string
	limit   int64 // 0: unlimited
	log     *zap.Logger
	figures atomic.Pointer[PushFigures]

	mu     sync.Mutex // guards what follows; held while the ledger is asked
	ledger Ledger
	clock  clock
	month  Month
	held   int64 // reserved and not heard; below zero: heard and not reserved
	used   int64 // as the ledger has it
	said   Month // for which it was said that they are used up
}

// PushFigures is how many pushes of a month are used.
type PushFigures struct {
	Month Month `json:"month"`
	Limit int64 `json:"limit"` // 0: unlimited
	Used  int64 `json:"used"`
}

// reservedAtOnce is how many pushes are reserved at a time, at most.
const reservedAtOnce = 30

// spared is the part of the month's pushes that is left: some are under way when a
// connection ends.
const spared = 100

// NewPushes makes a count; limit is the pushes a month, 0 for any number. Nothing may
// be heard before [Pushes.Attach].
func NewPushes(tenant string, limit int64, log *zap.Logger) *Pushes {
	began := time.Now()
	p := &Pushes{tenant: tenant, limit: limit, log: log.With(zap.String("tenant", tenant)), clock: clock{
		wall: func() time.Time { return time.Now().Round(0) }, steady: func() time.Duration { return time.Since(began) },
	}}
	p.figures.Store(&PushFigures{Limit: limit})
	return p
}

// Attach connects the count with its ledger.
func (p *Pushes) Attach(l Ledger) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ledger = l
}

// Figures returns how many are used, as far as this worker knows. It never waits.
func (p *Pushes) Figures() PushFigures { return *p.figures.Load() }

// Take counts pushes that were heard; none asks whether any may be. An error says
// that no more may be heard: [ErrPushesSpent], or that they cannot be counted.
func (p *Pushes) Take(ctx context.Context, heard int64) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	defer p.publish()
	p.held -= heard
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	now, err := p.now(ctx)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrPushesUncounted, err)
	}
	if m := MonthOf(now); m != p.month {
		p.month, p.held, p.used = m, -heard, 0
	}
	if p.held > 0 {
		return nil
	}
	if err := p.reserve(ctx, now); err != nil {
		return fmt.Errorf("%w: %w", ErrPushesUncounted, err)
	}
	if p.held > 0 {
		return nil
	}
	if p.said != p.month {
		p.said = p.month
		p.log.Error("the pushes of the month are nearly used up: DingTalk's pushes are not heard until the next one; the schedule goes on",
			zap.String("month", string(p.month)), zap.Int64("monthly_pushes", p.limit))
	}
	return ErrPushesSpent
}

// Close gives back what is reserved and was not heard.
func (p *Pushes) Close(ctx context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ledger == nil || p.held == 0 || p.month == "" {
		return nil
	}
	err := p.change(ctx, func(a *pushAccount) { a.Used = max(0, a.Used-p.held) })
	if err == nil {
		p.held = 0
	}
	return err
}

// publish makes the figures available to readers.
func (p *Pushes) publish() {
	p.figures.Store(&PushFigures{Month: p.month, Limit: p.limit, Used: max(0, p.used-p.held)})
}

// now is the ledger's time.
func (p *Pushes) now(ctx context.Context) (time.Time, error) {
	if p.ledger == nil {
		return time.Time{}, errors.New("there is no ledger yet")
	}
	if p.clock.stale() {
		if err := p.clock.read(ctx, p.ledger, p.tenant); err != nil {
			return time.Time{}, err
		}
	}
	now, _ := p.clock.now()
	return now, nil
}

// reserve counts what was heard beyond what was reserved, and reserves some more
// where they are within the month's.
func (p *Pushes) reserve(ctx context.Context, now time.Time) error {
	heard := -p.held
	var got int64
	err := p.change(ctx, func(a *pushAccount) {
		a.Used, a.At.Time = a.Used+heard, now
		got = p.block(a.Used)
		a.Used += got
	})
	if err == nil {
		p.held = got
	}
	return err
}

// block is how many may be reserved where so many are used.
func (p *Pushes) block(used int64) int64 {
	if p.limit == 0 {
		return reservedAtOnce
	}
	left := p.limit - p.limit/spared - used
	return max(0, min(reservedAtOnce, p.limit/spared+1, left))
}

// pushAccount is what is stored of a tenant's pushes of a month.
type pushAccount struct {
	Schema int       `json:"schema"`
	Limit  int64     `json:"limit"` // that the last writer keeps to; 0: unlimited
	Used   int64     `json:"used"`
	At     wire.Time `json:"at"`
}

// PushesKey is the ledger's key of the pushes of a month.
func PushesKey(m Month) string { return "pushes-" + string(m) }

// ReadPushes reads the account of a month's pushes, as the ledger has it.
func ReadPushes(m Month, stored []byte) (PushFigures, error) {
	a, err := decodePushes(stored)
	return PushFigures{Month: m, Limit: a.Limit, Used: a.Used}, err
}

func decodePushes(data []byte) (a pushAccount, err error) {
	if len(data) == 0 {
		return pushAccount{Schema: schema}, nil
	}
	if err := json.Unmarshal(data, &a); err != nil {
		return pushAccount{}, fmt.Errorf("decode the pushes of the month: %w", err)
	}
	if a.Schema != schema {
		return pushAccount{}, newer("the pushes of the month", a.Schema)
	}
	a.Used = max(a.Used, 0)
	return a, nil
}

// change reads the account, lets do change it, and writes it, again and again while
// others are faster: do is applied anew to each reading.
func (p *Pushes) change(ctx context.Context, do func(*pushAccount)) error {
	key := PushesKey(p.month)
	for range mostTries {
		data, revision, _, err := p.ledger.ReadBudget(ctx, p.tenant, key)
		if err != nil {
			return err
		}
		a, err := decodePushes(data)
		if errors.Is(err, wire.ErrNewerSchema) {
			return err
		}
		if err != nil { // garbage: what it held is not known, and no push is worth a month without any
			p.log.Warn("the pushes of the month are counted anew", zap.Error(err))
			a = pushAccount{}
		}
		do(&a)
		a.Schema, a.Limit = schema, p.limit
		text, err := json.Marshal(a)
		if err != nil {
			return fmt.Errorf("encode the pushes of the month: %w", err)
		}
		if _, err = p.ledger.WriteBudget(ctx, p.tenant, key, text, revision); err == nil {
			p.used = a.Used
			return nil
		} else if !isStale(err) {
			return err
		}
	}
	return fmt.Errorf("others changed the pushes of the month %d times in a row", mostTries)
}
