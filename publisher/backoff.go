package publisher

import (
	"time"

	"github.com/cenkalti/backoff/v4"
)

// The delays of [NewBackOff].
const (
	firstDelay = 200 * time.Millisecond
	maxDelay   = 15 * time.Second
)

// NewBackOff gives the waiting between attempts to commit: about 200 ms, then
// growing to at most 15 s, without an end; reset it on success. It is not safe
// for concurrent use.
func NewBackOff() backoff.BackOff {
	exponential := backoff.NewExponentialBackOff()
	exponential.InitialInterval = firstDelay
	exponential.MaxInterval = maxDelay
	exponential.MaxElapsedTime = 0 // the ledger comes back, or an operator comes
	exponential.Reset()
	return &clamped{exponential}
}

// clamped keeps delays under the cap also after the jitter, which the library
// adds to the capped interval.
type clamped struct{ *backoff.ExponentialBackOff }

func (c *clamped) NextBackOff() time.Duration {
	return min(c.ExponentialBackOff.NextBackOff(), maxDelay)
}
