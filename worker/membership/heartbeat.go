package membership

import (
	"sync"
	"sync/atomic"
	"time"
)

// Heartbeat knows when the ledger last confirmed that this worker is alive. It
// is safe for concurrent use.
type Heartbeat struct {
	ttl    time.Duration
	last   atomic.Pointer[time.Time] // when the last confirmed beat was sent
	lapses atomic.Uint64
	began  atomic.Pointer[time.Time] // when the first beat after the last lapse was sent

	mu   sync.Mutex
	back chan struct{} // closed and renewed at the first beat after a lapse
}

// NewHeartbeat returns one without a confirmed beat. A worker that is
// silent for longer than ttl does not count as alive.
func NewHeartbeat(ttl time.Duration) *Heartbeat {
	return &Heartbeat{ttl: ttl, back: make(chan struct{})}
}

// Back returns a channel that closes once the ledger takes something again.
func (h *Heartbeat) Back() <-chan struct{} {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.back
}

// Announce wakes all who wait for [Heartbeat.Back].
func (h *Heartbeat) Announce() {
	h.mu.Lock()
	defer h.mu.Unlock()
	close(h.back)
	h.back = make(chan struct{})
}

// Confirm notes that a beat is stored that was sent at the given instant.
func (h *Heartbeat) Confirm(sent time.Time) {
	if h.Fresh() {
		h.last.Store(&sent)
		return
	}
	// Counted before it reads as fresh: nobody may see the one without the other.
	h.lapses.Add(1)
	h.began.Store(&sent)
	h.last.Store(&sent)
	h.Announce()
}

// Fresh reports whether a beat was confirmed within the TTL.
func (h *Heartbeat) Fresh() bool {
	last := h.last.Load()
	return last != nil && time.Since(*last) < h.ttl
}

// Lapses counts how often the confirmation came too late. A cache that was
// trusted before a lapse must not be trusted after.
func (h *Heartbeat) Lapses() uint64 { return h.lapses.Load() }

// Settled reports whether this worker has lived without a lapse for a TTL. What met
// it before may have met everybody: those that lived then have had time to say
// so.
func (h *Heartbeat) Settled() bool {
	began := h.began.Load()
	return began != nil && h.Fresh() && time.Since(*began) >= h.ttl
}
