package poller

import (
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Egress is the address that a process calls from. DingTalk blocks addresses,
// whatever tenant called: all pollers of a process share one. The zero value
// is ready to use; it must not be copied.
type Egress struct {
	// Limiter is waited for before each call of any tenant; nil: no limit.
	Limiter *rate.Limiter

	allowed allowance // of Limiter

	mu    sync.Mutex
	until time.Time
}

// blockLasts is how long a blocked address stays silent.
const blockLasts = 5 * time.Minute

// BlockedUntil is when the address may be called from again; a time that is
// past, or zero, means now.
func (e *Egress) BlockedUntil() time.Time {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.until
}

func (e *Egress) block(now time.Time) time.Time {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.until = now.Add(blockLasts)
	return e.until
}
