package poller

import (
	"context"
	"errors"
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
	again    []string   // doubted and going on: to be asked about once more, together
	cleared  bool       // nobody is doubted any more
	roll     roll
	probes   int              // queries that halving has cost for the batch at hand
	spoilt   int              // batches that were refused because of ended meetings
	sampled  map[string]error // asked about by themselves, to see whether all are refused alike: how they are
	witness  string           // a meeting that a query of this pass accepted
	queries  int              // that were answered
	absent   []absentee
	largest  int           // meetings in an answer that left some out
	routine  int           // lookups that most likely tell nothing new
	known    bool          // an answer left out whom it is known to leave out
	between  time.Duration // from the shard's pass before to this one

	report       Report
	trouble      Class            // of the first fault that was not about one meeting
	failures     int              // queries in a row that failed though they were tried again
	lookupFaults int              // lookups in a row that told nothing
	refusals     int              // queries in a row that were refused as bad
	halt         *halt            // nothing more is asked
	bars         map[string]*halt // nothing more is asked in this way
}

// halt ends the asking of a pass. With [ClassNone] the pass itself is over and
// what is left was not reached; else what is left is unanswered.
type halt struct {
	class Class
	err   error
}

func (p *Poller) begin(ctx context.Context, ask Ask) *run {
	r := &run{p: p, ctx: ctx, ask: ask, desk: p.deskOf(ask.Shard)}
	agenda := &r.desk.agenda
	agenda.set(ask.IDs, ask.Later)
	r.between = r.desk.elapsed(r.p.now())
	for _, id := range distinct(ask.Lookups) {
		r.later = append(r.later, followUp{id: id})
	}
	r.report.Asked = len(agenda.ids) + len(r.later)
	r.desk.keep(agenda.all)
	r.sortOut(agenda.ids, agenda.all)
	return r
}

// sortOut leaves out the meetings that wait in quarantine, and those whose end
// is known but for its time. Those of all that are not asked about stay where
// they are.
func (r *run) sortOut(ids, all []string) {
	r.p.mu.Lock()
	defer r.p.mu.Unlock()
	now := r.p.now()
	if r.ask.Shard >= 0 {
		r.p.quarantine.keep(r.ask.Shard, all)
	}
	if len(r.p.quarantine.cells) == 0 && r.desk.calm() {
		r.healthy = ids
		return
	}
	for _, id := range ids {
		class, due := r.p.quarantine.find(id, now)
		switch e := r.desk.ends[id]; {
		case e != nil:
			r.later = append(r.later, followUp{id: id, end: e})
		case r.desk.rests(id, now):
			r.unanswered(ClassNone, id)
		case class == ClassNone && r.desk.alone[id] && r.desk.waits(id, now):
			r.known = true
			r.unanswered(ClassNone, id)
		case due || class == ClassNone && r.desk.alone[id]:
			r.suspects = append(r.suspects, id)
		case class == ClassNone:
			r.healthy = append(r.healthy, id)
		default:
			r.unanswered(class, id)
			r.apart(id)
		}
	}
}

func (r *run) askAll() {
	r.report.Good = len(r.healthy)+len(r.suspects)+len(r.later)+len(r.report.Apart) == 0
	r.queryAll()
	for i := range r.suspects {
		r.suspect(r.suspects[i : i+1])
	}
	r.followUps()
	r.cleared = true
	slices.Sort(r.again)
	r.batches(r.again)
	r.followUps()
}

// queryAll asks about the healthy meetings. A pass that gave up before it had
// asked about all of them is followed by one that begins with the others.
func (r *run) queryAll() {
	start, _ := slices.BinarySearch(r.healthy, r.desk.first)
	r.desk.first = ""
	r.batches(r.healthy[start:])
	r.batches(r.healthy[:start])
}

func (r *run) batches(ids []string) {
	for len(ids) > 0 {
		n := min(r.p.BatchLimit(), len(ids))
		if r.halt != nil && r.desk.first == "" {
			r.desk.first = ids[0]
		}
		r.probes = 0
		r.batch(ids[:n])
		ids = ids[n:]
	}
}

// suspect asks about one that spoiled a batch before. Whatever it fails with, it
// waits longer the next time.
func (r *run) suspect(id []string) {
	r.refusals = 0
	if v, class, err := r.put(id); v == refused {
		r.closed(id, class)
	} else if v != accepted && r.halt == nil {
		r.isolate(id[0], class, err)
	}
}

// batch asks about some meetings with one query, or with several smaller ones
// where that one is refused. It says whether all of them were accepted.
func (r *run) batch(ids []string) bool {
	ids = r.unsampled(ids)
	if len(ids) == 0 {
		return true
	}
	v, class, err := r.put(ids)
	switch v {
	case refused:
		r.closed(ids, class)
	case rejected:
		return r.rejected(ids, err)
	}
	return v == accepted
}

// probe is batch for who searches: what is refused because of ended meetings is
// left to the caller.
func (r *run) probe(ids []string) verdict {
	v, _, err := r.put(ids)
	if v != rejected {
		return v
	}
	if r.rejected(ids, err) {
		return accepted
	}
	return failed
}

// verdict is what became of a query.
type verdict uint8

const (
	failed   verdict = iota // nothing is known of its meetings, and that is noted
	accepted                // its answer is emitted
	refused                 // because of some of its meetings that are over; nothing is noted
	rejected                // because of some of its ids, or whoever asks; nothing is noted
)

func (r *run) put(ids []string) (verdict, Class, error) {
	if h := r.barred(OpQuery); h != nil {
		r.skip(h, ids...)
		return failed, h.class, h.err
	}
	q, answers, err := r.query(ids)
	class := ClassOf(err)
	switch {
	case err == nil:
		r.answered(q, ids, answers)
		return accepted, class, nil
	case r.halt != nil:
		r.skip(r.halt, ids...)
	case class == ClassEnded || class == ClassUnknown:
		return refused, class, err
	case class == ClassBadRequest:
		return rejected, class, err
	default:
		r.unanswered(class, ids...)
	}
	return failed, class, err
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

// apart notes until when a meeting waits in quarantine; the poller's lock is held.
func (r *run) apart(id string) {
	if r.report.Apart == nil {
		r.report.Apart = make(map[string]time.Time)
	}
	r.report.Apart[id] = onWall(r.p.now(), r.p.quarantine.cells[id].until)
}

// skip notes meetings that are not asked about because nothing more is.
func (r *run) skip(h *halt, ids ...string) {
	if h.class != ClassNone {
		r.unanswered(h.class, ids...)
	}
}

// stop halts the pass; the first reason stays.
func (r *run) stop(class Class, err error) {
	if r.halt == nil {
		r.halt = &halt{class, err}
	}
	r.blame(class, err)
}

// fault notes a fault that is perhaps only about one meeting; the first one stays.
func (r *run) fault(err error) {
	if r.report.Err == nil {
		r.report.Err = err
	}
}

// blame notes a fault that is not about one meeting; the first one stays.
func (r *run) blame(class Class, err error) {
	r.fault(err)
	if r.trouble == ClassNone {
		r.trouble = class
	}
}

func (r *run) finish() Report {
	r.report.Good = r.report.Good || r.report.Answered > 0 || r.known
	r.tellAbsent()
	r.blind()
	if r.report.Good {
		r.desk.lastGood = r.p.now()
	}
	r.report.LastGood = r.desk.lastGood
	r.desk.spoilt = max(r.spoilt, r.desk.spoilt/2)
	class := r.trouble
	if r.halt != nil {
		class = r.halt.class
	}
	if r.halt != nil || len(r.bars) > 0 {
		r.report.Until = r.p.heldUntil(r.bars)
	}
	r.report.State = stateOf(class, r.report.Good)
	r.report.Alone = r.desk.words()
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
	return r.report.Calls > 0 || len(r.bars) > 0 || r.trouble != ClassNone
}

// blind notes that nothing was learned though nothing keeps the tenant from
// asking: all that could be asked about is refused, or waits in quarantine; and
// that lookups fail whosever they are, also where none was due.
func (r *run) blind() {
	row := &r.desk.row
	switch {
	case r.halt != nil || r.trouble != ClassNone:
	case row.wide():
		r.blame(row.class, row.err)
	case !r.report.Good && len(r.report.Apart) > 0:
		r.blame(ClassBadRequest, errors.New("all meetings are refused by themselves; nothing is asked before their quarantine ends"))
	case !r.report.Good && r.report.Err != nil:
		r.blame(ClassOf(r.report.Err), r.report.Err)
	}
}

// log tells what has changed since the shard's last pass.
func (r *run) log() {
	what, failures := r.desk.streak.note(r.trouble)
	if r.another(what) {
		return
	}
	fields := []zap.Field{zap.Int("shard", r.ask.Shard)}
	if what == turnRecovered {
		r.p.logger().Info("polling works again", append(fields, zap.Int("failures", failures))...)
		return
	}
	fields = append(fields, zap.Stringer("class", r.trouble), zap.Int("unanswered", len(r.report.Unanswered)), zap.Error(r.report.Err))
	if !r.report.Until.IsZero() {
		fields = append(fields, zap.Time("until", r.report.Until))
	}
	switch what {
	case turnFailing:
		r.p.logger().Log(levelOf(r.trouble), "polling fails", fields...)
	case turnDifferent:
		r.p.logger().Log(levelOf(r.trouble), "polling fails differently", fields...)
	}
}

// another reports whether another shard tells the same, or has told what is
// over now.
func (r *run) another(what turn) bool {
	was := r.desk.silent
	switch what {
	case turnFailing, turnDifferent:
		r.desk.silent = r.halt != nil && !r.p.tells(r.halt.class)
		return r.desk.silent
	case turnRecovered:
		r.desk.silent = false
		return was
	}
	return false
}

// levelOf is louder for what does not pass before somebody mends it.
func levelOf(class Class) zapcore.Level {
	switch class {
	case ClassQuota, ClassPermission, ClassToken, ClassBlocked, ClassBadRequest:
		return zapcore.ErrorLevel
	}
	return zapcore.WarnLevel
}
