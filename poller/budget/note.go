package budget

import (
	"context"
	"errors"
	"maps"
	"time"

	"go.uber.org/zap"
)

// startNote writes down who is about to reserve, so that a crash after it
// loses nothing.
func (b *Budget) startNote() error {
	if b.held.reserved > 0 {
		return nil
	}
	return b.writeNote(b.held.spent)
}

// note counts a call, and writes it down before it is made.
func (b *Budget) note(op string) error {
	spent := maps.Clone(b.held.spent)
	spent[op]++
	if err := b.writeNote(spent); err != nil {
		return err
	}
	b.held.spent = spent
	return nil
}

func (b *Budget) writeNote(spent map[string]int64) error {
	err := b.slip.write(note{Holder: b.held.holder, Month: b.held.month, Spent: spent})
	if !errors.Is(err, errNoNote) {
		return err
	}
	b.slip = nil
	b.log.Warn("after a crash, reserved calls are lost: what is spent cannot be written down in data_dir", zap.Error(err))
	return nil
}

// look notes whether meetings are tracked now, and once an hour stores what was
// seen and reads what others saw.
func (b *Budget) look(ctx context.Context, now time.Time, busy bool) {
	hour, seen, over := b.watch.look(now, busy)
	if !over {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := b.watch.learn(ctx, b.ledger, b.cfg.Tenant, b.hours, hour, seen, true); err != nil && ctx.Err() == nil {
		b.log.Warn("what the last hour was like is not kept", zap.Error(err))
	}
}

// learn stores what the hour under way was like so far.
func (b *Budget) learn(ctx context.Context) {
	if b.watch.looks == 0 {
		return
	}
	seen := float64(b.watch.saw) / float64(b.watch.looks)
	if err := b.watch.learn(ctx, b.ledger, b.cfg.Tenant, b.hours, b.watch.hour, seen, true); err != nil {
		b.log.Debug("what this hour was like is not kept", zap.Error(err))
	}
}
