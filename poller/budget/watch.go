package budget

import (
	"context"
	"encoding/json"
	"time"
)

// watch follows one hour: in how much of it meetings were seen.
type watch struct {
	hour       int64
	looks, saw int
	known      *hours // as last read; nil: not read yet
	weights    *[slotCount]float64
}

// look notes whether meetings are tracked now. It returns what the hour before
// was like once a new one has begun.
func (w *watch) look(now time.Time, busy bool) (hour int64, seen float64, over bool) {
	if this := hourOf(now); this != w.hour {
		hour, over = w.hour, w.looks > 0
		if over {
			seen = float64(w.saw) / float64(w.looks)
		}
		w.hour, w.looks, w.saw = this, 0, 0
	}
	w.looks++
	if busy {
		w.saw++
	}
	return hour, seen, over
}

// learn stores what an hour was like, and reads what others learned. What
// cannot be stored is let go: the next week brings it again.
func (w *watch) learn(ctx context.Context, l Ledger, tenant string, decode func([]byte) (*hours, error), hour int64, seen float64, told bool) error {
	for range mostTries {
		data, revision, _, err := l.ReadBudget(ctx, tenant, hoursKey)
		if err != nil {
			return err
		}
		h, err := decode(data)
		if err != nil {
			return err
		}
		if told {
			h.learn(hour, seen)
		}
		w.known, w.weights = h, h.weights()
		if !told {
			return nil
		}
		text, err := json.Marshal(h)
		if err != nil {
			return err
		}
		if _, err = l.WriteBudget(ctx, tenant, hoursKey, text, revision); err == nil || !isStale(err) {
			return err
		}
	}
	return nil
}
