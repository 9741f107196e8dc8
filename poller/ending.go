package poller

import (
	"context"
	"time"

	"rollcall"
)

// ending is a meeting that a query said has ended. It is told together with
// the exact time, which another question brings; until then it is not asked
// about in batches. It belongs to its shard's desk.
type ending struct {
	sighting rollcall.Sighting
	query    question
	since    time.Time // by the monotonic clock
	tries    int       // questions about the time that failed
	asked    time.Time // the last of them
}

// What the exact time is worth: failures pass within some ticks, and a tenant
// that was refused is held back for minutes.
const (
	mostTries    = 5
	mostPatience = 30 * time.Minute
)

// await puts a meeting down whose end is to be told.
func (r *run) await(q question, s rollcall.Sighting) {
	e := &ending{sighting: s, query: q, since: r.p.now()}
	r.desk.expect(e)
	r.later = append(r.later, followUp{id: s.ConferenceID, end: e})
}

// findEnd asks when a meeting ended, and tells its end: without the time where
// DingTalk does not say it, or not soon enough.
func (r *run) findEnd(e *ending) {
	h := r.barred(OpLookup)
	switch {
	case h == nil:
		r.askEnd(e)
	case h.class == ClassNone: // the pass is over; whoever asks next finds it, too
		r.desk.unexpect(e)
	case h.class == ClassQuota || r.p.now().Sub(e.since) > mostPatience:
		r.tellEnd(e, r.ask.Next())
	default:
		r.skip(h, e.sighting.ConferenceID)
	}
}

func (r *run) askEnd(e *ending) {
	id := e.sighting.ConferenceID
	var q question
	var standing Standing
	err := r.call(OpLookup, func(ctx context.Context) error {
		return r.numbered(&q, func() (err error) {
			standing, err = r.p.Source.Lookup(ctx, id)
			return err
		})
	})
	r.lookedUp(id, standing, err)
	e.asked = r.p.now()
	switch class := ClassOf(err); {
	case r.halt != nil && r.halt.class == ClassNone:
		r.desk.unexpect(e)
	case worthAnother(class) && e.tries+1 < mostTries:
		e.tries++
		r.unanswered(class, id)
	case e.tries > 0 && goesOn(standing.Status): // it was opened again meanwhile
		r.desk.unexpect(e)
		r.unanswered(ClassNone, id)
	default:
		if standing.Status == rollcall.StatusEnded {
			e.sighting.EndTime = standing.EndTime
		}
		if q.number == (rollcall.Number{}) { // the call was not granted
			q.number = r.ask.Next()
		}
		r.tellEnd(e, q.number)
	}
}

// worthAnother reports whether a later question may tell what this one did not.
func worthAnother(class Class) bool {
	switch class {
	case ClassTransient, ClassMalformed, ClassThrottled, ClassBlocked, ClassToken, ClassPermission:
		return true
	}
	return false
}

func goesOn(s rollcall.Status) bool {
	return s == rollcall.StatusStarted || s == rollcall.StatusInitialized
}

// tellEnd emits an end under the number of the question about its time: what
// was emitted since the query has lower ones. Under another claim the answer
// is too old to be told.
func (r *run) tellEnd(e *ending, n rollcall.Number) {
	s := e.sighting
	if n.Term != e.query.number.Term {
		r.desk.unexpect(e)
		r.unanswered(ClassNone, s.ConferenceID)
		return
	}
	r.desk.ended(e)
	q := e.query
	q.number = n
	o := r.observation(q)
	o.Sightings = []rollcall.Sighting{s}
	r.emit(o)
}
