package forwarder

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"rollcall/forwarder/note"
	"rollcall/forwarder/target"
)

// maxRetries is how many events of a webhook may wait for another attempt before
// no newer ones are sent.
const maxRetries = 100

// stepEvent is [lane.step] for a webhook: every event is a message of its own, and
// one that is refused is sent again by the schedule while others go on.
func (l *lane) stepEvent(ctx context.Context) (next time.Time, err error) {
	now := time.Now()
	sequence, due := l.place.firstRetry()
	if sequence == 0 || due.After(now) {
		if l.queue.count == 0 || len(l.place.Retries) >= maxRetries {
			return due, nil
		}
		sequence = 0
	}
	if l.notBefore.After(now) {
		return l.notBefore, nil
	}
	if err := l.look(ctx); err != nil {
		return l.closed(ctx, err)
	}
	var data []byte
	if sequence == 0 {
		first := events(l.queue.all())[0]
		sequence, data = first.sequence, first.data
	} else {
		data, err = l.source.Get(ctx, sequence)
		missing := errors.Is(err, ErrMissing)
		if err != nil && !missing {
			return now, err
		}
		if data == nil {
			return now, l.unsent(ctx, sequence, nil, target.Outcome{Final: !missing, Detail: "the stream of events has dropped it meanwhile"})
		}
	}
	r, _, err := l.reserve(ctx, l.place.Turn, now)
	switch {
	case errors.Is(err, errMonth):
		return l.notBefore, l.monthOver(ctx, now)
	case err != nil:
		return time.Time{}, err
	case r == nil:
		_, next := l.sender.free(now)
		l.notBefore = earlier(next, now.Add(lease/3))
		return l.notBefore, nil
	}
	l.place.Turn++
	return now, l.sendEvent(ctx, r, sequence, data)
}

// firstRetry is the event to be sent again first; 0: none.
func (p *place) firstRetry() (sequence uint64, due time.Time) {
	for s, r := range p.Retries {
		if sequence == 0 || r.Due.Before(due) || r.Due.Equal(due) && s < sequence {
			sequence, due = s, r.Due
		}
	}
	return sequence, due
}

// sendEvent makes one attempt to send an event.
func (l *lane) sendEvent(ctx context.Context, r *robot, sequence uint64, data []byte) error {
	out := l.attempt(ctx, r, target.Message{ID: eventID(data), Event: data})
	ctx, done := outlive(ctx)
	defer done()
	now := time.Now()
	if err := l.sender.note(ctx, r, out, now); err != nil {
		return err
	}
	if out.Class == target.Delivered {
		l.done(sequence)
		l.place.Lane.Messages, l.place.Lane.LastSent = l.place.Lane.Messages+1, now
		l.account(note.Account{Events: 1, Told: 1})
		l.metrics.sent(l, "event")
		if err := l.save(ctx); err != nil {
			return err
		}
		return l.heal(ctx, now)
	}
	l.failed(out, now)
	if err := l.doubt(ctx, now); err != nil {
		return err
	}
	switch out.Class {
	case target.RateLimited, target.Gone, target.AuthError:
		return l.save(ctx) // it waits with all others
	default:
		return l.unsent(ctx, sequence, data, out)
	}
}

// unsent puts an event off by the schedule, or gives it up.
func (l *lane) unsent(ctx context.Context, sequence uint64, data []byte, out target.Outcome) error {
	tries := l.place.Retries[sequence].Tries + 1
	if out.Final || tries >= len(l.Kind.Schedule) {
		return l.giveUp(ctx, sequence, data, out)
	}
	l.done(sequence)
	if l.place.Retries == nil {
		l.place.Retries = map[uint64]retry{}
	}
	l.place.Retries[sequence] = retry{tries, time.Now().Add(l.Kind.Schedule[tries])}
	return l.save(ctx)
}

// eventID is the id of a CloudEvent: the same over all attempts.
func eventID(data []byte) string {
	var e struct {
		ID string `json:"id"`
	}
	_ = json.Unmarshal(data, &e) // it was parsed before
	return e.ID
}

// done notes that the attempts for an event are over, or stand in Retries.
func (l *lane) done(sequence uint64) {
	delete(l.place.Retries, sequence)
	for _, g := range l.queue.all() {
		l.queue.drop(g.key, sequence)
	}
	l.place.rise(l.queue.floor(), time.Now(), 0)
}

func (l *lane) account(a note.Account) {
	l.place.Lane.account(a)
	l.metrics.accounted(l, a)
}

// giveUp sets an event aside for good.
func (l *lane) giveUp(ctx context.Context, sequence uint64, data []byte, out target.Outcome) error {
	err := l.ledger.Undelivered(ctx, Undelivered{
		Schema: 1, ID: fmt.Sprintf("%s-%d-%d", l.slot, l.place.Stream.UnixNano(), sequence), Target: l.Name, Route: l.route.Name,
		At: time.Now(), Class: string(out.Class), Reason: out.Detail, Event: data, Sequences: []uint64{sequence},
	})
	if err != nil {
		return err
	}
	l.done(sequence)
	l.place.Lane.Undelivered++
	l.metrics.undelivered(l, 1)
	if err := l.save(ctx); err != nil {
		return err
	}
	return l.ail(ctx, trouble{Class: string(out.Class), Detail: out.Detail, Since: time.Now()})
}
