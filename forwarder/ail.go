package forwarder

import (
	"context"
	"fmt"
	"time"

	"go.uber.org/zap"

	"rollcall/forwarder/note"
	"rollcall/forwarder/target"
)

// long is from when on a target that cannot be told is spoken of.
const long = 5 * time.Minute

// closed notes that the target's secrets cannot be read.
func (l *lane) closed(ctx context.Context, err error) (next time.Time, _ error) {
	now := time.Now()
	l.failed(target.Outcome{Class: target.AuthError, Detail: err.Error()}, now)
	l.notBefore = now.Add(lease)
	return l.notBefore, l.ail(ctx, trouble{Class: string(target.AuthError), Detail: err.Error(), Since: now})
}

// monthOver waits for the next month.
func (l *lane) monthOver(ctx context.Context, now time.Time) error {
	l.place.CatchUp, l.place.Flight = true, nil
	l.notBefore = nextMonth(now)
	l.failed(target.Outcome{Class: target.RateLimited, Detail: errMonth.Error()}, now)
	return l.ail(ctx, trouble{Class: string(target.RateLimited), Detail: errMonth.Error(), Since: now, Until: l.notBefore})
}

// doubt speaks of the target where none of its robots can be used for long, or
// could not for long.
func (l *lane) doubt(ctx context.Context, now time.Time) error {
	until, s := l.silent()
	if until.Sub(now) < long && (s.Class == "" || now.Sub(s.Since) < long) {
		return nil
	}
	return l.ail(ctx, trouble{Class: string(s.Class), Detail: s.Detail, Since: s.Since, Until: until})
}

// ail notes that the target cannot be told.
func (l *lane) ail(ctx context.Context, t trouble) error {
	first := false
	_, err := change(ctx, l.ledger, l.sender.key(), func(s *targetState) bool {
		if first = s.Trouble.Class == ""; first {
			s.Trouble = t
			return true
		}
		changed := !s.Trouble.Until.Equal(t.Until) || !s.Trouble.Healed.IsZero()
		s.Trouble.Until, s.Trouble.Healed = t.Until, time.Time{}
		return changed
	})
	if err == nil && first {
		l.log.Error("target cannot be told", zap.String("class", t.Class), zap.String("reason", t.Detail), zap.Time("until", t.Until))
	}
	l.ails = true
	return err
}

// heal notes that the target was told.
func (l *lane) heal(ctx context.Context, now time.Time) error {
	if !l.ails {
		return nil
	}
	_, err := change(ctx, l.ledger, l.sender.key(), func(s *targetState) bool {
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
func (l *lane) speak(ctx context.Context) error {
	other := l.targets[l.OnFailure]
	s, err := change(ctx, l.ledger, l.sender.key(), func(*targetState) bool { return false })
	t := s.Trouble
	l.ails, l.sent = t.Class != "", s.spent(time.Now())
	if err != nil || other == nil || t.Class == "" || t.Told && t.Healed.IsZero() {
		return err
	}
	n := note.Note{Kind: note.Trouble, At: time.Now(), Failure: note.Failure{
		Target: l.Name, Class: t.Class, Detail: t.Detail, Since: t.Since, Until: t.Until, Waiting: l.queue.count, Healed: !t.Healed.IsZero(),
	}}
	n.ID = fmt.Sprintf("trouble-%s-%d-%t", l.Name, t.Since.UnixMilli(), t.Told)
	sent, err := (&sender{Target: other, ledger: l.ledger}).send(ctx, n, l.route.Zone)
	if err != nil || !sent {
		return err
	}
	_, err = change(ctx, l.ledger, l.sender.key(), func(s *targetState) bool {
		if !t.Healed.IsZero() {
			s.Trouble = trouble{}
		}
		s.Trouble.Told = t.Healed.IsZero()
		return true
	})
	return err
}

// send sends a note that is of no lane, if that may be now.
func (d *sender) send(ctx context.Context, n note.Note, zone *time.Location) (sent bool, err error) {
	if err := d.look(ctx); err != nil {
		return false, err
	}
	now := time.Now()
	r, last, err := d.reserve(ctx, int(now.Unix()), now)
	if err != nil || r == nil {
		return false, err
	}
	n.LastOfMonth = last
	m, _ := d.render(n, zone) // what a lane sends shows a mistake in a template
	out := d.attempt(ctx, r, m)
	ctx, done := outlive(ctx)
	defer done()
	return out.Class == target.Delivered, d.note(ctx, r, out, time.Now())
}
