package forwarder

import (
	"context"
	"fmt"
	"time"

	"go.uber.org/zap"

	"rollcall/forwarder/note"
)

// long is from when on a target that cannot be told is spoken of.
const long = 5 * time.Minute

// health is whether a target can be told, as all processes know it, and who is told
// where it cannot.
type health struct {
	target *sender
	other  *Target        // of on_failure; nil: nobody
	zone   *time.Location // of the times that other is told
	log    *zap.Logger
	ails   bool // the target is in trouble, as far as this process knows
}

// doubt speaks of the target where none of its robots can be used for long, or
// could not for long.
func (h *health) doubt(ctx context.Context, now time.Time) error {
	until, s := h.target.silent()
	if until.Sub(now) < long && (s.Class == "" || now.Sub(s.Since) < long) {
		return nil
	}
	return h.ail(ctx, trouble{Class: string(s.Class), Detail: s.Detail, Since: s.Since, Until: until})
}

// ail notes that the target cannot be told.
func (h *health) ail(ctx context.Context, t trouble) error {
	first := false
	_, err := change(ctx, h.target.ledger, h.target.key(), func(s *targetState) bool {
		if first = s.Trouble.Class == ""; first {
			s.Trouble = t
			return true
		}
		changed := !s.Trouble.Until.Equal(t.Until) || !s.Trouble.Healed.IsZero()
		s.Trouble.Until, s.Trouble.Healed = t.Until, time.Time{}
		return changed
	})
	if err == nil && first {
		h.log.Error("target cannot be told", zap.String("class", t.Class), zap.String("reason", t.Detail), zap.Time("until", t.Until))
	}
	h.ails = true
	return err
}

// heal notes that the target was told.
func (h *health) heal(ctx context.Context, now time.Time) error {
	if !h.ails {
		return nil
	}
	_, err := change(ctx, h.target.ledger, h.target.key(), func(s *targetState) bool {
		had := s.Trouble.Class != ""
		if s.Trouble.Told {
			s.Trouble.Healed = now
		} else {
			s.Trouble = trouble{}
		}
		return had
	})
	return err
}

// speak tells the target of on_failure what is wrong with this one, once, and once
// that it is over. It is called every now and then.
func (h *health) speak(ctx context.Context, waiting int) error {
	s, err := change(ctx, h.target.ledger, h.target.key(), func(*targetState) bool { return false })
	t := s.Trouble
	h.ails, h.target.sent = t.Class != "", s.spent(time.Now())
	if err != nil || h.other == nil || t.Class == "" || t.Told && t.Healed.IsZero() {
		return err
	}
	n := note.Note{Kind: note.Trouble, At: time.Now(), Failure: note.Failure{
		Target: h.target.Name, Class: t.Class, Detail: t.Detail, Since: t.Since, Until: t.Until, Waiting: waiting, Healed: !t.Healed.IsZero(),
	}}
	n.ID = fmt.Sprintf("trouble-%s-%d-%t", h.target.Name, t.Since.UnixMilli(), t.Told)
	sent, err := (&sender{Target: h.other, ledger: h.target.ledger}).send(ctx, n, h.zone)
	if err != nil || !sent {
		return err
	}
	_, err = change(ctx, h.target.ledger, h.target.key(), func(s *targetState) bool {
		if !t.Healed.IsZero() {
			s.Trouble = trouble{}
		}
		s.Trouble.Told = t.Healed.IsZero()
		return true
	})
	return err
}
