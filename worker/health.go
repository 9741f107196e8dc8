package worker

import (
	"slices"
	"time"

	"rollcall/poller"
)

// Health is how one tenant does, in ages.
type Health struct {
	Tenant string
	Held   int // shards that this worker holds
	Shards int // into how many the tenant's meetings are divided
	// SinceGood is the age of the last pass that was answered; since the
	// worker's start where there was none.
	SinceGood time.Duration
	// Allowed is the SinceGood at which three ticks in a row have brought nothing.
	Allowed time.Duration
	// Waiting observations are not stored yet; Oldest is the age of the first.
	Waiting int
	Oldest  time.Duration
	// Paused says that nothing is asked because too much waits.
	Paused bool
	// Aside are meetings whose record can be neither read nor stored. They are
	// tried again at growing intervals; the others go on.
	Aside []string
	// Member says that the ledger has lately confirmed that this worker lives.
	Member bool
}

// Turned is when the loop went round last that keeps the worker among the living: it
// does so several times in [Config.MemberTTL], whatever NATS does. Zero: before Run.
func (w *Worker) Turned() time.Time { return instant(&w.turned) }

// Health measures how each tenant does.
func (w *Worker) Health() []Health {
	all := make([]Health, 0, len(w.all()))
	for _, t := range w.all() {
		all = append(all, t.health())
	}
	return all
}

func (t *tenant) health() Health {
	good := t.goodSince()
	h := Health{
		Tenant: t.cfg.Name, SinceGood: time.Since(good), Allowed: t.patience(good), Member: t.w.heart.Fresh(), Paused: t.paused.Load(), Aside: t.aside(), Held: len(t.held()), Shards: len(t.shards()),
	}
	for _, s := range t.shards() {
		n, oldest := s.queue.Waiting()
		h.Waiting += n
		if n > 0 {
			h.Oldest = max(h.Oldest, time.Since(oldest))
		}
	}
	return h
}

// goodSince is when the shard that does worst was last looked at, of those that
// this worker holds: what others see says nothing about these. Where it holds
// none, it is what the others say.
func (t *tenant) goodSince() time.Time {
	var own []time.Time
	for _, s := range t.shards() {
		if h := s.own.held(); h != nil {
			own = append(own, later(s.polling.lastGood(), h.began))
		}
	}
	if len(own) == 0 {
		own = []time.Time{t.lastGood()}
	}
	return later(earliest(own), t.created)
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

// worse is that of two states that says more of what is wrong.
func worse(a, b string) string {
	order := []string{"", poller.StateOK, poller.StateThrottled, poller.StateAway, poller.StateQuota, poller.StateAuth}
	if slices.Index(order, b) > slices.Index(order, a) {
		return b
	}
	return a
}

// passGrace is how long a pass may take before its tick counts as missed.
const passGrace = 30 * time.Second

// patience is the age at which three ticks after a good pass were missed, or
// three times the pace that the budget allows has passed.
func (t *tenant) patience(good time.Time) time.Duration {
	tick := good
	for range 3 {
		tick = t.cfg.Schedule.Next(tick)
	}
	return max(tick.Sub(good), 3*t.pace()) + passGrace
}
