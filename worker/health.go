package worker

import (
	"time"
)

// Health is how one tenant does, in ages.
type Health struct {
	Tenant string
	Held   int // shards that this worker holds
	// SinceGood is the age of the last pass that was answered; since the
	// worker's start where there was none.
	SinceGood time.Duration
	// Pace is the shortest distance of two passes.
	Pace time.Duration
	// Waiting observations are not stored yet; Oldest is the age of the first.
	Waiting int
	Oldest  time.Duration
	// Member says that the ledger has lately confirmed that this worker lives.
	Member bool
}

// Health measures how each tenant does.
func (w *Worker) Health() []Health {
	all := make([]Health, 0, len(w.tenants))
	for _, t := range w.tenants {
		all = append(all, t.health())
	}
	return all
}

func (t *tenant) health() Health {
	good := t.lastGood()
	if good.IsZero() {
		good = t.w.started
	}
	h := Health{
		Tenant: t.cfg.Name, SinceGood: time.Since(good), Pace: t.cfg.Schedule.Pace(), Member: t.w.beat.fresh(),
	}
	for _, s := range t.shards {
		if s.held.Load() != nil {
			h.Held++
		}
		n, _, oldest := s.queue.weight()
		h.Waiting += n
		if n > 0 {
			h.Oldest = max(h.Oldest, time.Since(oldest))
		}
	}
	return h
}
