package poller

import "context"

// Call makes one metered call outside the passes, such as that for a list,
// under the same limits: it is not made while the tenant is held back, waits
// for its turn, and is taken out of the budget. Its error is that of the call,
// or why it was not made.
func (p *Poller) Call(ctx context.Context, op string, call func(context.Context) error) error {
	r := &run{p: p, ctx: ctx, desk: &desk{}}
	return r.call(op, call)
}
