package worker

import (
	"context"
	"sync"
	"time"

	"rollcall"
)

// queue holds the observations of a shard that wait to be settled, in order.
// It never refuses one: who asks looks at [queue.weight] before asking.
type queue struct {
	mu    sync.Mutex
	items []waiting
	bytes int64
	ready chan struct{}
	fewer chan struct{} // something was settled; for one who waits at a time
	idle  chan struct{} // closed and renewed whenever nothing waits
	moved chan struct{} // one was removed, or it is worth looking again
}

// waiting is an observation in the queue.
type waiting struct {
	obs  *rollcall.Observation
	kept bool // it is in the journal too
}

func newQueue() *queue {
	return &queue{
		ready: make(chan struct{}, 1), fewer: make(chan struct{}, 1), idle: make(chan struct{}),
		moved: make(chan struct{}, 1),
	}
}

// weigh estimates what an observation keeps in memory. Bytes that are shared
// with an earlier answer (no Answer was decoded) are not counted again.
func weigh(obs *rollcall.Observation) int64 {
	n := int64(256)
	for i := range obs.Sightings {
		n += 128
		if obs.Sightings[i].Answer != nil {
			n += 2 * int64(len(obs.Sightings[i].Raw))
		}
	}
	return n
}

func (q *queue) push(obs *rollcall.Observation) { q.add(waiting{obs: obs}) }

// restore puts in what was read from the journal.
func (q *queue) restore(obs *rollcall.Observation) { q.add(waiting{obs: obs, kept: true}) }

func (q *queue) add(item waiting) {
	q.mu.Lock()
	q.items = append(q.items, item)
	q.bytes += weigh(item.obs)
	q.mu.Unlock()
	select {
	case q.ready <- struct{}{}:
	default:
	}
}

// take gives the oldest observation, or nil when none waits. [queue.done]
// must be called before the next one is taken.
func (q *queue) take() *rollcall.Observation {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.items) == 0 {
		return nil
	}
	return q.items[0].obs
}

// done removes the observation that was taken.
func (q *queue) done() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.bytes -= weigh(q.items[0].obs)
	q.items[0] = waiting{}
	q.items = q.items[1:]
	select {
	case q.fewer <- struct{}{}:
	default:
	}
	if len(q.items) == 0 {
		q.items = nil
		close(q.idle)
		q.idle = make(chan struct{})
	}
	q.stir()
}

// clear removes everything, and gives how many observations that were.
func (q *queue) clear() (n int) {
	for n = 0; q.take() != nil; n++ {
		q.done()
	}
	return n
}

// stir lets who waits for the queue to move look again.
func (q *queue) stir() {
	select {
	case q.moved <- struct{}{}:
	default:
	}
}

// weight is how many observations wait, how many bytes they hold, and since
// when the oldest has been waiting (zero: none does).
func (q *queue) weight() (n int, bytes int64, oldest time.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.items) > 0 {
		oldest = q.items[0].obs.AnsweredAt
	}
	return len(q.items), q.bytes, oldest
}

// awaitFewer waits until fewer than n observations wait, or ctx ends.
func (q *queue) awaitFewer(ctx context.Context, n int) {
	for {
		if waiting, _, _ := q.weight(); waiting < n {
			return
		}
		select {
		case <-q.fewer:
		case <-ctx.Done():
			return
		}
	}
}

// drain waits until nothing waits or ctx ends, and gives how many still do.
func (q *queue) drain(ctx context.Context) int {
	for {
		q.mu.Lock()
		n, idle := len(q.items), q.idle
		q.mu.Unlock()
		if n == 0 {
			return 0
		}
		select {
		case <-idle:
		case <-ctx.Done():
			return n
		}
	}
}

// eachUnkept gives f, in order, what is not in the journal yet, until it fails.
func (q *queue) eachUnkept(f func(*rollcall.Observation) error) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	for i := range q.items {
		if q.items[i].kept {
			continue
		}
		if err := f(q.items[i].obs); err != nil {
			return err
		}
		q.items[i].kept = true
	}
	return nil
}

// kept is how many observations wait that are in the journal.
func (q *queue) kept() (n int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, item := range q.items {
		if item.kept {
			n++
		}
	}
	return n
}

// unkept is how many observations wait that are not in the journal.
func (q *queue) unkept() (n int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, item := range q.items {
		if !item.kept {
			n++
		}
	}
	return n
}
