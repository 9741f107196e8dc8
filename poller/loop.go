package poller

import (
	"context"
	"errors"
	"time"

	"rollcall/internal/wait"
)

// Loop calls Pass at the instants of a schedule, one call at a time.
type Loop struct {
	// Schedule returns the first instant after t; zero when there is none.
	Schedule interface{ Next(t time.Time) time.Time }
	// Pass is called for an instant. Its panics are not caught.
	Pass func(ctx context.Context, tick time.Time)
	// AtOnce calls Pass also at the start.
	AtOnce bool
	// Again is asked after each pass whether the next one is to begin at once,
	// without an instant of its own; nil: never. Instants that such passes take
	// the place of are not missed.
	Again func() bool
	// Missed receives the number of instants without a call of their own, because
	// a pass took too long, the machine slept or its clock was set forward. One
	// call makes up for instants that went by together. nil: nobody listens.
	Missed func(n int)
	// Now reads the wall clock; nil: [time.Now].
	Now func() time.Time
}

const (
	// glance is how often a waiting loop looks at the clock, which may have
	// been set, and does not run in a timer while the machine sleeps.
	glance = time.Minute
	// slew is how far back a clock may go without being taken for set back.
	slew = time.Second
	// mostMissed bounds the counting after a great leap of the clock.
	mostMissed = 10_000
)

// Run calls until the context ends, and then returns nil. A schedule without
// a further instant is an error.
func (l *Loop) Run(ctx context.Context) error {
	last := l.wall()
	if l.AtOnce && ctx.Err() == nil {
		last = l.passes(ctx, last)
	}
	for ctx.Err() == nil {
		next, err := l.await(ctx, last)
		if err != nil {
			return err
		}
		if ctx.Err() != nil {
			break
		}
		last = l.passes(ctx, l.collapse(next))
	}
	return nil
}

// passes makes one pass, and those that follow it at once. It returns the instant
// after which the loop waits for the next.
func (l *Loop) passes(ctx context.Context, tick time.Time) time.Time {
	l.Pass(ctx, tick)
	for l.Again != nil && ctx.Err() == nil {
		again := l.Again()
		tick = l.wall()
		if !again {
			break
		}
		l.Pass(ctx, tick)
	}
	return tick
}

// await waits for the first instant after last. When the clock is set back it
// waits for the first instant from there, rather than being silent for as long.
func (l *Loop) await(ctx context.Context, last time.Time) (time.Time, error) {
	for {
		now := l.wall()
		if last.Sub(now) > slew {
			last = now
		}
		next := l.Schedule.Next(last)
		if next.IsZero() {
			return next, errors.New("wait for the next tick: the schedule has none any more")
		}
		if ctx.Err() != nil || !now.Before(next) {
			return next, nil
		}
		wait.For(ctx, min(next.Sub(now), glance))
	}
}

// collapse returns the last instant that is not in the future, and reports those
// that it passed over to Missed.
func (l *Loop) collapse(tick time.Time) time.Time {
	now, missed := l.wall(), 0
	for missed < mostMissed {
		next := l.Schedule.Next(tick)
		if next.IsZero() || next.After(now) {
			break
		}
		tick = next
		missed++
	}
	if missed > 0 && l.Missed != nil {
		l.Missed(missed)
	}
	if missed == mostMissed {
		return now
	}
	return tick
}

func (l *Loop) wall() time.Time {
	if l.Now != nil {
		return l.Now().Round(0)
	}
	return wall()
}

// wall reads the wall clock without the monotonic one, which would hide that
// the former was set.
func wall() time.Time { return time.Now().UTC().Round(0) }
