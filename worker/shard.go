package worker

import (
	"context"
	"fmt"
	"time"

	"go.uber.org/zap"

	"rollcall"
	"rollcall/internal/streak"
	"rollcall/worker/backlog"
)

// shard is a part of a tenant's meetings, claimed and processed as one. It is
// put together from parts that own what they know, each of which knows only
// those before it:
//
//	own       whether the shard is this worker's, and the lease
//	meetings  what is known of its meetings, and which to ask about
//	trust     what of that may be believed; reading and fixing
//	commits   diff, cut, commit, and what became of it
//	tracker   which meetings are tracked
//	polling   asking; it belongs to the tenant's loop
//	watch     whether the shard is being looked at
type shard struct {
	*scope
	parent   *tenant
	own      *ownership
	meetings *meetings
	trust    *trust
	commits  *committer
	tracker  *tracker
	polling  *polling
	watch    *watch
	queue    *backlog.Lane
	requests *requests
	retry    *retrier
}

func newShard(t *tenant, number, of int) *shard {
	log := t.log
	if of > 1 {
		log = log.With(zap.Int("shard", number))
	}
	w := t.w
	c := &scope{
		cfg: &w.cfg, tenant: &t.cfg, named: t.named, number: number, of: of, log: log,
		metrics: w.metrics, heart: w.heart, peers: w.peers, ground: w.ground, drafts: &w.drafts,
	}
	recent, requests := &recentChanges{}, newRequests()
	s := &shard{scope: c, parent: t, meetings: newMeetings(log), requests: requests, retry: newRetrier(w.heart, requests.looks)}
	s.queue = s.lane(t.division.now.Load() == nil) // later ones: those before process what is theirs
	s.own = &ownership{scope: c, changed: func() { w.stir(); t.reportHeld() }, trouble: streak.Log{Logger: log, What: "claiming the shard"}}
	s.trust = &trust{scope: c, own: s.own, meetings: s.meetings, readings: t.readings}
	s.commits = &committer{
		scope: c, own: s.own, meetings: s.meetings, trust: s.trust, retry: s.retry, recent: recent, omitted: t.logOmission,
		trouble: streak.Log{Logger: log, What: "storing what was observed"}, odd: map[rollcall.Oddity]bool{},
	}
	s.meetings.sums = c.tenant.Summaries && c.cfg.Eraser != nil
	s.meetings.grown.wanted = c.tenant.Roles
	lists := &memberLists{scope: c, meetings: s.meetings, trouble: streak.Log{Logger: log, What: "summarizing meetings that have ended"}}
	s.polling = &polling{scope: c, own: s.own, meetings: s.meetings, queue: s.queue, lists: lists, stir: w.stir, recent: recent}
	s.watch = &watch{
		scope: c, own: s.own, meetings: s.meetings, looks: &t.looks, lastPass: s.polling.last.Load, lastBad: s.polling.bad.Load, patience: t.patience,
		trouble:  streak.Log{Logger: log, What: "telling whether the shard is looked at"},
		lastGood: func() time.Time { return instant(&s.polling.begun) },
	}
	s.commits.watch = s.watch
	s.tracker = &tracker{
		scope: c, own: s.own, meetings: s.meetings, trust: s.trust, commits: s.commits, queue: s.queue, lastPass: s.polling.last.Load, pace: t.pace,
		declined: map[string]time.Time{}, freed: map[string]bool{},
	}
	return s
}

// assign says whether the shard belongs to this worker, and whether somebody else
// has not let go of it yet. It is called at every heartbeat, so it must be cheap
// when nothing changes.
func (s *shard) assign(mine, blocked bool) {
	was := s.own.assigned.Swap(mine)
	s.own.blocked.Store(blocked)
	if was != mine || mine && s.own.held() == nil {
		s.queue.Wake()
	}
}

// blocked reports whether somebody has not let go of the shard, this worker
// under an earlier division included.
func (s *shard) blocked() bool {
	for _, r := range s.parent.division.left() {
		if r.own.held() != nil || r.leaves() {
			return true
		}
	}
	return s.peers.Blocks(s.tenant.Name, s.number, s.of)
}

// recheckLease lets the shard's goroutine look whether its claim is the last.
func (s *shard) recheckLease() {
	s.own.recheck.Store(true)
	s.queue.Wake()
}

// waits is how many observations of the shard are to be processed.
func (s *shard) waits() int {
	n, _ := s.queue.Waiting()
	return n
}

// leaves reports whether the shard is not held and not let go of either: what
// was asked under its last claim is not processed yet.
func (s *shard) leaves() bool {
	return s.own.held() == nil && (s.polling.asking.Load() > 0 || s.waits() > 0)
}

// run processes what waits, and claims the shard once nothing of an earlier
// claim waits. It returns when ctx ends.
func (s *shard) run(ctx context.Context) {
	defer close(s.requests.over)
	for ctx.Err() == nil {
		if s.trust.moved() {
			s.giveUp()
		}
		s.watch.rest()
		s.requests.serve(ctx)
		s.own.recheckLease(ctx)
		if obs := s.queue.Take(); obs != nil {
			s.process(ctx, obs)
			continue
		}
		s.commits.logLate()
		if s.over() {
			return
		}
		s.atRest(ctx)
	}
}

// over reports whether the shard is one of an earlier division that has nothing
// left to process.
func (s *shard) over() bool {
	if !s.own.retired.Load() || s.own.held() != nil || s.leaves() {
		return false
	}
	s.parent.division.gone(s)
	s.queue.Close() // nothing is left in it
	return true
}

func (s *shard) process(ctx context.Context, obs *rollcall.Observation) {
	done := s.commits.process(ctx, obs)
	s.meetings.makePlan()
	if done {
		s.watch.looked(obs)
		s.polling.storing.Learn(time.Since(obs.AnsweredAt))
		s.queue.Done(obs)
	}
}

// atRest does what is to be done while no observation waits.
func (s *shard) atRest(ctx context.Context) {
	switch {
	case (!s.own.assigned.Load() || s.own.retired.Load()) && s.own.held() != nil:
		s.own.hold(nil) // nothing waits: the worker it belongs to may have it
	case s.own.claimable():
		s.tryClaim(ctx)
	case s.own.held() == nil && s.meetings.known():
		s.meetings.put(nil)
		s.meetings.makePlan()
	default:
		s.watch.trouble.Note(s.watch.check(ctx))
		s.trust.makeSure(ctx)
		s.tracker.sweep(ctx)
		s.requests.await(ctx, s.queue.Ready())
	}
}

func (s *shard) tryClaim(ctx context.Context) {
	may, err := s.own.mayClaim(ctx)
	if may {
		if err = s.claim(ctx); err != nil {
			s.peers.Refused()
		}
	}
	switch {
	case ctx.Err() != nil:
	case err != nil:
		s.own.trouble.Note(err)
		s.retry.wait(ctx)
	case may:
		s.retry.works(&s.own.trouble)
		s.parent.hurry()
	}
}

// claim takes the shard under a new term and reads what is stored of it.
func (s *shard) claim(ctx context.Context) error {
	lapses := s.own.lapsed()
	s.own.doubts = s.ground.Doubted()
	claim, err := s.cfg.Ledger.Claim(ctx, s.tenant.Name, s.number, s.cfg.ID)
	if err != nil {
		return fmt.Errorf("claim shard %d of tenant %s: %w", s.number, s.tenant.Name, err)
	}
	if err := s.stillDivided(ctx); err != nil {
		return err
	}
	l, err := s.trust.readClaimed(ctx, claim.Term, lapses)
	if err != nil {
		return err
	}
	if err := s.tracker.reconcile(ctx, l); err != nil {
		return err
	}
	if err := s.watch.read(ctx, l); err != nil {
		return err
	}
	s.meetings.replan()
	s.meetings.makePlan()
	s.own.hold(l)
	s.log.Info("shard claimed", zap.Uint64("term", l.term), zap.Int("tracked", len(s.meetings.plan().ids)))
	return nil
}

// giveUp forgets everything that was held of a ledger that no longer exists.
func (s *shard) giveUp() {
	n := s.waits()
	adopted := Adopt(s.cfg.Backlog, s.ground.Position(), s.log)
	s.queue.Clear()
	s.trust.forget()
	s.meetings.makePlan()
	if n > 0 {
		s.log.Error("waiting observations dropped: the ledger that they were for is no more", zap.Int("observations", n), zap.Error(adopted))
		s.metrics.dropped.WithLabelValues(s.tenant.Name, "foreign").Add(float64(n))
	}
}
