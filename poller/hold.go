package poller

import (
	"errors"
	"math/rand/v2"
	"time"
)

// longestAsked bounds how long a vendor can make us wait.
const longestAsked = 5 * time.Minute

// hold keeps a whole tenant from calling until a time, or from one way of
// calling. The zero value keeps nobody. It is guarded by its poller's lock.
type hold struct {
	class   Class
	err     error
	until   time.Time // by the monotonic clock; that of a quota by the calendar
	strikes int       // faults of this class in a row, without a success in between
	told    bool      // a shard has logged it
}

// reach is how much a hold keeps back.
type reach uint8

const (
	holdsNone reach = iota
	holdsOne        // one way of calling: limits are counted for each
	holdsAll
)

// holdGrowth is how long a class of fault holds a tenant back; ok is false for
// one that does not.
func holdGrowth(class Class) (g growth, ok bool) {
	switch class {
	case ClassThrottled:
		return growth{time.Second, time.Minute}, true
	case ClassToken:
		return growth{time.Second, time.Minute}, true
	case ClassPermission:
		return growth{15 * time.Second, 5 * time.Minute}, true
	case ClassBlocked:
		return growth{blockLasts, blockLasts}, true
	}
	return growth{}, false
}

func (h *hold) active(now time.Time) bool { return now.Before(h.until) }

// strike takes a fault that holds back. A hold that is in force is not
// shortened, and grows only once for questions that were under way together.
func (h *hold) strike(now time.Time, class Class, until time.Time, err error) {
	if h.active(now) && !until.After(h.until) {
		return
	}
	switch {
	case h.class != class:
		h.strikes, h.told = 1, false
	case !h.active(now):
		h.strikes++
	}
	h.class, h.err, h.until = class, err, until
}

// strikesOf is how often a class has struck in a row.
func (h *hold) strikesOf(class Class) int {
	if h.class != class {
		return 0
	}
	return h.strikes
}

// end says until when a fault keeps the tenant from calling; zero: it does not.
func (h *hold) end(now time.Time, class Class, asked time.Duration, random float64) time.Time {
	asked = min(asked, longestAsked)
	switch g, grows := holdGrowth(class); {
	case class == ClassQuota:
		return nextMonth(now)
	case grows:
		return now.Add(max(g.delay(h.strikesOf(class), random), asked))
	case asked > retries().most && passing(class):
		return now.Add(asked)
	}
	return time.Time{}
}

// nextMonth is when DingTalk's count of the month's calls starts anew: an
// instant of the calendar, without a monotonic part. China has no daylight saving.
func nextMonth(now time.Time) time.Time {
	china := now.In(time.FixedZone("UTC+8", 8*60*60))
	return time.Date(china.Year(), china.Month()+1, 1, 0, 0, 0, 0, china.Location()).UTC()
}

// settle draws from a call's outcome what it means for all shards, and says
// what may not be called for now.
func (p *Poller) settle(op string, err error) reach {
	class, now := ClassOf(err), p.now()
	if blocksAddress(err) {
		p.tellHeld(class, p.egress().block(p.Endpoint, now))
		return holdsAll
	}
	until, held := p.strike(now, op, class, err)
	if held != holdsNone {
		p.tellHeld(class, until)
	}
	return held
}

func (p *Poller) strike(now time.Time, op string, class Class, err error) (time.Time, reach) {
	p.mu.Lock()
	defer p.mu.Unlock()
	h, held := &p.hold, holdsAll
	if class == ClassThrottled {
		h, held = p.throttleOf(op), holdsOne
	}
	until := h.end(now, class, retryAfter(err), rand.Float64())
	if until.IsZero() {
		p.release(now, op, class)
		return until, holdsNone
	}
	h.strike(now, class, until, err)
	return h.until, held
}

// release forgets past holds once a call is answered, or refused for a reason
// of its own.
func (p *Poller) release(now time.Time, op string, class Class) {
	if passing(class) {
		return
	}
	if !p.hold.active(now) {
		p.hold = hold{}
	}
	if t := p.throttles[op]; t != nil && !t.active(now) {
		delete(p.throttles, op)
	}
}

func (p *Poller) throttleOf(op string) *hold {
	if p.throttles == nil {
		p.throttles = make(map[string]*hold)
	}
	if p.throttles[op] == nil {
		p.throttles[op] = &hold{}
	}
	return p.throttles[op]
}

func (p *Poller) tellHeld(class Class, until time.Time) {
	if p.Metrics.Held != nil {
		p.Metrics.Held(class, until)
	}
}

// held gives what keeps the tenant from calling now, in this way or in any.
func (p *Poller) held(op string) (reach, Class, error) {
	now := p.now()
	if p.egress().BlockedUntil(p.Endpoint).After(now) {
		return holdsAll, ClassBlocked, errBlocked()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.hold.active(now) {
		return holdsAll, p.hold.class, p.hold.err
	}
	if t := p.throttles[op]; t != nil && t.active(now) {
		return holdsOne, t.class, t.err
	}
	return holdsNone, ClassNone, nil
}

func errBlocked() error {
	return errors.New("the address of this process is blocked for some minutes: too many calls came from it")
}

// heldUntil is when calls are made again, also in the ways that are barred;
// zero when they are made now.
func (p *Poller) heldUntil(barred map[string]*halt) time.Time {
	now := p.now()
	until := p.egress().BlockedUntil(p.Endpoint)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.hold.until.After(until) {
		until = p.hold.until
	}
	for op, t := range p.throttles {
		if barred[op] != nil && t.until.After(until) {
			until = t.until
		}
	}
	if !until.After(now) {
		return time.Time{}
	}
	return onWall(now, until)
}

// onWall is an instant as the wall clock will show it, which may have been set
// since the instant was fixed.
func onWall(now, at time.Time) time.Time { return now.Add(at.Sub(now)) }

// now reads the clock, with its monotonic part: what lasts a while lasts no
// longer because the clock is set.
func (p *Poller) now() time.Time {
	if p.clock != nil {
		return p.clock()
	}
	return time.Now()
}

// tells reports whether the hold of a class is still to be logged: the first
// shard that meets it does so for all.
func (p *Poller) tells(class Class) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.hold.class != class {
		return true
	}
	was := p.hold.told
	p.hold.told = true
	return !was
}

// retryAfter is how long the vendor asked to wait.
func retryAfter(err error) time.Duration {
	if fault, ok := errors.AsType[Fault](err); ok {
		return max(fault.RetryAfter(), 0)
	}
	return 0
}
