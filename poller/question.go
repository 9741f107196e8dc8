package poller

import (
	"context"
	"math/rand/v2"
	"time"

	"rollcall"
)

// retries are the delays before a question is tried again within a pass.
// A vendor that asks for more than the longest has the tenant held back.
func retries() growth { return growth{250 * time.Millisecond, 5 * time.Second} }

// mostFailures is how many questions in a row may fail before a pass gives up.
const mostFailures = 3

// question is when something was asked, and the number it was asked under.
type question struct {
	number          rollcall.Number
	asked, answered time.Time
}

// query asks about meetings. Queries that fail in a row in spite of a second try
// end the pass.
func (r *run) query(ids []string) (q question, answers Answers, err error) {
	err = r.tryTwice(OpQuery, func(ctx context.Context) error {
		return r.numbered(&q, func() (err error) {
			answers, err = r.refresh(ctx, ids)
			return err
		})
	})
	r.count(err)
	return q, answers, err
}

// refresh puts a query, with what is known already where that is of use.
func (r *run) refresh(ctx context.Context, ids []string) (Answers, error) {
	if source, can := r.p.Source.(Refresher); can {
		return source.Refresh(ctx, ids, r.desk.known(ids))
	}
	return r.p.Source.Query(ctx, ids)
}

// numbered asks a question under a number of its own. The span between the
// times is measured, so that setting the clock cannot turn it round.
func (r *run) numbered(q *question, ask func() error) error {
	q.number = r.ask.Next()
	asked := time.Now()
	err := ask()
	q.asked, q.answered = stamps(asked, time.Since(asked))
	return err
}

// stamps gives the times of a question in milliseconds, as they are stored. The
// span between them is widened rather than cut: what happened lies within it.
func stamps(at time.Time, took time.Duration) (asked, answered time.Time) {
	at = at.UTC().Round(0)
	const most = time.Millisecond - time.Nanosecond
	return at.Truncate(time.Millisecond), at.Add(took + most).Truncate(time.Millisecond)
}

// tryTwice makes a call, and makes it once more when it fails in a way that
// may pass.
func (r *run) tryTwice(op string, call func(context.Context) error) error {
	err := r.call(op, call)
	if r.halt != nil || !passing(ClassOf(err)) {
		return err
	}
	wait(r.ctx, max(retries().delay(0, rand.Float64()), retryAfter(err)))
	return r.call(op, call)
}

// passing reports whether a fault of a class may be gone at the next try.
func passing(class Class) bool { return class == ClassTransient || class == ClassMalformed }

// count follows the queries that fail in a row, and gives the pass up when
// they are too many.
func (r *run) count(err error) {
	switch {
	case r.halt != nil:
	case !passing(ClassOf(err)):
		r.failures = 0
	default:
		r.failures++
		r.blame(ClassOf(err), err)
		if r.failures >= mostFailures {
			r.stop(ClassOf(err), err)
		}
	}
}

// call makes one metered call as soon as it is allowed. A request that was not
// granted says nothing of how DingTalk fares.
func (r *run) call(op string, call func(context.Context) error) error {
	if err := r.permit(op); err != nil {
		return err
	}
	g := granted{r: r, op: op}
	err := g.make(call)
	switch class := ClassOf(err); {
	case r.ctx.Err() != nil && err != nil:
		r.stop(ClassNone, r.ctx.Err())
	case g.refused:
	case op != OpQuery && class == ClassPermission:
		// Queries have gone through: it is this meeting that is out of bounds,
		// or this operation, or the next query meets it, too.
	default:
		r.heed(op, class, err)
	}
	return err
}

// heed ends the pass, or one way of asking, where a call's outcome wants that.
func (r *run) heed(op string, class Class, err error) {
	switch r.p.settle(op, err) {
	case holdsAll:
		r.stop(class, err)
	case holdsOne:
		r.bar(op, class, err)
	}
}

// permit waits for the limiter and asks the budget. What holds the tenant back
// is looked at after the waiting: another shard may have met it meanwhile.
func (r *run) permit(op string) error {
	if h := r.barred(op); h != nil {
		return h.err
	}
	if err := r.p.await(r.ctx); err != nil {
		r.stop(ClassNone, err)
		return err
	}
	if h := r.barred(op); h != nil {
		return h.err
	}
	if r.p.Spend != nil {
		if err := r.p.Spend(r.ctx, op); err != nil {
			r.refused(err)
			return err
		}
	}
	return nil
}

// refused ends the pass because a call was not granted.
func (r *run) refused(err error) {
	if r.ctx.Err() != nil {
		r.stop(ClassNone, r.ctx.Err())
		return
	}
	r.stop(ClassQuota, err)
}

// barred gives why nothing more may be asked in this way; nil where it may.
func (r *run) barred(op string) *halt {
	if r.halt != nil {
		return r.halt
	}
	if err := r.ctx.Err(); err != nil {
		r.stop(ClassNone, err)
		return r.halt
	}
	switch reach, class, err := r.p.held(op); reach {
	case holdsAll:
		r.stop(class, err)
		return r.halt
	case holdsOne:
		r.bar(op, class, err)
	}
	return r.bars[op]
}

// bar ends one way of asking for this pass.
func (r *run) bar(op string, class Class, err error) {
	if r.bars == nil {
		r.bars = make(map[string]*halt)
	}
	r.bars[op] = &halt{class, err}
	r.blame(class, err)
}
