package poller

import (
	"errors"
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
	until map[string]time.Time // by endpoint, by the monotonic clock
}

// blockLasts is how long a blocked address stays silent.
const blockLasts = 5 * time.Minute

// BlockedUntil is when an endpoint may be called again from here; a time that
// is past, or zero, means now.
func (e *Egress) BlockedUntil(endpoint string) time.Time {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.until[endpoint]
}

func (e *Egress) block(endpoint string, now time.Time) time.Time {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.until == nil {
		e.until = make(map[string]time.Time)
	}
	e.until[endpoint] = now.Add(blockLasts)
	return e.until[endpoint]
}

// blocksAddress reports whether a fault surely says that the endpoint lets
// nobody in from this address. What only looks so (a page, which any server may
// have sent) is a cooldown of the one tenant that met it.
func blocksAddress(err error) bool {
	if ClassOf(err) != ClassBlocked {
		return false
	}
	guess, can := errors.AsType[interface {
		error
		Doubtful() bool
	}](err)
	return !can || !guess.Doubtful()
}
