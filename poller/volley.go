package poller

import (
	"math"
	"sync"
	"sync/atomic"
	"time"
)

// volley asks about meetings batch by batch, several of which may be under way,
// until one is refused: what is to be done about that is left to the pass.
type volley struct {
	queries *queries
	ids     []string // still to be asked about; sorted
	refused []refusedBatch
	lanes   int // so many ask at once
	done    sync.WaitGroup
}

// refusedBatch is a batch that was refused because of some of its meetings, or of
// the asker.
type refusedBatch struct {
	ids     []string
	verdict verdict
	class   Class
	err     error
}

// fire asks until there is nothing left to ask, or something was refused and all
// that was under way is answered.
func (v *volley) fire() {
	v.lanes = 1
	v.ask()
	v.queries.run.calls.turn.away(v.done.Wait)
}

// ask asks about one batch after the other, with the pass's turn, and ends early
// where fewer are to ask at once.
func (v *volley) ask() {
	for len(v.ids) > 0 && len(v.refused) == 0 {
		if v.lanes > v.most() {
			v.lanes--
			return
		}
		ids := v.next()
		v.widen()
		if len(ids) == 0 {
			continue
		}
		said, class, err := v.queries.ask(ids)
		switch said {
		case accepted:
			v.pace()
		case spoiled, rejected:
			v.refused = append(v.refused, refusedBatch{ids, said, class, err})
		}
	}
}

// pace learns whether the answers come faster than they are taken.
func (v *volley) pace() {
	r := v.queries.run
	between := r.poller.roundTrip.now() / time.Duration(v.lanes)
	r.shard.uptake.learn(r.heldUp > between, v.lanes)
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

// widen has as many ask as may, while there is something left to ask.
func (v *volley) widen() {
	for len(v.ids) > 0 && v.lanes < v.most() {
		v.lanes++
		v.done.Go(func() { v.queries.run.calls.turn.back(v.ask) })
	}
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

// inFlight is how many queries of a pass may be under way now. Left to the poller,
// they are as many as the rate allows in one round trip.
func (p *Poller) inFlight() int {
	if p.InFlight > 0 {
		return p.InFlight
	}
	if p.Limiter == nil {
		return 1
	}
	calls := math.Ceil(float64(p.Limiter.Limit()) * p.roundTrip.now().Seconds())
	return int(min(max(calls, 1), MostInFlight))
}

// roundTrip is how long a query takes, lately. Any goroutine may use it; the zero
// value knows nothing.
type roundTrip struct{ ns atomic.Int64 }

func (r *roundTrip) now() time.Duration { return time.Duration(r.ns.Load()) }

// learn takes how long one took. Each counts a quarter of all before it.
func (r *roundTrip) learn(took time.Duration) {
	was := r.ns.Load()
	if was == 0 {
		was = int64(took)
	}
	r.ns.Store(was + (int64(took)-was)/4)
}
