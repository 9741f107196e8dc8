package poller

import (
	"context"
	"errors"
	"slices"
	"time"

	"go.uber.org/zap"

	"rollcall"
)

// lookups asks about meetings one by one, after the queries.
type lookups struct {
	run     *run
	tasks   []lookupTask
	queued  map[string]bool // the ids of tasks
	recheck []string        // suspected and going on: to be asked about once more, together
	faults  int             // lookups in a row that said nothing
	routine int             // lookups that most likely say nothing new
	absent  []lookupTask    // that are not over, and that queries were found to leave out
}

// lookupTask is a meeting to be asked about alone, since a query left it out
// or was refused, perhaps because of it; or since a query said that it has ended.
type lookupTask struct {
	id        string
	refusal   Class           // how the query was refused; none: it left the meeting out
	suspected bool            // the query may have been refused because of others
	end       *pendingEnd     // the end whose time is looked for; nil: whether it has ended
	found     rollcall.Status // what the lookup said
}

// add has a meeting looked up, once, whatever leads to it.
func (l *lookups) add(task lookupTask) {
	if l.queued[task.id] {
		return
	}
	if l.queued == nil {
		l.queued = make(map[string]bool)
	}
	l.queued[task.id] = true
	l.tasks = append(l.tasks, task)
}

// leftOut takes a meeting that is not in a complete answer: it is looked up,
// unless a lookup said a while ago what to make of that.
func (l *lookups) leftOut(id string) {
	state := l.run.shard.lookups[id]
	switch {
	case state == nil || !state.waits(l.run.now()):
		l.add(lookupTask{id: id})
	case state.failing():
		l.run.tally.unanswered(state.class, id)
	default:
		l.run.tally.known(id)
	}
}

// all makes the lookups, those first whose turn was longest ago: what fails does
// not keep others waiting.
func (l *lookups) all() {
	slices.SortStableFunc(l.tasks, func(a, b lookupTask) int { return l.lastTurn(a).Compare(l.lastTurn(b)) })
	for _, task := range l.tasks {
		if task.end != nil {
			l.findEnd(task.end)
		} else {
			l.do(task)
		}
	}
	l.tasks, l.queued = nil, nil
}

// lastTurn returns when a meeting was looked up without being done with; zero: never.
func (l *lookups) lastTurn(task lookupTask) time.Time {
	if task.end != nil {
		return task.end.asked
	}
	if state := l.run.shard.lookups[task.id]; state != nil {
		return state.asked
	}
	return time.Time{}
}

// do asks about one meeting and emits what is said.
func (l *lookups) do(task lookupTask) {
	r, shard := l.run, l.run.shard
	if refusal := r.calls.forbids(OpLookup); refusal != nil {
		r.tally.skipped(refusal, task.id)
		return
	}
	if l.putOff(task) {
		r.tally.unanswered(ClassNone, task.id)
		return
	}
	// One that failed the last time, too, is not tried twice.
	try := r.calls.callTwice
	if shard.lookups.failing(task.id) {
		try = r.calls.call
	}
	q, standing, err := l.ask(try, task.id)
	if task.suspected && innocent(standing, err) {
		l.recheck = append(l.recheck, task.id)
		shard.unlisted[task.id] = true
		return
	}
	if task.refusal != ClassNone && !task.suspected {
		shard.spoilers[task.id] = true
	}
	sighting, concluded := conclude(task, standing, err)
	if !concluded {
		l.failed(task.id, err)
		return
	}
	r.release(task.id)
	l.remember(task, sighting.Kind, standing)
	r.emitOne(q, sighting)
}

// putOff reports whether a lookup that most likely says nothing new has to wait
// for another pass: it takes no more of a budget than queries do.
func (l *lookups) putOff(task lookupTask) bool {
	state := l.run.shard.lookups[task.id]
	if l.run.poller.Spend == nil || state == nil || state.status == rollcall.StatusUnknown {
		return false
	}
	l.routine++
	return l.routine > max(l.run.queries.answered, 1)
}

// ask makes one lookup by the given way of calling.
func (l *lookups) ask(try func(string, func(context.Context) error) error, id string) (q question, standing Standing, err error) {
	err = try(OpLookup, func(ctx context.Context) error {
		return l.run.numbered(&q, func() (err error) {
			standing, err = l.run.poller.Source.Lookup(ctx, id)
			return err
		})
	})
	l.count(id, standing, err)
	return q, standing, err
}

// count follows the lookups that fail in a row, over passes; once some have,
// this pass makes no further lookups.
func (l *lookups) count(id string, standing Standing, err error) {
	class := ClassOf(err)
	if err == nil && standing.Status == rollcall.StatusUnknown {
		class, err = ClassMalformed, errNoStatus()
	}
	if l.run.calls.stopped != nil {
		return
	}
	shard := l.run.shard
	state := shard.lookups[id]
	switch {
	case !saysNothing(class):
		l.faults = 0
		shard.failed = failedLookups{}
		shard.lookups.answered(id)
		return
	case state != nil && state.own:
		return
	}
	shard.failed.add(id, class, err)
	if l.faults++; l.faults >= mostAlike {
		l.run.calls.block(OpLookup, class, err)
	}
}

// saysNothing reports whether a lookup that ends so says nothing about its
// meeting, and perhaps nothing about the others either.
func saysNothing(class Class) bool {
	return passing(class) || class == ClassPermission || class == ClassBadRequest
}

func errNoStatus() error { return errors.New("look up a meeting: the answer has no status") }

// innocent reports whether the query that a meeting was part of was refused
// because of others. One that a lookup does not know has that still to show.
func innocent(standing Standing, err error) bool {
	return ClassOf(err) == ClassUnknown || err == nil && goesOn(standing.Status)
}

func goesOn(s rollcall.Status) bool {
	return s == rollcall.StatusStarted || s == rollcall.StatusInitialized
}

// conclude returns what a lookup says about a meeting, if anything.
func conclude(task lookupTask, standing Standing, err error) (rollcall.Sighting, bool) {
	s := rollcall.Sighting{ConferenceID: task.id}
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
		s.Kind, s.Reason = rollcall.SightingEnded, rollcall.ReasonStatus
		s.StartTime, s.EndTime = standing.StartTime, standing.EndTime
		if task.refusal == ClassEnded {
			s.Reason = rollcall.ReasonResourceClosed
		}
	}
	return s, true
}

// spoilersFirst is how often a meeting is looked up with every pass that a
// query was refused because of, though it goes on: that may pass.
const spoilersFirst = 2

// remember keeps what a lookup said for the passes to come.
func (l *lookups) remember(task lookupTask, kind rollcall.SightingKind, standing Standing) {
	now, shard := l.run.now(), l.run.shard
	switch kind {
	case rollcall.SightingEnded:
		shard.endedAt[task.id] = now
		delete(shard.lookups, task.id)
	case rollcall.SightingMissed:
		shard.lookups.of(task.id).misses(now)
	case rollcall.SightingOngoing:
		first := 0
		if task.refusal != ClassNone {
			first = spoilersFirst
		}
		if changed := shard.lookups.of(task.id).goesOn(now, standing, first); changed && task.refusal == ClassNone {
			task.found = standing.Status
			l.absent = append(l.absent, task)
		}
	}
}

// logAbsent logs the meetings that queries were found to leave out, all together.
func (l *lookups) logAbsent() {
	going := slices.DeleteFunc(slices.Clone(l.absent), func(t lookupTask) bool { return t.found != rollcall.StatusStarted })
	if len(going) > 0 {
		l.run.poller.logger().Warn("queries leave out meetings that go on; they are looked up by themselves, and nobody in them is seen: "+
			"where answers hold only so many, set poll.batch_size to that", zap.Int("meetings", len(going)),
			zap.String("meeting", going[0].id), zap.Int("most_in_an_answer", l.run.queries.largest))
	}
	if n := len(l.absent) - len(going); n > 0 {
		l.run.poller.logger().Info("queries leave out meetings that have not begun; they are looked up by themselves", zap.Int("meetings", n))
	}
}

// failed notes a meeting whose lookup said nothing.
func (l *lookups) failed(id string, err error) {
	r, class := l.run, ClassOf(err)
	if err == nil {
		class, err = ClassMalformed, errNoStatus()
	}
	if r.calls.stopped != nil {
		r.tally.skipped(r.calls.stopped, id)
		return
	}
	r.tally.unanswered(class, id)
	state := r.shard.lookups.of(id)
	before := state.failing() && state.count > 0
	state.fails(r.now(), class, err)
	r.tally.fault(err)
	switch {
	case class == ClassBadRequest, class == ClassPermission && before:
		l.isolate(id, class, err)
	case before && state.count == 2:
		r.poller.logger().Warn("the lookup of a meeting fails; it is tried ever more rarely",
			zap.String("meeting", id), zap.Stringer("class", class), zap.Error(err))
	}
}

// isolate puts a meeting into quarantine whose lookup is refused, unless the
// lookups of others are as well: then it is none of theirs.
func (l *lookups) isolate(id string, class Class, err error) {
	shard := l.run.shard
	if shard.lookups[id].own || shard.failed.only(id) {
		l.run.isolate(id, class, err)
		return
	}
	for id := range shard.failed.ids {
		l.run.release(id)
	}
}
