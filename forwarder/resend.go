package forwarder

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	"go.uber.org/zap"

	"rollcall/consume"
	"rollcall/forwarder/note"
	"rollcall/forwarder/target"
	"rollcall/internal/wait"
)

// mostResent is how many groups are told again one by one; more are one digest.
const mostResent = 10

// errEnough ends a reading.
var errEnough = errors.New("all that was there has been read")

// Resend tells a target again what its routes match of the events stored since a
// time, within its limits: a message for each group, or one digest where there are
// many; a webhook is sent the events. It passes on each message, and changes
// nothing of what is told besides. The error says what could not be sent.
func Resend(ctx context.Context, c Config, name string, since time.Time, tell func(title string, out target.Outcome)) error {
	all, err := c.lanes(newMetrics(nil))
	if err != nil {
		return err
	}
	for _, lane := range all {
		l := rehearsal{lane}
		if l.Name != name {
			continue
		}
		if err := l.collect(ctx, since); err != nil {
			return err
		}
		if err := l.resend(ctx, tell); err != nil {
			return err
		}
	}
	return nil
}

// rehearsal is a lane that is worked on the side: its place is never written.
type rehearsal struct{ *lane }

// collect reads what the route matches of the events since a time.
func (l *rehearsal) collect(ctx context.Context, since time.Time) error {
	head, err := l.source.Head(ctx)
	if err != nil {
		return err
	}
	l.queue, l.place = newQueue(), place{Stream: head.Created}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	feed := l.route.feed()
	feed.Since = since
	feed.CaughtUp = func() { cancel(errEnough) }
	var trouble error
	feed.OnTrouble = func(err error) { trouble = err; cancel(err) }
	err = l.source.Follow(ctx, feed, func(s consume.Stored) error {
		l.takeIn(item{stored: s})
		return nil
	})
	if cause := context.Cause(ctx); !errors.Is(cause, errEnough) {
		return errors.Join(err, trouble, cause)
	}
	return nil
}

func (l *rehearsal) resend(ctx context.Context, tell func(string, target.Outcome)) error {
	if l.takesEvents() {
		for _, w := range events(l.queue.all()) {
			if err := l.dispatch(ctx, target.Message{ID: eventID(w.data), Event: w.data}, string(w.event.Type), tell); err != nil {
				return err
			}
		}
		return nil
	}
	kind, parts := note.Kind(""), [][]*group{}
	for _, g := range l.queue.all() {
		parts = append(parts, []*group{g})
	}
	if len(parts) > mostResent {
		kind, parts = note.CatchUp, [][]*group{l.queue.all()}
	}
	for _, groups := range parts {
		n := l.batch(ctx, groups, &flight{Through: map[string]uint64{}}).Note(kind, linesFor(len(groups), l.Kind.Limit))
		if n.Account.Told+n.Account.Digested == 0 {
			continue
		}
		n.At, n.ID = time.Now(), "resend-"+strings.ToLower(rand.Text()[:12])
		m, err := l.render(n, l.route.Zone)
		if err != nil {
			l.log.Warn("message written by the default templates", zap.Error(err))
		}
		if err := l.dispatch(ctx, m, m.Title, tell); err != nil {
			return err
		}
	}
	return nil
}

// dispatch sends a message of no lane, once its robots may.
func (l *rehearsal) dispatch(ctx context.Context, m target.Message, title string, tell func(string, target.Outcome)) error {
	for {
		if err := l.look(ctx); err != nil {
			return err
		}
		now := time.Now()
		r, _, err := l.reserve(ctx, l.place.Turn, now)
		if err != nil {
			return fmt.Errorf("send to target %s: %w", l.Name, err)
		}
		if r == nil {
			_, next := l.sender.free(now)
			if next.Sub(now) > long {
				return fmt.Errorf("send to target %s: it may be sent nothing before %s", l.Name, next.Format(time.RFC3339))
			}
			if !wait.For(ctx, next.Sub(now)) {
				return ctx.Err()
			}
			continue
		}
		l.place.Turn++
		out := l.attempt(ctx, r, m)
		if err := l.sender.note(ctx, r, out, time.Now()); err != nil {
			return err
		}
		tell(title, out)
		if out.Class != target.Delivered {
			return fmt.Errorf("send to target %s: %s: %s", l.Name, out.Class, out.Detail)
		}
		return nil
	}
}
