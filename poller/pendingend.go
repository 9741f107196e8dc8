package poller

import (
	"time"

	"rollcall"
)

// pendingEnd is a meeting that a query said has ended. It is emitted together
// with the exact time, which a lookup brings; until then the meeting is not
// asked about in batches.
type pendingEnd struct {
	sighting rollcall.Sighting
	query    question
	since    time.Time // by the monotonic clock
	tries    int       // lookups that failed
	asked    time.Time // the last of them
}

// What the exact time is worth: failures pass within some ticks, and a tenant
// that was refused has to wait for minutes.
const (
	mostTries    = 5
	mostPatience = 30 * time.Minute
)

// ended takes an end that a query saw.
func (l *lookups) ended(q question, s rollcall.Sighting) {
	e := &pendingEnd{sighting: s, query: q, since: l.run.now()}
	l.run.shard.pendingEnds[s.ConferenceID] = e
	l.add(lookupTask{id: s.ConferenceID, end: e})
}

// findEnd asks when a meeting ended, and emits its end: without the time where
// DingTalk does not say it, or not soon enough.
func (l *lookups) findEnd(e *pendingEnd) {
	refusal := l.run.calls.forbids(OpLookup)
	switch {
	case refusal == nil:
		l.askEnd(e)
	case refusal.class == ClassNone: // the pass is over; the next lookup finds it, too
		l.run.shard.dropEnd(e)
	case refusal.class == ClassQuota || l.run.now().Sub(e.since) > mostPatience:
		l.emitEnd(e, l.run.ask.Next())
	default:
		l.run.tally.skipped(refusal, e.sighting.ConferenceID)
	}
}

func (l *lookups) askEnd(e *pendingEnd) {
	r, id := l.run, e.sighting.ConferenceID
	q, standing, err := l.ask(r.calls.call, id)
	e.asked = r.now()
	switch class := ClassOf(err); {
	case r.calls.stopped != nil && r.calls.stopped.class == ClassNone:
		r.shard.dropEnd(e)
	case worthAnother(class) && e.tries+1 < mostTries:
		e.tries++
		r.tally.unanswered(class, id)
	case e.tries > 0 && goesOn(standing.Status): // it was opened again meanwhile
		r.shard.dropEnd(e)
		r.tally.unanswered(ClassNone, id)
	default:
		if standing.Status == rollcall.StatusEnded {
			e.sighting.StartTime, e.sighting.EndTime = standing.StartTime, standing.EndTime
		}
		if q.number == (rollcall.Number{}) { // the call was not granted
			q.number = r.ask.Next()
		}
		l.emitEnd(e, q.number)
	}
}

// worthAnother reports whether a later lookup may say what this one did not.
func worthAnother(class Class) bool {
	switch class {
	case ClassTransient, ClassMalformed, ClassThrottled, ClassBlocked, ClassToken, ClassPermission:
		return true
	}
	return false
}

// emitEnd emits an end under the number of the question about its time: what
// was emitted since the query has lower ones. Under another claim the answer
// is too old to be emitted.
func (l *lookups) emitEnd(e *pendingEnd, n rollcall.Number) {
	if n.Term != e.query.number.Term {
		l.run.shard.dropEnd(e)
		l.run.tally.unanswered(ClassNone, e.sighting.ConferenceID)
		return
	}
	l.run.shard.endEmitted(e)
	q := e.query
	q.number = n
	l.run.emitOne(q, e.sighting)
}
