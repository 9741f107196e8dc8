package poller

import (
	"context"
	"errors"
	"slices"
	"time"

	"rollcall/internal/streak"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// run is one pass under way: what its parts share.
type run struct {
	poller  *Poller
	ask     Ask
	shard   *shardState
	between time.Duration // from the shard's pass before to this one
	heldUp  time.Duration // the last answer, until it was taken
	late    []func()      // to be called when calls are over that the pass went on without

	calls   caller
	queries queries
	ended   endedSearch
	refused refusalSearch
	lookups lookups
	tally   tally
}

func (p *Poller) begin(ctx context.Context, ask Ask) *run {
	r := &run{poller: p, ask: ask, shard: p.shardState(ask.Shard)}
	if r.ask.Late == nil {
		r.ask.Late = func() func() { return func() {} }
	}
	r.shard.turn.take()
	r.calls = p.caller(ctx, r.shard.turn, &r.tally)
	r.queries.run, r.ended.run, r.ended.list.run, r.refused.run, r.lookups.run = r, r, r, r, r
	input := &r.shard.input
	input.set(ask.IDs, ask.Later)
	r.between = r.shard.elapsed(r.now())
	for _, id := range distinct(ask.Lookups) {
		r.lookups.add(lookupTask{id: id})
	}
	r.tally.Asked = len(input.ids) + len(r.lookups.tasks)
	r.shard.keep(input.all)
	if ask.Shard >= 0 {
		p.quarantine.keep(ask.Shard, input.all)
	}
	r.sort(input.ids)
	return r
}

func (r *run) now() time.Time { return r.calls.gate.clock() }

// sort sorts the meetings by how they are asked about. It leaves out those that
// wait in quarantine, and those whose end is known but for its time.
func (r *run) sort(ids []string) {
	if r.poller.quarantine.empty() && r.shard.uniform() {
		r.queries.healthy = ids
		return
	}
	now := r.now()
	for _, id := range ids {
		class, until := r.poller.quarantine.find(id)
		locked, spoiler := class != ClassNone, r.shard.spoilers[id]
		switch end := r.shard.pendingEnds[id]; {
		case end != nil:
			r.lookups.add(lookupTask{id: id, end: end})
		case r.shard.underWay[id]:
			r.tally.underWay(id)
		case r.shard.justEnded(id, now):
			r.tally.unanswered(ClassNone, id)
		case locked && now.Before(until):
			r.tally.unanswered(class, id)
			r.tally.apart(id, onWall(now, until))
		case !locked && spoiler && r.shard.lookups.wait(id, now):
			r.tally.known(id)
		case locked || spoiler:
			r.queries.suspects = append(r.queries.suspects, id)
		default:
			r.queries.healthy = append(r.queries.healthy, id)
		}
	}
}

func (r *run) askAll() {
	if len(r.queries.healthy)+len(r.queries.suspects)+len(r.lookups.tasks)+len(r.tally.Apart)+len(r.shard.underWay) == 0 {
		r.tally.Good = true
	}
	r.queries.all()
	r.lookups.all()
	r.ended.settled = true
	slices.Sort(r.lookups.recheck)
	r.queries.batches(r.lookups.recheck)
	r.lookups.all()
	r.askMembers(r.ask.Members)
}

// isolate puts a meeting that is refused even alone into quarantine.
func (r *run) isolate(id string, class Class, err error) {
	r.tally.unanswered(class, id)
	r.tally.fault(err)
	if r.ask.Shard < 0 {
		return // the meeting's own shard will find it
	}
	now := r.now()
	until, again := r.poller.quarantine.lock(id, r.ask.Shard, class, now)
	r.tally.apart(id, onWall(now, until))
	level := zapcore.WarnLevel
	if again {
		level = zapcore.DebugLevel
	}
	r.poller.logger().Log(level, "quarantine a meeting that is refused by itself",
		zap.String("meeting", id), zap.Time("until", until), zap.Error(err))
}

// release ends the quarantine of meetings that were accepted.
func (r *run) release(ids ...string) {
	for _, id := range r.poller.quarantine.release(ids...) {
		r.poller.logger().Info("release a meeting from quarantine", zap.String("meeting", id))
	}
}

func (r *run) finish() Report {
	t := &r.tally
	t.Good = t.Good || t.Answered > 0
	r.lookups.logAbsent()
	r.findBlindness()
	if t.Good {
		r.shard.lastGood = r.now()
	}
	t.LastGood = r.shard.lastGood
	r.shard.spoiled = max(r.ended.spoiled, r.shard.spoiled/2)
	class := t.trouble
	if r.calls.stopped != nil {
		class = r.calls.stopped.class
	}
	if r.calls.stopped != nil || len(r.calls.blocked) > 0 {
		t.Until = r.calls.gate.until(r.calls.blocked)
	}
	t.State = stateOf(class, t.Good)
	t.Alone = r.shard.lookups.words()
	if r.conclusive() {
		r.log()
	}
	return t.Report
}

// conclusive reports whether the pass shows how the tenant fares: not one that
// asked nothing, nor one that was ended from outside.
func (r *run) conclusive() bool {
	if r.calls.stopped != nil {
		return r.calls.stopped.class != ClassNone
	}
	return r.tally.Calls > 0 || len(r.calls.blocked) > 0 || r.tally.trouble != ClassNone
}

// findBlindness notes that nothing was learned though nothing keeps the tenant
// from asking: all that could be asked about is refused, or waits in quarantine;
// and that all lookups fail, even where none was due.
func (r *run) findBlindness() {
	t, failed := &r.tally, &r.shard.failed
	switch {
	case r.calls.stopped != nil || t.trouble != ClassNone:
	case failed.general():
		t.blame(failed.class, failed.err)
	case !t.Good && len(t.Apart) > 0:
		t.blame(ClassBadRequest, errors.New("all meetings are refused by themselves; nothing is asked before their quarantine ends"))
	case !t.Good && t.Err != nil:
		t.blame(ClassOf(t.Err), t.Err)
	}
}

// log logs what has changed since the shard's last pass.
func (r *run) log() {
	change := r.shard.streak.Note(r.tally.trouble.cause())
	if r.silent(change.Kind) {
		return
	}
	log := r.poller.logger().With(zap.Int("shard", r.ask.Shard))
	if change.Kind == streak.Recovered {
		log.Info("polling works again", zap.Int("failures", change.Failures), zap.Duration("took", change.Took))
		return
	}
	class := r.tally.trouble
	fields := []zap.Field{zap.Stringer("class", class), zap.Int("unanswered", len(r.tally.Unanswered)), zap.Error(r.tally.Err)}
	if !r.tally.Until.IsZero() {
		fields = append(fields, zap.Time("until", r.tally.Until))
	}
	message := "polling fails"
	if change.Kind == streak.NewCause {
		message = "polling still fails, with a new cause"
	}
	log.Log(levelOf(class), message, fields...)
}

// silent reports whether there is nothing to log: nothing has changed, another
// shard logs the same, or has logged what is over now.
func (r *run) silent(change streak.Kind) bool {
	was := r.shard.silent
	switch change {
	case streak.Failing, streak.NewCause:
		r.shard.silent = r.calls.stopped != nil && !r.calls.gate.firstToLog(r.calls.stopped.class)
		return r.shard.silent
	case streak.Recovered:
		r.shard.silent = false
		return was
	}
	return true
}

// levelOf is higher for what does not pass before somebody fixes it.
func levelOf(class Class) zapcore.Level {
	switch class {
	case ClassQuota, ClassPermission, ClassToken, ClassBlocked, ClassBadRequest:
		return zapcore.ErrorLevel
	}
	return zapcore.WarnLevel
}
