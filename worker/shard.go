package worker

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/cenkalti/backoff/v4"
	"go.uber.org/zap"

	"rollcall"
	"rollcall/poller"
	"rollcall/publisher"
	"rollcall/worker/backlog"
)

// hold is a claim while it lasts: its term and the questions asked in it.
type hold struct {
	term  uint64
	began time.Time
	polls atomic.Uint64
	slow  map[string]time.Time // when slow meetings were asked about; belongs to the pass
	asked map[string]time.Time // the same of all, where not all can be asked about; belongs to the pass
}

// next numbers a question.
func (h *hold) next() rollcall.Number {
	return rollcall.Number{Term: h.term, Poll: h.polls.Add(1)}
}

// shard is a part of a tenant's meetings, claimed and settled as one.
type shard struct {
	w       *Worker
	tenant  *tenant
	number  int
	log     *zap.Logger
	queue   *backlog.Lane
	orders  chan order
	wanted  atomic.Bool
	suspect atomic.Bool          // the claim is to be looked after
	held    atomic.Pointer[hold] // nil: not ours to ask about
	plan    atomic.Pointer[plan] // whom to ask about; never nil

	last atomic.Pointer[lastPass] // nil: there was none
	news news                     // which meetings changed lately

	// What follows belongs to the goroutine of run.
	entries map[string]*entry
	stale   bool   // the plan is to be made anew
	own     *hold  // the last claim, also when it is lost; nil: there was none
	term    uint64 // of the claim under which entries were loaded
	lapses  uint64 // the heartbeat's lapses when they were last verified
	earlier int    // how often in a row the ledger showed a claim before ours
	doubt   bool   // somebody else seems to hold the shard
	unclear bool   // a commit was not acknowledged
	torn    map[string]torn
	ground  uint64    // how often the ledger had been replaced when entries were loaded
	lost    bool      // the ledger has lost what it had acknowledged
	behind  time.Time // since when it has shown less than that; zero: it does not
	retry   time.Time // not claimed again before
	swept   time.Time // when meetings that never started were last looked for
	looked  time.Time // when the last pass was over that counts for them
	pause   backoff.BackOff
	trouble trouble
	odd     map[rollcall.Oddity]bool // told once
	// No list brings back what an operator declined under this worker, but it
	// may what the configuration no longer names.
	declined, freed map[string]bool
	unsure          map[string]bool // meetings of which it is to be read whether they are tracked
}

func newShard(t *tenant, number int) *shard {
	log := t.log
	if t.cfg.Shards > 1 {
		log = log.With(zap.Int("shard", number))
	}
	s := &shard{
		w: t.w, tenant: t, number: number, log: log,
		orders: make(chan order), pause: publisher.NewBackOff(),
		trouble: trouble{log: log, what: "storing what was observed"},
		odd:     map[rollcall.Oddity]bool{}, declined: map[string]bool{}, freed: map[string]bool{}, unsure: map[string]bool{},
	}
	s.plan.Store(&plan{})
	s.queue = s.lane()
	return s
}

// want tells whether the shard belongs to this worker. It is called at every
// heartbeat, so it must be cheap when nothing changes.
func (s *shard) want(mine bool) {
	was := s.wanted.Swap(mine)
	if !mine {
		s.hold(nil)
	}
	if was != mine || mine && s.held.Load() == nil {
		s.wakeUp()
	}
}

// doubtClaim lets the shard's goroutine look whether its claim is the last.
func (s *shard) doubtClaim() {
	s.suspect.Store(true)
	s.wakeUp()
}

// hold takes the shard, or with nil gives it up.
func (s *shard) hold(h *hold) {
	if s.held.Swap(h) == h {
		return
	}
	select {
	case s.w.changed <- struct{}{}:
	default:
	}
	s.tenant.holding.Lock()
	defer s.tenant.holding.Unlock()
	if s.tenant.cfg.Holds == nil {
		return
	}
	held := 0
	for _, other := range s.tenant.shards {
		if other.held.Load() != nil {
			held++
		}
	}
	s.tenant.cfg.Holds(held, len(s.tenant.shards))
}

func (s *shard) wakeUp() { s.queue.Wake() }

// run settles what waits, and claims the shard when nothing of an earlier
// claim waits any more. It returns when ctx ends.
func (s *shard) run(ctx context.Context) {
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
				s.w.noteSettled()
			}
			continue
		}
		switch {
		case s.wanted.Load() && s.held.Load() == nil && !time.Now().Before(s.retry):
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
	default:
	}
}

func (s *shard) tryClaim(ctx context.Context) {
	err := s.claim(ctx)
	if ctx.Err() != nil {
		return
	}
	s.trouble.note(err)
	if err != nil {
		s.wait(ctx)
		return
	}
	s.pause.Reset()
	s.tenant.hurry()
}

// pass asks about the shard's meetings that are due, as far as the calls go.
func (s *shard) pass(ctx context.Context, hold *hold, calls int) poller.Report {
	now := time.Now()
	ids, later := s.choose(hold, s.due(hold, now), calls, now)
	report := s.ask(ctx, hold, poller.Ask{Shard: s.number, IDs: ids, Later: later})
	s.last.Store(&lastPass{report, hold, time.Now()})
	if report.Answered == 0 {
		s.wakeUp() // no observation does
	}
	return report
}

func (s *shard) ask(ctx context.Context, hold *hold, ask poller.Ask) poller.Report {
	ground := s.w.ground.replaced.Load()
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

// wait lets the time of the back-off pass, or less: a heartbeat that comes
// through after a lapse says that it is worth trying now.
func (s *shard) wait(ctx context.Context) {
	timer := time.NewTimer(s.pause.NextBackOff())
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-s.w.beat.back():
	case <-ctx.Done():
	}
}
