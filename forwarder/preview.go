package forwarder

import (
	"context"
	"time"

	"rollcall/forwarder/note"
)

// Previewed is a message that would have been sent.
type Previewed struct {
	At            time.Time
	Route, Target string
	Kind          note.Kind
	Title, Text   string // without markup
	Account       note.Account
}

// Preview passes on what the routes would have told of the events stored since a
// time, had they begun then and every message been taken: in the order of the
// routes, their targets, and time. Nothing is sent or written. What still waits at
// the end is told at the end.
func Preview(ctx context.Context, c Config, since time.Time, each func(Previewed) error) error {
	all, err := c.lanes(newMetrics(nil))
	if err != nil {
		return err
	}
	for _, lane := range all {
		l := rehearsal{lane}
		if err := l.collect(ctx, since); err != nil {
			return err
		}
		if err := l.preview(ctx, each); err != nil {
			return err
		}
	}
	return nil
}

func (l *rehearsal) preview(ctx context.Context, each func(Previewed) error) error {
	if l.takesEvents() {
		for _, w := range events(l.queue.all()) {
			if err := each(Previewed{At: w.at, Route: l.route.Name, Target: l.Name, Kind: "event", Title: string(w.event.Type), Text: string(w.data)}); err != nil {
				return err
			}
		}
		return nil
	}
	all := events(l.queue.all())
	l.queue = newQueue()
	robots := make([]robotState, max(1, l.count()))
	take := func(until time.Time) {
		for len(all) > 0 && !all[0].at.After(until) {
			l.queue.add(l.route.group(&all[0].event), all[0])
			all = all[1:]
		}
	}
	for len(all) > 0 || l.queue.count > 0 {
		if l.queue.count == 0 {
			take(all[0].at)
		}
		next := l.dueNext()
		for len(all) > 0 && all[0].at.Before(next) {
			take(all[0].at)
			next = l.dueNext()
		}
		if free, from := freeOf(robots, l.Kind.Limit.Rates, next); free == 0 {
			next = from
			take(next)
		}
		free, _ := freeOf(robots, l.Kind.Limit.Rates, next)
		if err := l.previewAt(ctx, next, free, robots, each); err != nil {
			return err
		}
	}
	return nil
}

// dueNext is when the first of the groups is due.
func (l *rehearsal) dueNext() time.Time {
	_, next := l.queue.due(l.route, &l.place, time.Time{})
	return next
}

// count is how many robots the target has, as far as its secrets can be read.
func (l *rehearsal) count() int {
	robots, err := l.Open()
	if err != nil {
		return 1
	}
	return len(robots)
}

// previewAt tells what is due at a time.
func (l *rehearsal) previewAt(ctx context.Context, now time.Time, free int, robots []robotState, each func(Previewed) error) error {
	due, _ := l.queue.due(l.route, &l.place, now)
	due, kind := choose(due, free, false, l.Kind.Limit)
	f := &flight{Through: map[string]uint64{}}
	n := l.batch(ctx, due, f).Note(kind, linesFor(len(due), l.Kind.Limit))
	f.Account, l.place.Flight = n.Account, f
	if n.Account.Told+n.Account.Digested == 0 {
		now = time.Time{}
	}
	l.place.land(now)
	l.drop(f)
	if now.IsZero() {
		return nil
	}
	for i := range robots {
		if robots[i].free(l.Kind.Limit.Rates, now) > 0 {
			robots[i].take(l.Kind.Limit.Rates, now)
			break
		}
	}
	n.At = now
	writer, err := l.Writer(l.route.Zone)
	if err != nil {
		return err
	}
	title, text, _ := writer.Write(n, note.Plain{}) // a mistake in a template brings the default
	return each(Previewed{At: now, Route: l.route.Name, Target: l.Name, Kind: n.Kind, Title: title, Text: text, Account: n.Account})
}
