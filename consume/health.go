package consume

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"rollcall/wire"
)

// Health is whether a tenant's meetings are being looked at.
type Health struct {
	// Blind says that nobody looks at some of them: it was told, or what is
	// known is out of date by more than three paces.
	Blind bool
	// Why is, where Blind, the reason of the watch event that told it, and
	// otherwise the state of the status: ok, throttled, quota, auth or away; silent
	// where that says ok and has grown too old to be believed, as after a worker
	// was killed; unknown where there is no status.
	Why      string
	Since    time.Time     // where Blind: from when on nobody has looked; zero: nobody ever did
	LastGood time.Time     // the last poll that learned anything; zero: none yet
	Age      time.Duration // since LastGood
	// Pace is the time between two passes, LastPass when the last one was over
	// (zero: none was), and Tracked how many meetings are asked about; 0 where
	// there is no status.
	Pace     time.Duration
	LastPass time.Time
	Tracked  int
}

// The words of [Health.Why] that nobody stores.
const (
	WhySilent  = "silent"
	WhyUnknown = "unknown"
)

// grace is how long a pass may take on top of its pace.
const grace = 30 * time.Second

// loss is what was stored, and when, of a shard at which nobody looks.
type loss struct {
	wire.Watching
	at time.Time
}

// part names a shard of a tenant.
type part struct{ tenant, shard string }

// Tenants lists those of which anything is known, sorted.
func (m *Meetings) Tenants() []string {
	m.mu.RLock()
	defer m.mu.RUnlock()
	known := map[string]bool{}
	for tenant := range m.statuses {
		known[tenant] = true
	}
	for k := range m.losses {
		known[k.tenant] = true
	}
	for k := range m.entries {
		known[k.tenant] = true
	}
	return slices.Sorted(maps.Keys(known))
}

// Health returns whether the tenant's meetings are being looked at, from its
// watch events, its status and the clock.
func (m *Meetings) Health(tenant string) Health {
	m.mu.RLock()
	defer m.mu.RUnlock()
	h := Health{Blind: true, Why: WhyUnknown}
	s, known := m.statuses[tenant]
	if known {
		h = healthOf(s, time.Now())
	}
	first := loss{}
	for k, told := range m.losses {
		// Where all were looked at since, it is a shard of an earlier division.
		if k.tenant == tenant && told.at.After(h.LastGood) && (!first.Lost || told.After.Before(first.After)) {
			first = told
		}
	}
	if first.Lost {
		h.Blind, h.Why, h.Since = true, string(first.Reason), first.After
	}
	return h
}

func healthOf(s wire.Status, now time.Time) Health {
	h := Health{Why: s.State, LastGood: s.LastGoodPoll, Pace: s.Pace, LastPass: s.LastPass, Tracked: s.Tracked}
	if !s.LastGoodPoll.IsZero() {
		h.Age = max(0, now.Sub(s.LastGoodPoll))
	}
	h.Blind = s.LastGoodPoll.IsZero() || h.Age > 3*s.Pace+grace
	if h.Blind {
		h.Since = s.LastGoodPoll
		if s.State == wire.StateOK {
			h.Why = WhySilent
		}
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
