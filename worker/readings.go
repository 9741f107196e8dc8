package worker

import (
	"context"
	"fmt"
	"sync"

	"rollcall/internal/ledger"
)

// readings reads what is stored of a tenant, once for all of its shards that
// want it at a time: a start costs as much as there are records, not that many
// times the number of shards.
type readings struct {
	ledger Ledger
	tenant string
	turn   chan struct{} // holds one token while a reading is under way

	mu   sync.Mutex
	next *reading // has not begun yet; nil: nobody waits for one
}

// reading is what is stored of a tenant, as several shards wait for it. It is
// shared, and not to be changed.
type reading struct {
	done    chan struct{} // closed when what follows is set
	tracked []ledger.Tracking
	records []ledger.Stored // read after the tracked set
	err     error
}

func newReadings(l Ledger, tenant string) *readings {
	return &readings{ledger: l, tenant: tenant, turn: make(chan struct{}, 1)}
}

// get returns a reading that began after it was asked for.
func (r *readings) get(ctx context.Context) (*reading, error) {
	one, mine := r.join()
	if mine {
		r.make(ctx, one)
	}
	select {
	case <-one.done:
		return one, one.err
	case <-ctx.Done():
		return nil, fmt.Errorf("read what is stored of tenant %s: %w", r.tenant, context.Cause(ctx))
	}
}

// join returns the next reading; mine says that the caller is to make it.
func (r *readings) join() (one *reading, mine bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if mine = r.next == nil; mine {
		r.next = &reading{done: make(chan struct{})}
	}
	return r.next, mine
}

// make reads once it is its turn. A caller that asks from then on waits for
// another.
func (r *readings) make(ctx context.Context, one *reading) {
	defer close(one.done)
	select {
	case r.turn <- struct{}{}:
		defer func() { <-r.turn }()
	case <-ctx.Done():
	}
	r.begin()
	if one.err = ctx.Err(); one.err == nil {
		one.tracked, one.err = r.ledger.Tracked(ctx, r.tenant)
	}
	if one.err == nil {
		one.records, one.err = r.ledger.LoadAll(ctx, r.tenant)
	}
	if one.err != nil {
		one.err = fmt.Errorf("read what is stored of tenant %s: %w", r.tenant, one.err)
	}
}

func (r *readings) begin() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.next = nil
}
