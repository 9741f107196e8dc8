package forwarder

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"go.uber.org/zap"

	"rollcall/forwarder/target"
)

// flyAgain sends the message under way once more.
func (l *lane) flyAgain(ctx context.Context) error {
	now := time.Now()
	if err := l.look(ctx); err != nil {
		_, err := l.closed(ctx, err)
		return err
	}
	f := l.place.Flight
	i := slices.IndexFunc(l.robots, func(r robot) bool { return r.Key == f.Robot })
	if i < 0 || l.robots[i].state.Until.Sub(now) > time.Minute {
		l.place.Flight, l.place.CatchUp = nil, true // a digest tells it later
		return l.save(ctx)
	}
	if next := l.robots[i].state.next(l.Kind.Limit.Rates); next.After(now) {
		f.Due = next
		return nil
	}
	one := sender{Target: l.Target, ledger: l.ledger, robots: l.robots[i : i+1]}
	r, _, err := one.reserve(ctx, 0, now)
	if errors.Is(err, errMonth) {
		return l.monthOver(ctx, now)
	}
	if err != nil || r == nil {
		return err
	}
	if err := l.save(ctx); err != nil {
		return err
	}
	return l.fly(ctx, r)
}

// fly makes one attempt to send the message under way, whose place is written.
func (l *lane) fly(ctx context.Context, r *robot) error {
	f := l.place.Flight
	out := l.attempt(ctx, r, f.Message)
	ctx, done := outlive(ctx) // what was sent is noted
	defer done()
	now := time.Now()
	if err := l.sender.note(ctx, r, out, now); err != nil {
		return err
	}
	if out.Class == target.Delivered {
		l.metrics.sent(l, f.Kind)
		return l.landed(ctx, now)
	}
	l.failed(out, now)
	f.Unsure = f.Unsure || out.Unsure
	if !out.Unsure {
		if err := l.refund(ctx, now); err != nil {
			return err
		}
	}
	switch {
	case out.Final || out.Class == target.ClientError:
		return l.undelivered(ctx, out, now)
	case f.Unsure:
		f.Due = r.state.Until
	default:
		l.place.Flight = nil
	}
	l.place.CatchUp = l.place.CatchUp || out.Class == target.RateLimited || now.Sub(r.state.Since) > l.route.Interval
	return cmp.Or(l.doubt(ctx, now), l.save(ctx))
}

func (l *lane) failed(out target.Outcome, now time.Time) {
	s := &l.place.Lane
	s.LastClass, s.LastError, s.LastFailed = string(out.Class), out.Detail, now
	l.metrics.failed(l, out)
	l.log.Warn("message not delivered", zap.String("class", string(out.Class)), zap.String("reason", out.Detail))
}

// landed notes that the message under way has arrived; at the zero time that there
// was nothing to be told.
func (l *lane) landed(ctx context.Context, now time.Time) error {
	f := l.place.Flight
	l.metrics.accounted(l, f.Account)
	l.place.land(now)
	l.drop(f)
	if !now.IsZero() {
		l.place.Lane.Messages++
		l.place.Lane.LastSent = now
	}
	l.place.rise(l.queue.floor(), time.Now(), l.route.Interval)
	if now.IsZero() {
		return nil // written with the next message, or the next beat
	}
	return cmp.Or(l.save(ctx), l.heal(ctx, now))
}

// drop takes what was told out of the queue.
func (l *lane) drop(f *flight) {
	for _, g := range l.queue.all() {
		through := f.Through[g.key]
		if f.All > 0 {
			through = f.All
		}
		l.queue.drop(g.key, through)
	}
}

// undelivered sets the message under way aside for good.
func (l *lane) undelivered(ctx context.Context, out target.Outcome, now time.Time) error {
	f := l.place.Flight
	err := l.ledger.Undelivered(ctx, Undelivered{
		Schema: 1, ID: f.Message.ID, Target: l.Name, Route: l.route.Name, At: now, Class: string(out.Class), Reason: out.Detail,
		Title: f.Message.Title, Text: f.Message.Plain, Event: f.Message.Event,
	})
	if err != nil {
		return err
	}
	lost := f.Account.Told + f.Account.Digested
	f.Account.Told, f.Account.Digested = 0, 0
	l.place.Lane.Undelivered += uint64(lost)
	l.metrics.accounted(l, f.Account)
	l.metrics.undelivered(l, lost)
	l.place.land(now)
	l.drop(f)
	l.place.rise(l.queue.floor(), now, l.route.Interval)
	if err := l.save(ctx); err != nil {
		return err
	}
	return l.ail(ctx, trouble{Class: string(out.Class), Detail: out.Detail, Since: now})
}

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
	l.notBefore, l.monthEnds = nextMonth(now), nextMonth(now)
	l.failed(target.Outcome{Class: target.RateLimited, Detail: errMonth.Error()}, now)
	return l.ail(ctx, trouble{Class: string(target.RateLimited), Detail: errMonth.Error(), Since: now, Until: l.notBefore})
}
