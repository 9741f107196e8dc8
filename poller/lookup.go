package poller

import (
	"context"
	"errors"
	"slices"
	"time"

	"go.uber.org/zap"

	"rollcall"
)

// followUp is a meeting to be asked about by itself, since a query left it out
// or was refused, perhaps because of it; or since a query said that it has ended.
type followUp struct {
	id      string
	refusal Class   // how the query was refused; none: it left the meeting out
	doubted bool    // the query may have been refused because of others
	end     *ending // the end whose time is looked for; nil: whether it has ended
}

// followUps asks about the meetings that were put down, those first whose turn
// was longest ago: what fails does not keep others waiting.
func (r *run) followUps() {
	slices.SortStableFunc(r.later, func(a, b followUp) int { return r.lastTurn(a).Compare(r.lastTurn(b)) })
	for _, f := range r.later {
		if f.end != nil {
			r.findEnd(f.end)
		} else {
			r.followUp(f)
		}
	}
	r.later = nil
}

// lastTurn is when a meeting was looked up without being done with; zero: never.
func (r *run) lastTurn(f followUp) time.Time {
	if f.end != nil {
		return f.end.asked
	}
	if l := r.desk.lone[f.id]; l != nil {
		return l.asked
	}
	return time.Time{}
}

// followUp asks about one meeting and emits what is told.
func (r *run) followUp(f followUp) {
	if h := r.barred(OpLookup); h != nil {
		r.skip(h, f.id)
		return
	}
	if r.putOff(f) {
		r.unanswered(ClassNone, f.id)
		return
	}
	q, standing, err := r.lookUp(f.id)
	if f.doubted && innocent(standing, err) {
		r.again = append(r.again, f.id)
		r.desk.elsewhere[f.id] = true
		return
	}
	if f.refusal != ClassNone && !f.doubted {
		r.desk.alone[f.id] = true
	}
	sighting, told := conclude(f, standing, err)
	if !told {
		r.untold(f.id, err)
		return
	}
	r.acquit([]string{f.id})
	r.note(f, sighting.Kind, standing)
	o := r.observation(q)
	o.Sightings = []rollcall.Sighting{sighting}
	r.emit(o)
}

// putOff reports whether a lookup that most likely tells nothing new has to wait
// for another pass: of what a budget gives it takes no more than queries do.
func (r *run) putOff(f followUp) bool {
	l := r.desk.lone[f.id]
	if r.p.Spend == nil || l == nil || l.status == rollcall.StatusUnknown {
		return false
	}
	r.routine++
	return r.routine > max(r.queries, 1)
}

// lookUp asks about one meeting: once more where it fails in a way that may
// pass, unless it failed the last time, too. The others' lookups go on until
// some have failed in a row.
func (r *run) lookUp(id string) (q question, standing Standing, err error) {
	try := r.tryTwice
	if l := r.desk.lone[id]; l != nil && l.failing() {
		try = r.call
	}
	err = try(OpLookup, func(ctx context.Context) error {
		return r.numbered(&q, func() (err error) {
			standing, err = r.p.Source.Lookup(ctx, id)
			return err
		})
	})
	r.lookedUp(id, standing, err)
	return q, standing, err
}

// lookedUp follows the lookups that fail in a row, over passes; once some have,
// this pass makes no more of them.
func (r *run) lookedUp(id string, standing Standing, err error) {
	class := ClassOf(err)
	if err == nil && standing.Status == rollcall.StatusUnknown {
		class, err = ClassMalformed, errNoStatus()
	}
	if r.halt != nil {
		return
	}
	l := r.desk.lone[id]
	switch {
	case !fails(class):
		r.lookupFaults = 0
		r.desk.row = row{}
		r.desk.worked(id)
		return
	case l != nil && l.own:
		return
	}
	r.desk.row.note(id, class, err)
	if r.lookupFaults++; r.lookupFaults >= mostAlike {
		r.bar(OpLookup, class, err)
	}
}

// fails reports whether a lookup that ends so tells nothing of its meeting, and
// perhaps nothing of the others either.
func fails(class Class) bool {
	return passing(class) || class == ClassPermission || class == ClassBadRequest
}

func errNoStatus() error { return errors.New("look up a meeting: the answer has no status") }

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

// spoilersFirst is how often a meeting is looked up with every pass that a
// query was refused because of, though it goes on: that may pass.
const spoilersFirst = 2

// note remembers what a lookup told.
func (r *run) note(f followUp, kind rollcall.SightingKind, standing Standing) {
	now := r.p.now()
	switch kind {
	case rollcall.SightingEnded:
		r.desk.over[f.id] = now
		delete(r.desk.lone, f.id)
	case rollcall.SightingMissed:
		r.desk.loneOf(f.id).missed(now)
	case rollcall.SightingOngoing:
		first := 0
		if f.refusal != ClassNone {
			first = spoilersFirst
		}
		if news := r.desk.loneOf(f.id).goesOn(now, standing, first); news && f.refusal == ClassNone {
			r.absent = append(r.absent, absentee{f.id, standing.Status})
		}
	}
}

// absentee is a meeting that is not over, and that queries were found to leave out.
type absentee struct {
	id     string
	status rollcall.Status
}

// tellAbsent tells of meetings that nobody in is seen of, all together.
func (r *run) tellAbsent() {
	going := slices.DeleteFunc(slices.Clone(r.absent), func(a absentee) bool { return a.status != rollcall.StatusStarted })
	if len(going) > 0 {
		r.p.logger().Warn("queries leave meetings out that go on; they are looked up by themselves, and nobody in them is seen: "+
			"where answers hold only so many, set poll.batch_size to that", zap.Int("meetings", len(going)),
			zap.String("meeting", going[0].id), zap.Int("most_in_an_answer", r.largest))
	}
	if n := len(r.absent) - len(going); n > 0 {
		r.p.logger().Info("queries leave meetings out that have not begun; they are looked up by themselves", zap.Int("meetings", n))
	}
}

// untold notes a meeting whose lookup told nothing.
func (r *run) untold(id string, err error) {
	class := ClassOf(err)
	if err == nil {
		class, err = ClassMalformed, errNoStatus()
	}
	if r.halt != nil {
		r.skip(r.halt, id)
		return
	}
	r.unanswered(class, id)
	l := r.desk.loneOf(id)
	before := l.failing() && l.count > 0
	l.failed(r.p.now(), class, err)
	r.fault(err)
	switch {
	case class == ClassBadRequest, class == ClassPermission && before:
		r.blameAlone(id, class, err)
	case before && l.count == 2:
		r.p.logger().Warn("the lookup of a meeting fails; it is tried ever more rarely",
			zap.String("meeting", id), zap.Stringer("class", class), zap.Error(err))
	}
}

// blameAlone puts a meeting into quarantine whose lookup is refused, unless the
// lookups of others are as well: then it is none of theirs.
func (r *run) blameAlone(id string, class Class, err error) {
	if r.desk.lone[id].own || r.desk.row.alone(id) {
		r.isolate(id, class, err)
		return
	}
	for id := range r.desk.row.ids {
		r.acquit([]string{id})
	}
}
