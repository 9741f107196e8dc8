package poller

import (
	"context"
	"errors"
	"time"

	"rollcall"
)

// followUp is a meeting to be asked about by itself, since a query left it out
// or was refused because of it.
type followUp struct {
	id      string
	refusal Class // how the query was refused; none: it left the meeting out
}

// followUp asks about one meeting and emits what is told.
func (r *run) followUp(f followUp) {
	if r.stopped() {
		r.skip(f.id)
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
	if f.refusal != ClassNone {
		r.desk.shun(f.id)
	}
	if sighting, told := conclude(f, standing, err); told {
		o := r.observation(q)
		o.Sightings = []rollcall.Sighting{sighting}
		r.emit(o)
		return
	}
	r.untold(f.id, err)
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
	case standing.Status != rollcall.StatusEnded:
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
		r.skip(id)
	case err == nil:
		err = errors.New("look up a meeting: the answer has no status")
		r.blame(ClassMalformed, err)
		r.unanswered(ClassMalformed, id)
	case class == ClassBadRequest || class == ClassPermission:
		r.isolate(id, class, err)
	default:
		r.unanswered(class, id)
	}
}

// endTime asks when a meeting ended, without a number of its own: what it
// tells goes with the answer at hand.
func (r *run) endTime(deadline time.Time, id string) (end time.Time, err error) {
	err = r.tryUntil(deadline, OpLookup, func(ctx context.Context) error {
		ctx, cancel := context.WithDeadline(ctx, deadline)
		defer cancel()
		standing, err := r.p.Source.Lookup(ctx, id)
		if standing.Status == rollcall.StatusEnded {
			end = standing.EndTime
		}
		return err
	})
	return end, err
}
