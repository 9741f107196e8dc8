package poller

import (
	"context"
	"time"

	"rollcall"
)

// question is when something was asked, and the number it was asked under.
type question struct {
	number          rollcall.Number
	asked, answered time.Time
}

// numbered asks a question under a number of its own. The span between the
// times is measured, so that setting the clock cannot turn it round.
func (r *run) numbered(q *question, ask func() error) error {
	r.calls.turn.back(func() { q.number = r.ask.Next() })
	asked := time.Now()
	err := ask()
	q.asked, q.answered = stamps(asked, time.Since(asked))
	return err
}

// stamps returns the times of a question in milliseconds, as they are stored. The
// span between them is widened rather than cut: what happened lies within it.
func stamps(at time.Time, took time.Duration) (asked, answered time.Time) {
	at = at.UTC().Round(0)
	const most = time.Millisecond - time.Nanosecond
	return at.Truncate(time.Millisecond), at.Add(took + most).Truncate(time.Millisecond)
}

// observation begins the observation of a question.
func (r *run) observation(q question) rollcall.Observation {
	return rollcall.Observation{
		Tenant: r.poller.Tenant, Shard: r.ask.Shard, Number: q.number,
		AskedAt: q.asked, AnsweredAt: q.answered,
	}
}

// emit passes an observation on, even when the pass is being ended, and counts what
// it answers.
func (r *run) emit(o rollcall.Observation) {
	if len(o.Sightings)+len(o.Unanswered) > 0 && r.hand(o) {
		r.tally.Answered += len(o.Sightings)
	}
}

// hand passes an observation on, and reports whether it was taken.
func (r *run) hand(o rollcall.Observation) (taken bool) {
	began := time.Now()
	err := r.ask.Emit(context.WithoutCancel(r.calls.ctx), o)
	r.heldUp = time.Since(began)
	if err != nil {
		r.calls.stop(ClassNone, err)
	}
	return err == nil
}

// emitOne emits what one question said of one meeting.
func (r *run) emitOne(q question, s rollcall.Sighting) {
	o := r.observation(q)
	o.Sightings = []rollcall.Sighting{s}
	r.emit(o)
}
