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

// errGone says that an account lacks what was written into it.
var errGone = errors.New("what was written is not in it")

// read decodes the account of a month, which has a revision where it was ever
// written. One that is garbage, was deleted, or has lost what this worker or the
// one before it wrote, is made anew from what is known; lost says so.
func (b *books) read(m Month, data []byte, revision uint64, now time.Time, rate float64) (a *account, lost, err error) {
	a, err = decodeAccount(data)
	if errors.Is(err, wire.ErrNewerSchema) {
		return nil, nil, err
	}
	deleted := len(data) == 0 && (revision > 0 || b.before == m)
	if err == nil && !deleted && !b.misses(m, a) {
		return a, nil, nil
	}
	if err == nil {
		err = errGone
	}
	return b.remake(m, now, rate), err, nil
}

// misses reports whether the account is not the one that this worker knows, or
// a later one: its lease stays until it is given back. A reading that is only old
// shows the same, and what is made of it cannot be written.
func (b *books) misses(m Month, a *account) bool {
	if !b.known(m) || a.Granted >= b.account.Granted {
		return false
	}
	return a.At.IsZero() || b.held.reserved > 0 && a.Leases[b.held.holder] == nil
}

func (b *books) known(m Month) bool { return b.account != nil && b.held.month == m }

// remake makes an account that grants no more than is certainly left: what was
// known last counts as granted, and what the plan could have granted since; of
// a month about which nothing is known, all that it plans until now.
func (b *books) remake(m Month, now time.Time, rate float64) *account {
	a := (&account{Schema: schema, At: wire.Time{Time: now}}).complete()
	granted := b.planned(m, now)
	if b.known(m) {
		known := b.account
		since := max(now.Sub(known.At.Time).Seconds(), 0)
		granted = float64(known.Granted) + max(known.Credit+rate*since, 0) + b.overdraft(rate)
		a.Spent = maps.Clone(known.Spent)
		if b.held.reserved > 0 {
			a.Leases[b.held.holder] = &lease{Reserved: b.held.reserved, Spent: maps.Clone(b.held.spent), At: a.At}
		}
	}
	a.Granted = min(int64(math.Ceil(granted)), b.calls)
	return a
}

// tellLost logs that an account was written anew.
func (b *Budget) tellLost(m Month, a *account, why error) {
	b.lost++
	b.log.Error("the account of the month is gone or cannot be read, and is written anew: what it could have granted until now counts as spent; nothing needs to be done",
		zap.String("month", string(m)), zap.Int64("granted", a.Granted), zap.Int64("calls", b.cfg.Calls), zap.Error(why))
}

// newer refuses what a later version of rollcall has written.
func newer(what string, found int) error {
	if found <= schema {
		return fmt.Errorf("decode %s: it has no schema", what)
	}
	return fmt.Errorf("decode %s: %w: schema %d, this version reads %d; upgrade this worker", what, wire.ErrNewerSchema, found, schema)
}
