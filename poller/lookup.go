package poller

import (
	"context"
	"errors"
	"time"

	"rollcall"
)

// followUp is a meeting to be asked about by itself, since a query left it out
// or was refused, perhaps because of it.
type followUp struct {
	id      string
	refusal Class // how the query was refused; none: it left the meeting out
	doubted bool  // the query may have been refused because of others
}

// followUp asks about one meeting and emits what is told.
func (r *run) followUp(f followUp) {
	if h := r.barred(OpLookup); h != nil {
		r.skip(h, f.id)
		return
	}
	var q question
	var standing Standing
	err := r.try(OpLookup, func(ctx context.Context) error {
		return r.numbered(&q, func() (err error) {
			standing, err = r.p.Source.Lookup(ctx, f.id)
			return err
		})
	})
	if ClassOf(err) != ClassPermission {
		r.denials = 0
		delete(r.desk.denied, f.id)
	}
	if f.doubted && innocent(standing, err) {
		r.again = append(r.again, f.id)
		r.desk.elsewhere[f.id] = true
		return
	}
	if f.refusal != ClassNone && !f.doubted {
		r.desk.alone[f.id] = true
	}
	if sighting, told := conclude(f, standing, err); told {
		o := r.observation(q)
		o.Sightings = []rollcall.Sighting{sighting}
		if sighting.Kind == rollcall.SightingEnded {
			r.desk.over[f.id] = time.Now()
		}
		r.emit(o)
		return
	}
	r.untold(f.id, err)
}

// innocent reports whether the query that a meeting was part of was refused
// because of others. One that a lookup does not know has that still to show.
func innocent(standing Standing, err error) bool {
	return ClassOf(err) == ClassUnknown || err == nil && goesOn(standing.Status)
}

// conclude says what a lookup tells about a meeting, if anything.
func conclude(f followUp, standing Standing, err error) (rollcall.Sighting, bool) {
	s := rollcall.Sighting{ConferenceID: f.id}
	switch class := ClassOf(err); {
	case class == ClassUnknown:
		s.Kind = rollcall.SightingMissed
	case class == ClassEnded:
		s.Kind, s.Reason = rollcall.SightingEnded, rollcall.ReasonResourceClosed
	case err != nil || standing.Status == rollcall.StatusUnknown:
		return s, false
	case goesOn(standing.Status):
		s.Kind = rollcall.SightingOngoing
	default:
		s.Kind, s.Reason, s.EndTime = rollcall.SightingEnded, rollcall.ReasonStatus, standing.EndTime
		if f.refusal == ClassEnded {
			s.Reason = rollcall.ReasonResourceClosed
		}
	}
	return s, true
}

// untold notes a meeting whose lookup told nothing.
func (r *run) untold(id string, err error) {
	switch class := ClassOf(err); {
	case r.halt != nil:
		r.skip(r.halt, id)
	case err == nil:
		err = errors.New("look up a meeting: the answer has no status")
		r.blame(ClassMalformed, err)
		r.unanswered(ClassMalformed, id)
	case class == ClassPermission:
		r.deny(id, err)
	case class == ClassBadRequest:
		r.isolate(id, class, err)
	default:
		r.unanswered(class, id)
	}
}

// mostDenials is how many lookups in a row may not be permitted before a pass
// leaves the others alone.
const mostDenials = 3

// deny notes a meeting whose lookup was not permitted. It may be out of bounds,
// or the permission was taken away since the last query, which the next pass
// shows: only when it is denied again is it the meeting.
func (r *run) deny(id string, err error) {
	r.unanswered(ClassPermission, id)
	if r.desk.denied[id] {
		r.isolate(id, ClassPermission, err)
		return
	}
	r.desk.denied[id] = true
	if r.denials++; r.denials >= mostDenials {
		r.bar(OpLookup, ClassPermission, err)
	}
}
