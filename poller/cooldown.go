package poller

import (
	"errors"
	"time"

	"rollcall/internal/wait"
)

// longestAsked bounds how long a vendor can make us wait.
const longestAsked = 5 * time.Minute

// cooldown keeps a tenant from calling until a time: at all, or for one
// operation. The zero value keeps nobody. It is guarded by the gate's lock.
type cooldown struct {
	class   Class
	err     error
	until   time.Time // by the monotonic clock; that of a quota by the calendar
	strikes int       // faults of this class in a row, without a success in between
	logged  bool      // by one shard for all
}

// cooldownRange returns how long a class of fault keeps a tenant from calling;
// ok is false for one that does not.
func cooldownRange(class Class) (r wait.Growth, ok bool) {
	switch class {
	case ClassThrottled, ClassToken:
		return wait.Growth{First: time.Second, Most: time.Minute}, true
	case ClassPermission:
		return wait.Growth{First: 15 * time.Second, Most: 5 * time.Minute}, true
	case ClassBlocked:
		return wait.Growth{First: blockLasts, Most: blockLasts}, true
	}
	return wait.Growth{}, false
}

func (c *cooldown) active(now time.Time) bool { return now.Before(c.until) }

// strike records a fault. A cooldown in force is not shortened, and grows only
// once for calls that were in flight together.
func (c *cooldown) strike(now time.Time, class Class, until time.Time, err error) {
	if c.active(now) && !until.After(c.until) {
		return
	}
	switch {
	case c.class != class:
		c.strikes, c.logged = 1, false
	case !c.active(now):
		c.strikes++
	}
	c.class, c.err, c.until = class, err, until
}

// strikesOf returns how often a class has struck in a row.
func (c *cooldown) strikesOf(class Class) int {
	if c.class != class {
		return 0
	}
	return c.strikes
}

// end returns until when a fault keeps the tenant from calling; zero: it does not.
func (c *cooldown) end(now time.Time, class Class, asked time.Duration, random float64) time.Time {
	asked = min(asked, longestAsked)
	switch r, cools := cooldownRange(class); {
	case class == ClassQuota:
		return nextMonth(now)
	case cools:
		return now.Add(max(r.Delay(c.strikesOf(class), random), asked))
	case asked > retries().Most && passing(class):
		return now.Add(asked)
	}
	return time.Time{}
}

// nextMonth returns when DingTalk's count of the month's calls starts anew: an
// instant of the calendar, without a monotonic part. China has no daylight saving.
func nextMonth(now time.Time) time.Time {
	china := now.In(time.FixedZone("UTC+8", 8*60*60))
	return time.Date(china.Year(), china.Month()+1, 1, 0, 0, 0, 0, china.Location()).UTC()
}

// retryAfter returns how long the vendor asked to wait.
func retryAfter(err error) time.Duration {
	if fault, ok := errors.AsType[Fault](err); ok {
		return max(fault.RetryAfter(), 0)
	}
	return 0
}
