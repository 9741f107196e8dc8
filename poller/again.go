package poller

import (
	"context"
	"time"
)

// againKey is where a context holds who pays for further requests.
type againKey struct{}

// Again is asked by a [Source] before it sends a further request for one call,
// such as with a new token: like the first one it waits for its turn and is
// taken out of the budget. The class is that of the request before. An error
// says that it must not be sent. A context that is of no poller's call allows it.
func Again(ctx context.Context, class Class) error {
	if again, ok := ctx.Value(againKey{}).(func(Class) error); ok {
		return again(class)
	}
	return nil
}

// granted is a call that may be made.
type granted struct {
	r       *run
	op      string
	began   time.Time
	refused bool // a further request was not granted
}

// make makes the call, and counts each of its requests.
func (g *granted) make(call func(context.Context) error) error {
	g.begin()
	err := call(context.WithValue(g.r.ctx, againKey{}, g.again))
	if !g.refused {
		g.told(ClassOf(err))
	}
	return err
}

func (g *granted) begin() {
	g.r.report.Calls++
	g.began = time.Now()
}

func (g *granted) told(class Class) {
	if called := g.r.p.Metrics.Called; called != nil {
		called(g.op, class, time.Since(g.began))
	}
}

func (g *granted) again(class Class) error {
	g.told(class)
	if err := g.r.permit(g.op); err != nil {
		g.refused = true
		return err
	}
	g.begin()
	return nil
}
