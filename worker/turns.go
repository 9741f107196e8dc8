package worker

import "context"

// turns lets a tenant's passes ask one after the other.
type turns struct {
	taken chan struct{} // holds one token during a pass
	over  chan struct{} // closed once another tenant, or none, takes the place of this one
}

func newTurns() turns {
	return turns{taken: make(chan struct{}, 1), over: make(chan struct{})}
}

// begin waits until no other pass of the tenant is under way, or ctx ends, or the
// tenant is replaced.
func (t *turns) begin(ctx context.Context) bool {
	select {
	case t.taken <- struct{}{}:
		return true
	case <-t.over:
		return false
	case <-ctx.Done():
		return false
	}
}

func (t *turns) finish() { <-t.taken }
