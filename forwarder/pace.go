package forwarder

import (
	"cmp"
	"time"

	"rollcall/forwarder/target"
	"rollcall/internal/wait"
)

// sendTimeout bounds one attempt to send.
const sendTimeout = 10 * time.Second

// pace keeps a rate of a service as a token bucket, of which one time is all that
// has to be remembered: the one at which the bucket is full again.
//
// In any window the service may count what was sent up to sendTimeout before it, so
// burst and rate together stay below what it allows in a window longer by that.
// Half of that flows evenly, so that nobody has to wait long for the next message.
type pace struct {
	every time.Duration // between two messages that flow
	burst int           // messages at once, after a rest
}

func paceOf(r target.Rate) pace {
	every := 2 * r.Window / time.Duration(r.Messages)
	late := min(sendTimeout, r.Window)
	return pace{every, max(1, r.Messages-int((r.Window+late+every-1)/every))}
}

// free returns how many messages may be sent at once.
func (p pace) free(full, now time.Time) int {
	missing := max(0, full.Sub(now))
	return int((time.Duration(p.burst)*p.every - missing) / p.every)
}

// next returns from when on a message may be sent.
func (p pace) next(full time.Time) time.Time { return full.Add(-time.Duration(p.burst-1) * p.every) }

// take returns when the bucket is full again after one more message.
func (p pace) take(full, now time.Time) time.Time {
	if full.Before(now) {
		full = now
	}
	return full.Add(p.every)
}

// robotState is what all processes know of one address. It is kept under a hash
// of the address.
type robotState struct {
	Full   []time.Time  `json:"full,omitempty"`  // of each rate of its kind
	Until  time.Time    `json:"until,omitzero"`  // nothing is sent before
	Class  target.Class `json:"class,omitempty"` // of the last failure; "" since a success
	Detail string       `json:"detail,omitempty"`
	Since  time.Time    `json:"since,omitzero"`   // of the failures
	Failed int          `json:"failed,omitempty"` // in a row
	// Version is that of the robot when it was last refused or heard.
	Version string `json:"version,omitempty"`
}

// trust lets a robot send that was refused with another secret.
func (s *robotState) trust(version string) {
	if s.Class == target.AuthError && s.Version != version {
		s.Until, s.Failed = time.Time{}, 0
	}
}

// free returns how many messages may be sent at once.
func (s *robotState) free(rates []target.Rate, now time.Time) int {
	if now.Before(s.Until) {
		return 0
	}
	free := unlimited
	for i, rate := range rates {
		free = min(free, paceOf(rate).free(s.full(i), now))
	}
	return free
}

// unlimited is how many messages may be sent where nothing limits them.
const unlimited = 1 << 20

// next returns from when on a message may be sent.
func (s *robotState) next(rates []target.Rate) time.Time {
	next := s.Until
	for i, rate := range rates {
		if t := paceOf(rate).next(s.full(i)); t.After(next) {
			next = t
		}
	}
	return next
}

// freeOf is how many messages may be sent at once by robots, and otherwise when the next.
func freeOf(robots []robotState, rates []target.Rate, now time.Time) (free int, next time.Time) {
	for i := range robots {
		free += robots[i].free(rates, now)
		if t := robots[i].next(rates); i == 0 || t.Before(next) {
			next = t
		}
	}
	return free, next
}

// take counts one message.
func (s *robotState) take(rates []target.Rate, now time.Time) {
	full := make([]time.Time, len(rates))
	for i, rate := range rates {
		full[i] = paceOf(rate).take(s.full(i), now)
	}
	s.Full = full
}

// outcome notes what became of a message, and until when nothing is sent after it.
func (s *robotState) outcome(out target.Outcome, silence time.Duration, now time.Time) {
	if out.Class == target.Delivered {
		s.Class, s.Detail, s.Since, s.Failed = "", "", time.Time{}, 0
		return
	}
	if s.Failed == 0 {
		s.Since = now
	}
	s.Class, s.Detail, s.Failed = out.Class, out.Detail, s.Failed+1
	if until := now.Add(silenceAfter(out, silence, s.Failed)); until.After(s.Until) {
		s.Until = until
	}
}

// silenceAfter is for how long nothing is sent after the n-th failure in a row.
func silenceAfter(out target.Outcome, silence time.Duration, n int) time.Duration {
	switch out.Class {
	case target.RateLimited:
		return max(out.Pause, cmp.Or(out.Pause, silence, time.Minute))
	case target.AuthError: // until an operator has repaired it
		return wait.Growth{First: time.Minute, Most: time.Hour}.Step(n - 1)
	case target.Gone:
		return 24 * time.Hour
	}
	return max(out.Pause, wait.Growth{First: time.Second, Most: time.Minute}.Step(n-1))
}

func (s *robotState) full(i int) time.Time {
	if i < len(s.Full) {
		return s.Full[i]
	}
	return time.Time{}
}
