package consume

import (
	"fmt"
	"time"

	"rollcall/wire"
)

// Health is whether a tenant's meetings are being looked at.
type Health struct {
	// Blind says that what is known may be out of date by more than three
	// paces: nobody looks, or nothing is answered.
	Blind bool
	// Why is ok, throttled, quota, auth or away, as the status says; silent
	// where it says ok and has grown too old to be believed, as after a worker
	// was killed; unknown where there is no status.
	Why      string
	LastGood time.Time     // the last poll that learned anything; zero: none yet
	Age      time.Duration // since LastGood
}

// The words of [Health.Why] that no status has.
const (
	WhySilent  = "silent"
	WhyUnknown = "unknown"
)

// grace is how long a pass may take on top of its pace.
const grace = 30 * time.Second

// Health returns whether the tenant's meetings are being looked at, from its
// status and the clock.
func (m *Meetings) Health(tenant string) Health {
	m.mu.RLock()
	s, known := m.statuses[tenant]
	m.mu.RUnlock()
	if !known {
		return Health{Blind: true, Why: WhyUnknown}
	}
	return healthOf(s, time.Now())
}

func healthOf(s wire.Status, now time.Time) Health {
	h := Health{Why: s.State, LastGood: s.LastGoodPoll}
	if !s.LastGoodPoll.IsZero() {
		h.Age = max(0, now.Sub(s.LastGoodPoll))
	}
	h.Blind = s.LastGoodPoll.IsZero() || h.Age > 3*s.Pace+grace
	if h.Blind && s.State == wire.StateOK {
		h.Why = WhySilent
	}
	return h
}

// Age is how old what is known of the tenant's meetings may be: the time since
// the last poll that learned anything. The error says that no status was read.
func (m *Meetings) Age(tenant string) (time.Duration, error) {
	h := m.Health(tenant)
	if h.LastGood.IsZero() {
		return 0, fmt.Errorf("age of tenant %s: no poll has told anything yet", tenant)
	}
	return h.Age, nil
}
