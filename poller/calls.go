package poller

import (
	"context"
	"math/rand/v2"
	"time"

	"go.opentelemetry.io/otel/attribute"

	"rollcall/internal/tracing"
	"rollcall/internal/wait"
)

// caller makes the metered calls of one pass, and stops making them where the
// gate, the context or the pass says so. Who uses it holds its turn, which is
// given up while a call is waited for.
type caller struct {
	turn    turn
	ctx     context.Context
	gate    *gate
	called  func(op string, class Class, took time.Duration)
	tally   *tally
	stopped *refusal            // nothing more is asked; with [ClassNone] the pass itself is over
	blocked map[string]*refusal // nothing more is asked by these operations
}

// call makes one metered call as soon as it is allowed. A request that was not
// granted says nothing about how DingTalk fares.
func (c *caller) call(op string, call func(context.Context) error) error {
	if err := c.permit(op); err != nil {
		return err
	}
	m := metered{caller: c, op: op}
	err := m.make(call)
	switch {
	case c.ctx.Err() != nil && err != nil:
		c.stop(ClassNone, c.ctx.Err())
	case !m.refused:
		c.apply(c.gate.learn(op, err))
	}
	return err
}

// callTwice makes a call, and makes it once more when it fails in a way that
// may pass.
func (c *caller) callTwice(op string, call func(context.Context) error) error {
	err := c.call(op, call)
	if c.stopped != nil || !passing(ClassOf(err)) {
		return err
	}
	c.turn.away(func() { wait.For(c.ctx, max(retries().Delay(0, rand.Float64()), retryAfter(err))) })
	return c.call(op, call)
}

// retries are the delays before a question is tried again within a pass. A
// vendor that asks for more than the longest has the tenant wait.
func retries() wait.Growth { return wait.Growth{First: 250 * time.Millisecond, Most: 5 * time.Second} }

// passing reports whether a fault of a class may be gone at the next try.
func passing(class Class) bool { return class == ClassTransient || class == ClassMalformed }

func (c *caller) permit(op string) error {
	if r := c.forbids(op); r != nil {
		return r.err
	}
	var r *refusal
	c.turn.away(func() { r = c.gate.permit(c.ctx, op) })
	if r != nil {
		c.apply(r)
		return r.err
	}
	return nil
}

// forbids returns why an operation may no longer be used; nil: it may.
func (c *caller) forbids(op string) *refusal {
	if c.stopped == nil {
		c.apply(c.gate.check(c.ctx, op))
	}
	if c.stopped != nil {
		return c.stopped
	}
	return c.blocked[op]
}

// apply ends the pass, or one of its operations, where the gate refuses it.
func (c *caller) apply(r *refusal) {
	switch {
	case r == nil:
	case r.op != "":
		c.block(r.op, r.class, r.err)
	default:
		c.stop(r.class, r.err)
	}
}

// stop ends the pass; the first reason stays.
func (c *caller) stop(class Class, err error) {
	if c.stopped == nil {
		c.stopped = &refusal{class: class, err: err}
	}
	c.tally.blame(class, err)
}

// block ends the use of one operation in this pass.
func (c *caller) block(op string, class Class, err error) {
	if c.blocked == nil {
		c.blocked = make(map[string]*refusal)
	}
	c.blocked[op] = &refusal{op, class, err}
	c.tally.blame(class, err)
}

// metered is one call under way, with each of its requests.
type metered struct {
	caller  *caller
	op      string
	began   time.Time
	refused bool // a further request was not granted
}

// make makes the call, and counts each of its requests.
func (m *metered) make(call func(context.Context) error) error {
	m.begin()
	ctx, span := tracing.Start(m.caller.ctx, "query", attribute.String("rollcall.operation", m.op))
	var err error
	var took time.Duration
	m.caller.turn.away(func() {
		err = call(context.WithValue(ctx, againKey{}, m.again))
		took = time.Since(m.began)
	})
	tracing.End(span, err)
	if !m.refused {
		m.caller.called(m.op, ClassOf(err), took)
	}
	return err
}

func (m *metered) begin() {
	m.caller.tally.Calls++
	m.began = time.Now()
}

func (m *metered) again(class Class) (err error) {
	took := time.Since(m.began)
	m.caller.turn.back(func() {
		m.caller.called(m.op, class, took)
		if err = m.caller.permit(m.op); err != nil {
			m.refused = true
			return
		}
		m.begin()
	})
	return err
}

// againKey is the key under which a context holds the call that pays for
// further requests.
type againKey struct{}

// Again is called by a [Source] before it sends a further request for one call,
// such as with a new token: like the first one, that request waits for its turn
// and is taken out of the budget. The class is that of the request before. After
// an error it must not be sent. A context that comes from no poller allows it.
func Again(ctx context.Context, class Class) error {
	if again, ok := ctx.Value(againKey{}).(func(Class) error); ok {
		return again(class)
	}
	return nil
}
