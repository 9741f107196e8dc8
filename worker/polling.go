package worker

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"rollcall"
	"rollcall/internal/lately"
	"rollcall/internal/tracing"
	"rollcall/poller"
	"rollcall/worker/backlog"
)

// errPaused ends a pass whose answers have no room left.
var errPaused = errors.New("polling pauses: too many observations wait for NATS")

// polling asks about a shard's meetings. Passes belong to the tenant's loop,
// one at a time; what is atomic any goroutine may read.
type polling struct {
	*scope
	own      *ownership
	meetings *meetings // it sees only their plan
	queue    *backlog.Lane
	lists    *memberLists
	stir     func() // others are to know at once how the shard is
	recent   *recentChanges

	storing lately.Duration // from an answer until it is stored

	asking atomic.Int32 // questions under way
	good   atomic.Pointer[time.Time]
	begun  atomic.Pointer[time.Time] // when the last good pass began
	last   atomic.Pointer[lastPass]  // nil: there was none
	bad    atomic.Pointer[lastPass]  // the last with nothing answered; nil: there was none

	// Under which lease the meetings were asked about as follows. What was asked
	// under an earlier one does not count: its answer may have been dropped.
	lease *lease
	slow  map[string]time.Time // when slow meetings were asked about
	asked map[string]time.Time // the same of all, where not all can be asked about
}

// lastPass is how a shard's last pass went.
type lastPass struct {
	poller.Report
	lease *lease
	at    time.Time
}

// pass asks about the shard's meetings that are due, as far as the calls go; asked
// is false where the lease is over.
func (p *polling) pass(ctx context.Context, l *lease, calls int) (report poller.Report, asked bool) {
	if p.lease != l {
		p.lease, p.slow, p.asked = l, nil, nil
	}
	now, hinted := time.Now(), p.hinted()
	ids, later := p.choose(p.due(now, hinted), hinted, calls, now)
	members, alone := p.lists.due(now, calls)
	if report, asked = p.ask(ctx, l, poller.Ask{Shard: p.number, IDs: ids, Later: later, Members: members}); !asked {
		return report, false
	}
	p.lists.passed(&report, members)
	p.tellAlone(ctx, l, alone)
	for _, id := range ids {
		if report.Unanswered[id] == poller.ClassNone && !report.UnderWay[id] {
			p.tenant.Hints.answered(id, hinted[id])
		}
	}
	before := p.state()
	ended := time.Now()
	last := &lastPass{report, l, ended}
	p.last.Store(last)
	if report.Good {
		p.good.Store(&ended)
		p.begun.Store(&now)
	} else {
		p.bad.Store(last)
	}
	if report.State != before {
		p.stir() // others publish the tenant's status, too
	}
	if report.Answered == 0 {
		p.queue.Wake() // no observation does
	}
	return report, true
}

// ask asks in this lease. What is answered is queued. Once the lease is over
// nothing is asked: the queue of a shard that was let go may be closed. The
// goroutine that lets go of it looks at asking afterwards, so that one of the
// two sees the other.
func (p *polling) ask(ctx context.Context, l *lease, ask poller.Ask) (report poller.Report, asked bool) {
	ask.Emit = p.emitter(ctx, ask.Shard)
	p.asking.Add(1)
	defer p.finished()
	if p.own.held() != l {
		return poller.Report{}, false
	}
	ask.Next = l.next
	ask.Late = func() func() {
		p.asking.Add(1)
		return p.finished
	}
	return p.tenant.Asker.Pass(ctx, ask), true
}

// tellAlone queues what was observed of meetings whose list could not be read in time.
func (p *polling) tellAlone(ctx context.Context, l *lease, records []*rollcall.Record) {
	emit := p.emitter(ctx, p.number)
	p.asking.Add(1)
	defer p.finished()
	for _, r := range records {
		told, err := p.lists.summary(ctx, r, nil, false)
		if p.lists.trouble.Note(err); err != nil || p.own.held() != l {
			continue
		}
		now := time.Now().UTC()
		_ = emit(ctx, rollcall.Observation{ // what is paused waits in the queue
			Tenant: p.tenant.Name, Shard: p.number, Number: l.next(), AskedAt: now, AnsweredAt: now, Sightings: []rollcall.Sighting{told},
		})
	}
}

// emitter returns what takes the answers to questions asked from now on, and queues them.
func (p *polling) emitter(ctx context.Context, shard int) func(context.Context, rollcall.Observation) error {
	era := p.ground.Replaced()
	return func(emitting context.Context, obs rollcall.Observation) error {
		if era != p.ground.Replaced() {
			p.metrics.dropped.WithLabelValues(p.tenant.Name, "foreign").Inc()
			return nil // it was asked under a claim of a ledger that no longer exists
		}
		p.mask(&obs)
		if !p.lists.tell(emitting, obs.Sightings) {
			return nil
		}
		obs.Trace = tracing.Parent(emitting)
		answered, call := obs.AnsweredAt, obs.AnsweredAt.Sub(obs.AskedAt)
		p.queue.Push(&obs)
		if p.queue.Full() {
			return errPaused
		}
		p.waitForCommit(ctx)
		if shard == p.number && p.tenant.Schedule.Continuous() {
			p.waitForLedger(ctx)
			p.waitForOverlap(ctx, answered, call)
		}
		return nil
	}
}

// finished lets others know where this was all that they waited for.
func (p *polling) finished() {
	if p.asking.Add(-1) == 0 && p.own.held() == nil {
		p.stir()
		p.queue.Wake()
	}
}

// adHocShard is the shard number of questions outside the schedule: one of its
// own keeps what the poller remembers of the others.
const adHocShard = -1

// pollOne asks about one meeting outside the schedule.
func (p *polling) pollOne(ctx context.Context, l *lease, id string) (report poller.Report, asked bool) {
	return p.ask(ctx, l, poller.Ask{Shard: adHocShard, IDs: []string{id}})
}

// lookUp looks these meetings up outside the schedule.
func (p *polling) lookUp(ctx context.Context, l *lease, ids []string) {
	p.ask(ctx, l, poller.Ask{Shard: adHocShard, Lookups: ids})
}

// mask keeps what is not to be kept of people out of the journal; of records and
// events the comparison keeps it.
func (p *polling) mask(obs *rollcall.Observation) {
	rules, erased := p.tenant.rules(), p.meetings.plan().erased
	for i := range obs.Sightings {
		s := &obs.Sightings[i]
		s.Answer = rules.Mask(p.tenant.Name, s.ConferenceID, erased[s.ConferenceID], s.Answer)
		s.Members = rules.MaskMembers(p.tenant.Name, s.ConferenceID, erased[s.ConferenceID], s.Members)
	}
}

// lastGood is when the last pass that was answered was over.
func (p *polling) lastGood() time.Time { return instant(&p.good) }

// state is how the last pass went.
func (p *polling) state() string {
	if last := p.last.Load(); last != nil {
		return last.State
	}
	return ""
}

// skips reports whether the calls are used up before the shard's turn came.
func (p *polling) skips(calls int) bool {
	plan := p.meetings.plan()
	return calls <= 0 && len(plan.ids)+len(plan.slow) > 0
}
