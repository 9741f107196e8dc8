package budget

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"time"

	"go.uber.org/zap"

	"rollcall/wire"
)

// errGone says that an account lacks what this worker has written into it.
var errGone = errors.New("what this worker had written is not in it")

// read decodes the account of a month. One that is garbage, or has lost what
// this worker wrote, is made anew from what is known; lost says so.
func (b *Budget) read(m Month, data []byte) (a *account, lost, err error) {
	a, err = decodeAccount(data)
	if errors.Is(err, wire.ErrNewerSchema) {
		return nil, nil, err
	}
	if err == nil && !b.misses(m, a) {
		return a, nil, nil
	}
	if err == nil {
		err = errGone
	}
	return b.remake(m), err, nil
}

// misses reports whether the account is not the one that this worker knows, or
// a later one: its lease stays until it is given back. A reading that is only old
// shows the same, and what is made of it cannot be written.
func (b *Budget) misses(m Month, a *account) bool {
	if !b.known(m) || a.Granted >= b.account.Granted {
		return false
	}
	return a.At.IsZero() || b.held.reserved > 0 && a.Leases[b.held.holder] == nil
}

func (b *Budget) known(m Month) bool { return b.account != nil && b.held.month == m }

// remake makes an account that grants no more than is certainly left: what was
// known last counts as granted, and what the plan could have granted since; of a
// month of which nothing is known, all that it plans until now.
func (b *Budget) remake(m Month) *account {
	now, _ := b.clock.now()
	a := (&account{Schema: schema, At: wire.Time{Time: now}}).complete()
	granted := b.planned(m, now)
	if b.known(m) {
		known := b.account
		since := max(now.Sub(known.At.Time).Seconds(), 0)
		granted = float64(known.Granted) + max(known.Credit+b.pace.rate*since, 0) + b.debt()
		a.Spent = maps.Clone(known.Spent)
		if b.held.reserved > 0 {
			a.Leases[b.held.holder] = &lease{Reserved: b.held.reserved, Spent: maps.Clone(b.held.spent), At: a.At}
		}
	}
	a.Granted = min(int64(math.Ceil(granted)), b.cfg.Calls)
	return a
}

// planned is how many calls of the month may be granted by now, at most, where
// they are spread over the hours in which meetings are seen.
func (b *Budget) planned(m Month, now time.Time) float64 {
	all := ahead(b.watch.weights, m.Start(), m.End())
	left := ahead(b.watch.weights, now, m.End())
	if now.After(m.End()) || all <= 0 {
		return float64(b.cfg.Calls)
	}
	part := max(1-left/all, now.Sub(m.Start()).Hours()/m.End().Sub(m.Start()).Hours())
	return float64(b.cfg.Calls)*part + max(leastDebt, float64(b.cfg.Calls)*debtPart)
}

// tellLost tells of an account that was written anew.
func (b *Budget) tellLost(m Month, a *account, why error) {
	b.lost++
	b.log.Error("the account of the month is gone or cannot be read, and is written anew: what it could have granted until now counts as spent; nothing needs to be done",
		zap.String("month", string(m)), zap.Int64("granted", a.Granted), zap.Int64("calls", b.cfg.Calls), zap.Error(why))
}

// hours decodes the hours of the week. Garbage is as good as nothing: they are
// learned anew.
func (b *Budget) hours(data []byte) (*hours, error) {
	h, err := decodeHours(data)
	if err == nil || errors.Is(err, wire.ErrNewerSchema) {
		return h, err
	}
	b.log.Warn("the hours in which meetings are seen cannot be read; they are learned anew", zap.Error(err))
	return &hours{Schema: schema}, nil
}

// newer refuses what a later version of rollcall has written.
func newer(what string, found int) error {
	if found <= schema {
		return fmt.Errorf("decode %s: it has no schema", what)
	}
	return fmt.Errorf("decode %s: %w: schema %d, this version reads %d; upgrade this worker", what, wire.ErrNewerSchema, found, schema)
}
