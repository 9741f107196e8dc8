package worker

import (
	"context"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"rollcall"
	"rollcall/internal/ledger"
	"rollcall/internal/streak"
)

// lease is a claim while it lasts: its term and the questions asked in it.
type lease struct {
	term  uint64
	began time.Time
	polls atomic.Uint64
}

// next numbers a question.
func (l *lease) next() rollcall.Number {
	return rollcall.Number{Term: l.term, Poll: l.polls.Add(1)}
}

// ownership is whether the shard belongs to this worker, and its lease. What is
// atomic may be read and set by any goroutine; the rest belongs to the shard's.
type ownership struct {
	*scope
	changed func() // the shard was taken or given up, which others are to know

	assigned atomic.Bool // it belongs to this worker
	blocked  atomic.Bool // somebody else has not let go of it yet
	retired  atomic.Bool // the meetings are divided otherwise now
	recheck  atomic.Bool // the claim is to be read again
	current  atomic.Pointer[lease]

	last       *lease // kept when it is lost; nil: there was none
	lapses     uint64 // as of [ownership.lapsed], when the lease was last verified
	doubts     uint64 // how often the ledger had looked like another one when it was claimed
	doubt      bool   // somebody else seems to hold the shard
	surpassed  bool   // a record bears a later term than the shard's own claim
	staleReads int    // how often in a row the ledger showed a claim before ours
	retry      time.Time
	trouble    streak.Log // with claiming it
}

// held is the lease; nil: the shard is not ours to ask about.
func (o *ownership) held() *lease { return o.current.Load() }

// hold takes the shard or, with nil, gives it up.
func (o *ownership) hold(l *lease) {
	o.ground.Right(o.records()) // they are read anew under the next lease
	if o.current.Swap(l) != l {
		o.changed()
	}
}

// term is that of the claim under which everything was read; 0: there was none.
func (o *ownership) term() uint64 {
	if o.last == nil {
		return 0
	}
	return o.last.term
}

// questions is how many were asked in this term.
func (o *ownership) questions() uint64 {
	if o.last == nil {
		return 0
	}
	return o.last.polls.Load()
}

// sure reports whether the ledger has lately confirmed that this worker lives,
// without a lapse, and nobody seems to have claimed the shard after it.
func (o *ownership) sure() bool {
	return o.heart.Fresh() && o.lapsed() == o.lapses && !o.doubt
}

// lapsed counts what makes a shard verify what it holds: the heartbeat's lapses, and the
// times that the ledger looked like another one.
func (o *ownership) lapsed() uint64 { return o.heart.Lapses() + o.ground.Doubted() }

// claimable reports whether the shard is to be claimed now.
func (o *ownership) claimable() bool {
	return o.assigned.Load() && !o.retired.Load() && !o.blocked.Load() && o.held() == nil && !time.Now().Before(o.retry)
}

// mayClaim reports whether nobody who may still have something to store holds
// the shard. After a start, or a lapse that may have met everybody, the worker
// that claimed it last and is not there counts as alive for a TTL.
func (o *ownership) mayClaim(ctx context.Context) (bool, error) {
	if o.heart.Settled() {
		return true, nil
	}
	claim, err := o.holder(ctx)
	if err != nil {
		return false, err
	}
	if claim.Holder == "" || claim.Holder == o.cfg.ID || o.peers.Alive(claim.Holder) {
		return true, nil
	}
	o.later()
	return false, nil
}

// later keeps the shard from being claimed at once, so that two workers that
// disagree about who lives do not take it from each other without end.
func (o *ownership) later() { o.retry = time.Now().Add(o.cfg.MemberTTL / 4) }

// took notes a claim, made after so many lapses.
func (o *ownership) took(term, lapses uint64) *lease {
	o.last = &lease{term: term, began: time.Now()}
	o.verified(lapses)
	return o.last
}

// verified notes that nobody else holds the shard, as was read after so many
// lapses.
func (o *ownership) verified(lapses uint64) { o.lapses, o.doubt = lapses, false }

// lose returns the shard up, to be claimed anew.
func (o *ownership) lose() {
	o.hold(nil)
	o.later()
}

// forget gives up the shard and what was known of claims in a former ledger.
func (o *ownership) forget() {
	o.hold(nil)
	o.last, o.doubt, o.staleReads = nil, false, 0
}

// compare returns the shard up where somebody claimed it later.
func (o *ownership) compare(claim ledger.Claim) {
	l := o.held()
	if l == nil || claim.Term == l.term && claim.Holder == o.cfg.ID {
		o.staleReads = 0
		return
	}
	// An earlier claim is what a lagging follower shows. Only a ledger that was
	// made anew goes on showing it.
	if o.staleReads++; claim.Term != 0 && claim.Term < l.term && o.staleReads < 3 {
		return
	}
	o.staleReads = 0
	if claim.Err != nil {
		o.metrics.unreadable.WithLabelValues(o.tenant.Name, "claim").Inc()
	}
	what := "lease lost: the shard was claimed by another worker"
	if claim.Term < l.term {
		what = "lease lost: the claim of the shard is no longer in the ledger; it is claimed anew"
	}
	o.log.Warn(what, zap.String("holder", claim.Holder), zap.Uint64("term", claim.Term), zap.Uint64("own_term", l.term), zap.Error(claim.Err))
	o.lose()
}

// compareWithRecords gives up a claim that is the shard's last and that a record's
// term has passed all the same, as one does that a worker of an earlier version has
// written under another division: every answer would come too late for it.
func (o *ownership) compareWithRecords() {
	surpassed := o.surpassed && o.held() != nil
	o.surpassed = false
	if surpassed {
		o.log.Warn("lease given up: a record was written under a later claim than the shard's own; the shard is claimed anew",
			zap.Uint64("own_term", o.term()))
		o.lose()
	}
}

// recheckLease notices a later claim of a worker that has given the shard up
// since, as when two start at once: ours would be outdated forever. A ledger that looked
// like another one may lack what nothing would have read again, as an end.
func (o *ownership) recheckLease(ctx context.Context) {
	if !o.recheck.Swap(false) || o.held() == nil {
		return
	}
	if o.ground.Doubted() != o.doubts && o.ground.Complaint() == nil {
		o.log.Warn("lease given up: the ledger looked like another one; the shard is claimed anew, and all that is stored of it is read")
		o.lose()
		return
	}
	claim, err := o.holder(ctx)
	if err != nil {
		return // the heartbeat logs it, and the next beat asks again
	}
	o.compare(claim)
}

// stillOurs checks whether what is known of the shard is what its last holder
// knows. Otherwise the request has to be made to that one.
func (o *ownership) stillOurs(ctx context.Context) error {
	claim, err := o.holder(ctx)
	if err != nil {
		return err
	}
	if claim.Term > o.term() || claim.Term == 0 {
		o.doubt = true
		return ErrNotHeld
	}
	return nil
}
