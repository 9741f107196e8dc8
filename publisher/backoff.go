package publisher

import (
	"time"

	"github.com/cenkalti/backoff/v4"

	"rollcall/internal/wait"
)

// NewBackOff returns the waiting between attempts to commit: about 200 ms, then
// growing to at most 15 s, without an end; reset it on success. It is not safe
// for concurrent use.
func NewBackOff() backoff.BackOff {
	return wait.Growth{First: 200 * time.Millisecond, Most: 15 * time.Second}.BackOff()
}
