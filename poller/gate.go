package poller

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// gate decides for all shards of a tenant whether a call may be made. It owns
// everything that forbids one: the rate limits, the budget, and the cooldowns
// that earlier calls led to. A caller asks [gate.permit] before each request,
// and reports what became of it to [gate.learn].
type gate struct {
	endpoint string
	egress   *Egress
	limiter  *rate.Limiter
	spend    func(ctx context.Context, op string) error // nil: unlimited
	held     func(class Class, until time.Time)         // nil: nobody listens
	clock    func() time.Time

	allowed allowance // of limiter

	mu         sync.Mutex // guards what follows
	tenant     cooldown   // of all operations
	operations map[string]*cooldown
	batch      batchLimit
}

// refusal is why a call may not be made, or what a call that failed forbids.
type refusal struct {
	op    string // the only operation that is refused; "": all are
	class Class  // [ClassNone]: the context has ended
	err   error
}

// permit waits until the rate limits allow a call and takes it out of the
// budget; nil: it may be made. Cooldowns are looked at after the waiting, since
// another shard may have met one meanwhile.
func (g *gate) permit(ctx context.Context, op string) *refusal {
	if err := g.await(ctx); err != nil {
		return &refusal{err: err}
	}
	if r := g.check(ctx, op); r != nil {
		return r
	}
	if g.spend == nil {
		return nil
	}
	err := g.spend(ctx, op)
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return &refusal{err: ctx.Err()}
	}
	return &refusal{class: ClassQuota, err: err}
}

func (g *gate) await(ctx context.Context) error {
	if err := g.allowed.take(ctx, g.limiter); err != nil {
		return err
	}
	return g.egress.allowed.take(ctx, g.egress.Limiter)
}

// check reports what forbids an operation now, without waiting or spending.
func (g *gate) check(ctx context.Context, op string) *refusal {
	if err := ctx.Err(); err != nil {
		return &refusal{err: err}
	}
	now := g.clock()
	if g.egress.BlockedUntil(g.endpoint).After(now) {
		return &refusal{class: ClassBlocked, err: errBlocked()}
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.tenant.active(now) {
		return &refusal{class: g.tenant.class, err: g.tenant.err}
	}
	if c := g.operations[op]; c != nil && c.active(now) {
		return &refusal{op: op, class: c.class, err: c.err}
	}
	return nil
}

func errBlocked() error {
	return errors.New("the address of this process is blocked for some minutes: too many calls came from it")
}

// learn takes the outcome of a call, and returns what that forbids, if anything.
func (g *gate) learn(op string, err error) *refusal {
	class, now := ClassOf(err), g.clock()
	if op != OpQuery && class == ClassPermission {
		// Queries have gone through: this meeting is out of bounds, or this
		// operation; otherwise the next query meets it, too.
		return nil
	}
	r := &refusal{class: class, err: err}
	if blocksAddress(err) {
		g.tellHeld(class, g.egress.block(g.endpoint, now))
		return r
	}
	if class == ClassThrottled { // limits are counted for each operation
		r.op = op
	}
	until := g.strike(now, op, r)
	if until.IsZero() {
		return nil
	}
	g.tellHeld(class, until)
	return r
}

// strike returns until when a fault forbids calls; zero: it does not.
func (g *gate) strike(now time.Time, op string, r *refusal) time.Time {
	g.mu.Lock()
	defer g.mu.Unlock()
	c := &g.tenant
	if r.op != "" {
		c = g.operation(op)
	}
	until := c.end(now, r.class, retryAfter(r.err), rand.Float64())
	if until.IsZero() {
		g.release(now, op, r.class)
		return until
	}
	c.strike(now, r.class, until, r.err)
	return c.until
}

func (g *gate) operation(op string) *cooldown {
	if g.operations == nil {
		g.operations = make(map[string]*cooldown)
	}
	if g.operations[op] == nil {
		g.operations[op] = &cooldown{}
	}
	return g.operations[op]
}

// release forgets past cooldowns once a call is answered, or refused for a
// reason of its own.
func (g *gate) release(now time.Time, op string, class Class) {
	if passing(class) {
		return
	}
	if !g.tenant.active(now) {
		g.tenant = cooldown{}
	}
	if c := g.operations[op]; c != nil && !c.active(now) {
		delete(g.operations, op)
	}
}

// pause forbids all calls for a while.
func (g *gate) pause(class Class, d time.Duration, err error) {
	now := g.clock()
	until := now.Add(d)
	g.mu.Lock()
	g.tenant.strike(now, class, until, err)
	g.mu.Unlock()
	g.tellHeld(class, until)
}

// resume ends all cooldowns of the tenant, and returns the class of the one
// that forbade all calls. A blocked address stays blocked.
func (g *gate) resume() (was Class) {
	g.mu.Lock()
	if g.tenant.active(g.clock()) {
		was = g.tenant.class
	}
	g.tenant, g.operations = cooldown{}, nil
	g.mu.Unlock()
	if was != ClassNone {
		g.tellHeld(was, time.Time{})
	}
	return was
}

func (g *gate) tellHeld(class Class, until time.Time) {
	if g.held != nil {
		g.held(class, until)
	}
}

// until returns when calls are made again, those of the blocked operations
// included; zero: now.
func (g *gate) until(blocked map[string]*refusal) time.Time {
	now := g.clock()
	until := g.egress.BlockedUntil(g.endpoint)
	g.mu.Lock()
	defer g.mu.Unlock()
	until = later(until, g.tenant.until)
	for op, c := range g.operations {
		if blocked[op] != nil {
			until = later(until, c.until)
		}
	}
	if !until.After(now) {
		return time.Time{}
	}
	return onWall(now, until)
}

// firstToLog reports whether the cooldown of a class is yet to be logged: the
// first shard that meets it logs it for all.
func (g *gate) firstToLog(class Class) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.tenant.class != class {
		return true
	}
	was := g.tenant.logged
	g.tenant.logged = true
	return !was
}

// batchSize returns how many meetings a query may ask about now: full, or less
// where as many were refused.
func (g *gate) batchSize(full int) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.batch.now(g.clock(), full)
}

// learnBatchSize takes a size that was accepted where a larger one was not, and
// reports whether that is new.
func (g *gate) learnBatchSize(size int) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.batch.learn(g.clock(), size)
}

// onWall returns an instant as the wall clock will show it, which may have been
// set since the instant was fixed.
func onWall(now, at time.Time) time.Time { return now.Add(at.Sub(now)) }

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
