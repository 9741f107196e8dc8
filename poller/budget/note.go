package budget

import (
	"errors"
	"maps"

	"go.uber.org/zap"
)

// startNote writes down who is about to reserve, so that a crash after it
// loses nothing.
func (b *Budget) startNote() error {
	if b.books.held.reserved > 0 {
		return nil
	}
	return b.writeNote(b.books.held.spent)
}

// note counts a call, and writes it down before it is made.
func (b *Budget) note(op string) error {
	spent := maps.Clone(b.books.held.spent)
	spent[op]++
	if err := b.writeNote(spent); err != nil {
		return err
	}
	b.books.held.spent = spent
	return nil
}

func (b *Budget) writeNote(spent map[string]int64) error {
	err := b.slip.write(note{Holder: b.books.held.holder, Month: b.books.held.month, Spent: spent})
	if !errors.Is(err, errNoNote) {
		return err
	}
	b.slip = nil
	b.log.Warn("after a crash, reserved calls are lost: what is spent cannot be written down in data_dir", zap.Error(err))
	return nil
}
