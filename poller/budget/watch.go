package budget

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"go.uber.org/zap"

	"rollcall/wire"
)

// watch follows one hour: in how much of it meetings were seen.
type watch struct {
	ledger Ledger
	tenant string
	log    *zap.Logger

	hour       int64
	looks, saw int
	known      *hours // as last read; nil: not read yet
	weights    *[slotCount]float64
}

// turn notes whether meetings are tracked now. It returns what the hour before
// was like once a new one has begun.
func (w *watch) turn(now time.Time, busy bool) (hour int64, seen float64, over bool) {
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

// look notes whether meetings are tracked now, and once an hour stores what was
// seen and reads what others saw.
func (w *watch) look(ctx context.Context, now time.Time, busy bool) {
	hour, seen, over := w.turn(now, busy)
	if !over {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := w.learn(ctx, func(h *hours) { h.learn(hour, seen) }); err != nil && ctx.Err() == nil {
		w.log.Warn("what the last hour was like is not kept", zap.Error(err))
	}
}

// close stores what the hour under way was like so far.
func (w *watch) close(ctx context.Context) {
	if w.looks == 0 {
		return
	}
	seen := float64(w.saw) / float64(w.looks)
	if err := w.learn(ctx, func(h *hours) { h.learn(w.hour, seen) }); err != nil {
		w.log.Debug("what this hour was like is not kept", zap.Error(err))
	}
}

// learn reads what others learned, and stores what add adds to it (nil: it
// reads alone). What cannot be stored is let go: the next week brings it again.
func (w *watch) learn(ctx context.Context, add func(*hours)) error {
	for range mostTries {
		data, revision, _, err := w.ledger.ReadBudget(ctx, w.tenant, hoursKey)
		if err != nil {
			return err
		}
		h, err := w.decode(data)
		if err != nil {
			return err
		}
		if add != nil {
			add(h)
		}
		w.known, w.weights = h, h.weights()
		if add == nil {
			return nil
		}
		text, err := json.Marshal(h)
		if err != nil {
			return err
		}
		if _, err = w.ledger.WriteBudget(ctx, w.tenant, hoursKey, text, revision); err == nil || !isStale(err) {
			return err
		}
	}
	return nil
}

// decode decodes the hours of the week. Garbage is as good as nothing: they are
// learned anew.
func (w *watch) decode(data []byte) (*hours, error) {
	h, err := decodeHours(data)
	if err == nil || errors.Is(err, wire.ErrNewerSchema) {
		return h, err
	}
	w.log.Warn("the hours in which meetings are seen cannot be read; they are learned anew", zap.Error(err))
	return &hours{Schema: schema}, nil
}
