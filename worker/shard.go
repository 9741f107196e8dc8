package worker

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/cenkalti/backoff/v4"
	"go.uber.org/zap"

	"rollcall"
	"rollcall/internal/streak"
	"rollcall/poller"
	"rollcall/publisher"
	"rollcall/worker/backlog"
)

// shard is a part of a tenant's meetings, claimed and settled as one.
type shard struct {
	w        *Worker
	tenant   *tenant
	number   int
	of       int // how many shards the tenant's meetings form together
	log      *zap.Logger
	queue    *backlog.Lane
	orders   chan order
	looks    chan order    // those that change nothing: they are not kept waiting by a back-off
	over     chan struct{} // closed once nobody obeys any more
	assigned atomic.Bool   // it belongs to this worker
	blocked  atomic.Bool   // somebody else has not let go of it yet
	retired  atomic.Bool   // the meetings are divided otherwise now
	asking   atomic.Int32  // questions under way
	settled  atomic.Uint64 // observations so far
	good     atomic.Pointer[time.Time]
	suspect  atomic.Bool          // the claim is to be looked after
	held     atomic.Pointer[hold] // nil: not ours to ask about
	plan     atomic.Pointer[plan] // whom to ask about; never nil

	last atomic.Pointer[lastPass] // nil: there was none
	news news                     // which meetings changed lately

	// What follows belongs to the goroutine of run.
	entries           map[string]*entry
	stale             bool   // the plan is to be made anew
	own               *hold  // the last claim, also when it is lost; nil: there was none
	term              uint64 // of the claim under which entries were loaded
	lapses            uint64 // the heartbeat's lapses when they were last verified
	earlier           int    // how often in a row the ledger showed a claim before ours
	doubt             bool   // somebody else seems to hold the shard
	unclear           bool   // a commit was not acknowledged
	torn              map[string]torn
	examined          uint64    // stream sequence up to which entries were held against events; 0: they were not
	ground            uint64    // how often the ledger had been replaced when entries were loaded
	retry             time.Time // not claimed again before
	swept             time.Time // when meetings that never started were last looked for
	looked            time.Time // when the last pass was over that counts for them
	pause             backoff.BackOff
	trouble, claiming streak.Log
	surpassed         bool                     // a record bears a later term than the shard's own claim
	late              int                      // answers about meetings that came too late, since it was last said
	odd               map[rollcall.Oddity]bool // told once
	// No list brings back what an operator declined under this worker, but it
	// may what the configuration no longer names.
	declined map[string]time.Time // when a list last named it, or that was
	freed    map[string]bool
	unsure   map[string]bool // meetings of which it is to be read whether they are tracked
}

func newShard(t *tenant, number, of int) *shard {
	log := t.log
	if of > 1 {
		log = log.With(zap.Int("shard", number))
	}
	s := &shard{
		w: t.w, tenant: t, number: number, of: of, log: log,
		orders: make(chan order), looks: make(chan order), over: make(chan struct{}), pause: publisher.NewBackOff(),
		trouble:  streak.Log{Logger: log, What: "storing what was observed"},
		claiming: streak.Log{Logger: log, What: "claiming the shard"},
		odd:      map[rollcall.Oddity]bool{}, declined: map[string]time.Time{}, freed: map[string]bool{}, unsure: map[string]bool{},
	}
	s.plan.Store(&plan{})
	s.queue = s.lane()
	return s
}

// assign says whether the shard belongs to this worker, and whether somebody else
// has not let go of it yet. It is called at every heartbeat, so it must be cheap
// when nothing changes.
func (s *shard) assign(mine, blocked bool) {
	was := s.assigned.Swap(mine)
	s.blocked.Store(blocked)
	if was != mine || mine && s.held.Load() == nil {
		s.wakeUp()
	}
}

// waits is how many observations of the shard are to be settled.
func (s *shard) waits() int {
	n, _ := s.queue.Waiting()
	return n
}

// leaves reports whether the shard is not held and not let go of either: what
// was asked under its last claim is not settled yet.
func (s *shard) leaves() bool {
	return s.held.Load() == nil && (s.asking.Load() > 0 || s.waits() > 0)
}

// recheckLease lets the shard's goroutine look whether its claim is the last.
func (s *shard) recheckLease() {
	s.suspect.Store(true)
	s.wakeUp()
}

// hold takes the shard, or with nil gives it up.
func (s *shard) hold(h *hold) {
	if s.held.Swap(h) == h {
		return
	}
	s.w.stir()
	s.tenant.holding.Lock()
	defer s.tenant.holding.Unlock()
	if s.tenant.cfg.Holds == nil {
		return
	}
	held := 0
	for _, other := range s.tenant.shards() {
		if other.held.Load() != nil {
			held++
		}
	}
	s.tenant.cfg.Holds(held, len(s.tenant.shards()))
}

func (s *shard) wakeUp() { s.queue.Wake() }

// run settles what waits, and claims the shard when nothing of an earlier
// claim waits any more. It returns when ctx ends.
func (s *shard) run(ctx context.Context) {
	defer close(s.over)
	for ctx.Err() == nil {
		if s.moved() {
			s.giveUp()
		}
		s.serve(ctx)
		s.lookAfterClaim(ctx)
		if obs := s.queue.Take(); obs != nil {
			settled := s.settle(ctx, obs)
			s.makePlan()
			if settled {
				s.queue.Done(obs)
				s.settled.Add(1)
				s.w.noteSettled()
			}
			continue
		}
		s.sayLate()
		switch {
		case !s.assigned.Load() && s.held.Load() != nil:
			s.hold(nil) // nothing waits: whoever it belongs to may have it
		case s.retired.Load() && s.held.Load() == nil && !s.leaves():
			s.tenant.division.gone(s)
			s.queue.Close() // nothing is left in it
			return
		case s.assigned.Load() && !s.blocked.Load() && s.held.Load() == nil && !time.Now().Before(s.retry):
			s.tryClaim(ctx)
		case s.held.Load() == nil && s.entries != nil:
			s.entries = nil
			s.replan()
			s.makePlan()
		default:
			s.makeSure(ctx)
			s.sweep(ctx)
			select {
			case <-s.queue.Ready():
			case do := <-s.orders:
				do(ctx)
			case do := <-s.looks:
				do(ctx)
			case <-ctx.Done():
			}
		}
	}
}

// serve obeys an order that waits; the observations must not starve it.
func (s *shard) serve(ctx context.Context) {
	select {
	case do := <-s.orders:
		do(ctx)
	case do := <-s.looks:
		do(ctx)
	default:
	}
}

func (s *shard) tryClaim(ctx context.Context) {
	if !s.mayClaim(ctx) {
		return
	}
	err := s.claim(ctx)
	if ctx.Err() != nil {
		return
	}
	if err != nil {
		s.claiming.Note(err)
		s.w.peers.Refused()
		s.wait(ctx)
		return
	}
	s.works(&s.claiming)
	s.tenant.hurry()
}

// pass asks about the shard's meetings that are due, as far as the calls go.
func (s *shard) pass(ctx context.Context, hold *hold, calls int) poller.Report {
	now := time.Now()
	ids, later := s.choose(hold, s.due(hold, now), calls, now)
	report := s.ask(ctx, hold, poller.Ask{Shard: s.number, IDs: ids, Later: later})
	before := s.state()
	s.last.Store(&lastPass{report, hold, time.Now()})
	if now := time.Now(); report.Good {
		s.good.Store(&now)
	}
	if report.State != before {
		s.w.stir() // others tell the tenant's status, too
	}
	if report.Answered == 0 {
		s.wakeUp() // no observation does
	}
	return report
}

func (s *shard) ask(ctx context.Context, hold *hold, ask poller.Ask) poller.Report {
	ground := s.w.ground.replaced.Load()
	s.asking.Add(1)
	defer s.doneAsking()
	ask.Next = hold.next
	ask.Emit = func(_ context.Context, obs rollcall.Observation) error {
		if ground != s.w.ground.replaced.Load() {
			return nil // it was asked under a claim of a ledger that is no more
		}
		s.omit(&obs)
		s.queue.Push(&obs)
		if s.queue.Full() {
			return errPaused
		}
		s.letSettle(ctx)
		if ask.Shard == s.number {
			s.breathe(ctx)
		}
		return nil
	}
	return s.tenant.cfg.Asker.Pass(ctx, ask)
}

// doneAsking lets others know where this was all that they waited for.
func (s *shard) doneAsking() {
	if s.asking.Add(-1) == 0 && s.held.Load() == nil {
		s.w.stir()
		s.wakeUp()
	}
}

// wait lets the time of the back-off pass, or less: where the ledger has taken
// something of any shard, or a heartbeat after a lapse, it is worth trying now.
func (s *shard) wait(ctx context.Context) {
	timer := time.NewTimer(s.pause.NextBackOff())
	defer timer.Stop()
	back := s.w.heart.Back()
	for {
		select {
		case <-timer.C:
		case <-back:
		case <-ctx.Done():
		case do := <-s.looks:
			do(ctx)
			continue
		}
		return
	}
}

// works notes that the ledger has taken something, and lets all know where it
// did not before.
func (s *shard) works(t *streak.Log) {
	if t.Failing() {
		s.w.heart.Announce()
	}
	t.Note(nil)
	s.pause.Reset()
}
