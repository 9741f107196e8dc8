// Package wait waits. It promises that no wait outlasts its context, and that
// none leaves a timer behind.
package wait

import (
	"context"
	"time"
)

// For waits for d, and reports whether that passed before ctx ended. A wait
// that is not positive is over at once.
func For(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
