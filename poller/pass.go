package poller

import (
	"context"
	"slices"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// run is one pass under way.
type run struct {
	p    *Poller
	ctx  context.Context
	ask  Ask
	desk *desk

	healthy  []string   // sorted; asked about in batches
	suspects []string   // spoiled a batch before; asked about one by one
	later    []followUp // to be looked up one by one, after the batches

	report   Report
	trouble  Class // of the first fault that was not about one meeting
	failures int   // questions in a row that failed though they were tried again
	refusals int   // queries in a row that were refused as bad
	halt     *halt // nothing more is asked
}

// halt ends the asking of a pass. With [ClassNone] the pass itself is over and
// what is left was not reached; else what is left is unanswered.
type halt struct {
	class Class
	err   error
}

func (p *Poller) begin(ctx context.Context, ask Ask) *run {
	ids := slices.DeleteFunc(slices.Clone(ask.IDs), func(id string) bool { return id == "" })
	slices.Sort(ids)
	ids = slices.Compact(ids)
	r := &run{p: p, ctx: ctx, ask: ask, desk: p.deskOf(ask.Shard)}
	r.report.Asked = len(ids)
	r.desk.keep(ids)
	r.sortOut(ids)
	return r
}

// sortOut leaves out the meetings that wait in quarantine.
func (r *run) sortOut(ids []string) {
	r.p.mu.Lock()
	defer r.p.mu.Unlock()
	now := time.Now()
	r.p.quarantine.keep(r.ask.Shard, ids)
	for _, id := range ids {
		switch class, due := r.p.quarantine.find(id, now); {
		case due || class == ClassNone && r.desk.alone[id]:
			r.suspects = append(r.suspects, id)
		case class == ClassNone:
			r.healthy = append(r.healthy, id)
		default:
			r.unanswered(class, id)
		}
	}
}

func (r *run) askAll() {
	r.report.Good = len(r.healthy)+len(r.suspects) == 0
	for ids := r.healthy; len(ids) > 0; {
		n := min(r.p.BatchLimit(), len(ids))
		r.batch(ids[:n])
		ids = ids[n:]
	}
	for i := range r.suspects {
		r.refusals = 0
		r.batch(r.suspects[i : i+1])
	}
	for _, f := range r.later {
		r.followUp(f)
	}
}

// batch asks about some meetings with one query, or with several smaller ones
// where that one is refused. It says whether all of them were accepted.
func (r *run) batch(ids []string) bool {
	if r.stopped() {
		r.skip(ids...)
		return false
	}
	q, answers, err := r.query(ids)
	switch class := ClassOf(err); {
	case err == nil:
		r.answered(q, ids, answers)
		return true
	case r.halt != nil:
		r.skip(ids...)
	case class == ClassEnded || class == ClassUnknown:
		r.search(ids, class)
	case class == ClassBadRequest:
		return r.narrow(ids, err)
	default:
		r.unanswered(class, ids...)
	}
	return false
}

// unanswered notes meetings about which nothing was learned.
func (r *run) unanswered(class Class, ids ...string) {
	if r.report.Unanswered == nil {
		r.report.Unanswered = make(map[string]Class)
	}
	for _, id := range ids {
		r.report.Unanswered[id] = class
	}
}

// skip notes meetings that are not asked about because the pass was halted.
func (r *run) skip(ids ...string) {
	if r.halt.class != ClassNone {
		r.unanswered(r.halt.class, ids...)
	}
}

// stop halts the pass; the first reason stays.
func (r *run) stop(class Class, err error) {
	if r.halt == nil {
		r.halt = &halt{class, err}
	}
	r.blame(class, err)
}

// blame notes a fault; the first one stays.
func (r *run) blame(class Class, err error) {
	if r.report.Err == nil {
		r.report.Err = err
	}
	if r.trouble == ClassNone && class != ClassBadRequest {
		r.trouble = class
	}
}

func (r *run) finish() Report {
	r.report.Good = r.report.Good || r.report.Answered > 0
	if r.report.Good {
		r.desk.lastGood = wall()
	}
	r.report.LastGood = r.desk.lastGood
	class := r.trouble
	if r.halt != nil {
		class = r.halt.class
		r.report.Until = r.p.heldUntil()
	}
	r.report.State = stateOf(class, r.report.Answered > 0)
	if r.telling() {
		r.log()
	}
	return r.report
}

// telling reports whether the pass shows how the tenant fares: not one that
// asked nothing, nor one that was ended from outside.
func (r *run) telling() bool {
	if r.halt != nil {
		return r.halt.class != ClassNone
	}
	return r.report.Calls > 0
}

// log tells what has changed since the shard's last pass.
func (r *run) log() {
	what, failures := r.desk.streak.note(r.trouble)
	fields := []zap.Field{zap.Int("shard", r.ask.Shard), zap.Int("failures", failures)}
	if what == turnRecovered {
		r.p.logger().Info("polling works again", fields...)
		return
	}
	fields = append(fields, zap.Stringer("class", r.trouble), zap.Int("unanswered", len(r.report.Unanswered)),
		zap.Time("until", r.report.Until), zap.Error(r.report.Err))
	switch what {
	case turnFailing:
		r.p.logger().Log(levelOf(r.trouble), "polling fails", fields...)
	case turnDifferent:
		r.p.logger().Log(levelOf(r.trouble), "polling fails differently", fields...)
	}
}

// levelOf is louder for what does not pass before somebody mends it.
func levelOf(class Class) zapcore.Level {
	switch class {
	case ClassQuota, ClassPermission, ClassToken, ClassBlocked:
		return zapcore.ErrorLevel
	}
	return zapcore.WarnLevel
}
