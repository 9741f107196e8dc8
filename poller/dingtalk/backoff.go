package dingtalk

import "time"

// The pauses between token requests that fail.
const (
	firstPause = time.Second
	maxPause   = time.Minute
)

// pause is how long to wait after so many failures in a row: it doubles from
// one to the next, and never exceeds a minute. Without a failure there is none.
func pause(failures int) time.Duration {
	if failures <= 0 {
		return 0
	}
	// A shift beyond the cap could overflow.
	return min(firstPause<<min(failures-1, 6), maxPause)
}
