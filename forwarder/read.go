package forwarder

import (
	"context"
	"time"

	"go.uber.org/zap"

	"rollcall/consume"
	"rollcall/internal/streak"
)

// item is what reading brings: an event, or that all that was there has come.
type item struct {
	stored   consume.Stored
	caughtUp bool
}

// read follows the stream from the lane's place on.
func (l *lane) read(ctx context.Context) <-chan item {
	items := make(chan item, 256)
	feed := l.route.feed()
	feed.From = l.place.Floor + 1
	if l.place.Floor == 0 && !l.place.Since.IsZero() {
		feed.From, feed.Since = 0, l.place.Since
	}
	pass := func(i item) error {
		select {
		case items <- i:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	feed.CaughtUp = func() { _ = pass(item{caughtUp: true}) }
	trouble := streak.Log{Logger: l.log, What: "reading events"}
	feed.OnTrouble = func(err error) { trouble.Note(err) }
	go func() {
		_ = l.source.Follow(ctx, feed, func(s consume.Stored) error {
			trouble.Note(nil)
			return pass(item{stored: s})
		})
	}()
	return items
}

// pause takes in what comes until something is due, at the latest when the place
// has to be written.
func (l *lane) pause(ctx, turn context.Context, read <-chan item, next time.Time) error {
	beat := l.written.Add(lease / 3)
	if next.IsZero() {
		next = beat
	}
	for {
		timer := time.NewTimer(time.Until(earlier(next, beat)))
		select {
		case i := <-read:
			timer.Stop()
			if due := l.takeIn(i); !due.IsZero() {
				next = earlier(next, due)
			}
		case <-timer.C:
			if now := time.Now(); !now.Before(beat) {
				return l.beat(ctx, now)
			}
			return nil
		case <-turn.Done():
			timer.Stop()
			return turn.Err()
		}
	}
}

// beat writes the place while nothing else does.
func (l *lane) beat(ctx context.Context, now time.Time) error {
	l.place.rise(l.queue.floor(), now, l.route.Interval)
	if err := l.save(ctx); err != nil {
		return err
	}
	return l.speak(ctx, l.queue.count)
}

// takeIn takes in what reading brings, and returns when there is something to do
// for it; zero: nothing.
func (l *lane) takeIn(i item) (due time.Time) {
	if i.caughtUp {
		if l.ready {
			return time.Time{}
		}
		l.ready = true
		return time.Now()
	}
	s := i.stored
	if !s.Stream.Equal(l.place.Stream) {
		l.log.Warn("stream of events made anew; read from its beginning")
		l.place.anew(s.Stream)
		l.queue = newQueue()
	}
	l.queue.read = max(l.queue.read, s.Sequence)
	w, wanted := l.parse(s)
	if !wanted || l.place.told(&w.event, s.Sequence) {
		return time.Time{}
	}
	group := l.route.group(&w.event)
	g := l.queue.add(group, w)
	switch {
	case l.queue.count > l.route.MaxWaiting:
		return time.Now()
	case !l.ready:
		return time.Time{}
	}
	return g.due(l.route, l.place.Groups[group].At)
}

// parse reads an event, and reports whether the route takes it.
func (l *lane) parse(s consume.Stored) (w waiting, wanted bool) {
	e, err := consume.Parse(s.Data)
	if err != nil {
		l.log.Warn("event passed over, since it cannot be read", zap.Uint64("sequence", s.Sequence), zap.Error(err))
		return waiting{}, false
	}
	w = waiting{sequence: s.Sequence, at: s.At, event: e}
	if l.takesEvents() {
		w.data = s.Data
	}
	if e.ConferenceID == "" {
		watch, err := consume.ParseWatch(s.Data)
		if err != nil {
			return waiting{}, false
		}
		w.watch = &watch
	}
	return w, l.route.Match.Wants(&w.event, w.watch)
}

// takesEvents reports whether the target is sent events, and not messages.
func (d *sender) takesEvents() bool { return d.Kind.Markup == nil }
