package poller

import (
	"math"
	"time"
)

// volley asks about meetings batch by batch, several of which may be under way,
// until one is refused: what is to be done about that is left to the pass. A call
// that is overdue holds nobody up: another takes its place, and the pass goes on
// without it.
type volley struct {
	queries *queries
	ids     []string // still to be asked about; sorted
	refused []refusedBatch
	lanes   int            // so many ask at once
	overdue int            // of these, whose call is
	calls   map[*lane]bool // that are under way
	over    chan struct{}  // closed once the pass goes on
	left    bool           // it does, if need be without those that are overdue
}

// refusedBatch is a batch that was refused because of some of its meetings, or of
// the asker.
type refusedBatch struct {
	ids     []string
	verdict verdict
	class   Class
	err     error
}

// fire asks until there is nothing left to ask, or something was refused, and all
// that was under way is answered but for what is overdue.
func (v *volley) fire() {
	v.calls, v.over = make(map[*lane]bool), make(chan struct{})
	v.widen()
	v.queries.run.calls.turn.away(func() { <-v.over })
}

// widen has as many ask as may, while there is something left to ask.
func (v *volley) widen() {
	for v.more() && v.lanes-v.overdue < v.most() && v.lanes < MostInFlight && v.overdue < mostOverdue {
		v.lanes++
		l, ids := &lane{volley: v}, v.next()
		go v.queries.run.calls.turn.back(func() { l.run(ids) })
	}
	v.settle()
}

// more reports whether the volley has something left to ask.
func (v *volley) more() bool { return len(v.ids) > 0 && len(v.refused) == 0 && !v.left }

// settle lets the pass go on where it waits for nothing any more. Where not twice as
// many were answered it is the vendor that is slow, not a call.
func (v *volley) settle() {
	q := v.queries
	late := v.lanes == v.overdue && 2*v.overdue <= q.answered && len(v.ids)+len(v.refused) == 0 && q.run.calls.stopped == nil
	if v.left || v.lanes > 0 && !late {
		return
	}
	v.left = true
	for l := range v.calls {
		q.run.leave(l.ids)
	}
	close(v.over)
}

// next takes the next batch, without those that were asked about by themselves.
func (v *volley) next() []string {
	r := v.queries.run
	n := min(r.poller.BatchLimit(), len(v.ids))
	if r.calls.stopped != nil && r.shard.resumeAt == "" {
		r.shard.resumeAt = v.ids[0]
	}
	ids := r.refused.unsampled(v.ids[:n])
	v.ids = v.ids[n:]
	return ids
}

// pace learns whether the answers come faster than they are taken.
func (v *volley) pace() {
	r := v.queries.run
	lanes := max(v.lanes-v.overdue, 1)
	between := r.poller.roundTrip.Now() / time.Duration(lanes)
	r.shard.uptake.learn(r.heldUp > between, lanes)
}

// most is how many may ask at once now.
func (v *volley) most() int {
	r := v.queries.run
	return min(r.poller.inFlight(), r.shard.uptake.most())
}

// uptake follows with how many calls under way the taker of the answers keeps up.
// More would only have answers wait, and grow old. The zero value knows no bound.
type uptake struct{ bound int }

func (u *uptake) most() int {
	if u.bound == 0 {
		return MostInFlight
	}
	return u.bound
}

// learn takes whether an answer was held up, with so many calls under way.
func (u *uptake) learn(heldUp bool, lanes int) {
	if heldUp {
		u.bound = max(lanes-1, 1)
	} else if u.bound > 0 {
		u.bound = min(u.bound+1, MostInFlight)
	}
}

// MostInFlight bounds how many calls of a pass are under way at once: where more
// would be, the vendor is ill rather than far.
const MostInFlight = 32

// mostOverdue bounds how many calls of a pass are overdue before it waits for them:
// when more are, the vendor is slow rather than a call.
const mostOverdue = 4

// inFlight is how many queries of a pass may be under way now. Left to the poller,
// they are as many as the rate allows in one round trip.
func (p *Poller) inFlight() int {
	if p.InFlight > 0 {
		return p.InFlight
	}
	if p.Limiter == nil {
		return 1
	}
	calls := math.Ceil(float64(p.Limiter.Limit()) * p.roundTrip.Now().Seconds())
	return int(min(max(calls, 1), MostInFlight))
}

// overdue is after how long a query is that takes so long lately: four times that, and
// a second at least; more where that is not known.
func overdue(roundTrip time.Duration) time.Duration {
	if roundTrip == 0 {
		return 5 * time.Second
	}
	return max(4*roundTrip, time.Second)
}
