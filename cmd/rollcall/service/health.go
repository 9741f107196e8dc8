package service

import (
	"fmt"
	"time"

	"rollcall/console"
	"rollcall/poller/budget"
	"rollcall/worker"
)

// maxWaiting is how long an observation may wait for NATS before the worker
// counts as not ready.
const maxWaiting = time.Minute

// maxStill is how long the worker's loop may stand still.
const maxStill = time.Minute

// stuck says that the worker's loop stands still, which neither DingTalk nor NATS
// can bring about; "" while it moves.
func (s *Service) stuck() string {
	w := s.Worker()
	if w == nil {
		return "" // it waits for NATS
	}
	return stoodStill(w.Turned(), time.Now())
}

// stoodStill is stuck for a loop that moved last at a time; zero: it has not begun.
func stoodStill(last, now time.Time) string {
	if still := now.Sub(last); !last.IsZero() && still > maxStill {
		return fmt.Sprintf("the worker's loop has not moved for %s", still.Round(time.Second))
	}
	return ""
}

// health says how the service does, for the console.
type health struct{ service *Service }

// Health measures, at each call, what being ready depends on.
func (h *health) Health() []console.Check {
	s := h.service
	checks := []console.Check{{Name: "nats", OK: s.conn.IsConnected(), Detail: "connection to NATS: " + s.conn.Status().String()}}
	if s.disk != nil {
		checks = append(checks, s.disk.health())
	}
	w := s.Worker()
	if w == nil {
		return append(checks, console.Check{Name: "ledger", Detail: "the stream is not open yet; see the log"})
	}
	checks = append(checks, opened(w.Ledger()))
	for _, t := range w.Health() {
		checks = append(checks, polled(t), waiting(t), shards(t))
		if len(t.Aside) > 0 {
			checks = append(checks, aside(t))
		}
	}
	for _, t := range s.tenants.current() {
		if t.budget != nil {
			checks = append(checks, spent(t.cfg.Name, t.budget.Figures()))
		}
	}
	return checks
}

// shards says what of a tenant is this worker's. What it does not hold another does,
// or "poll" says that nobody looks.
func shards(t worker.Health) console.Check {
	return console.Check{Name: "shards " + t.Tenant, OK: true, Detail: fmt.Sprintf("%d of %d are held here", t.Held, t.Shards)}
}

// spent says what is left of a tenant's calls. Without any a worker is as ready as
// another one would be: "poll" says when that has become too long.
func spent(tenant string, f budget.Figures) console.Check {
	detail := "the account of the month is not read yet"
	if f.Started {
		detail = fmt.Sprintf("%d of %d calls of the month are left, and %d are reserved here", f.Left, f.Limit, f.Held)
	}
	return console.Check{Name: "budget " + tenant, OK: true, Detail: detail}
}

// opened says what is wrong with the ledger itself.
func opened(trouble error) console.Check {
	if trouble != nil {
		return console.Check{Name: "ledger", Detail: trouble.Error()}
	}
	return console.Check{Name: "ledger", OK: true, Detail: "the stream is open"}
}

func polled(t worker.Health) console.Check {
	name := "poll " + t.Tenant
	if t.Held == 0 && t.Member {
		return console.Aged(name, t.SinceGood, t.Allowed, "standing by: since the last pass of another worker that was answered")
	}
	if t.Held == 0 {
		return console.Check{Name: name, Detail: "no shard is held yet"}
	}
	return console.Aged(name, t.SinceGood, t.Allowed, "since the last pass that was answered")
}

func waiting(t worker.Health) console.Check {
	if t.Paused {
		return console.Check{Name: "waiting " + t.Tenant, Detail: fmt.Sprintf("polling pauses: too much waits for NATS (%d observations)", t.Waiting)}
	}
	return console.Aged("waiting "+t.Tenant, t.Oldest, maxWaiting, fmt.Sprintf("%d observations wait to be stored", t.Waiting))
}

// shownAside is how many meetings that are set aside are named.
const shownAside = 3

// aside names meetings for which nothing can be stored. It does not make the
// worker unready: another one could do no better, and the others go on.
func aside(t worker.Health) console.Check {
	detail := fmt.Sprintf("%d meetings are set aside, since their records can be neither read nor stored (the log says why): %q",
		len(t.Aside), t.Aside[:min(len(t.Aside), shownAside)])
	return console.Check{Name: "set aside " + t.Tenant, OK: true, Detail: detail}
}
