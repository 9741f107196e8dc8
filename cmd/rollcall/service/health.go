package service

import (
	"fmt"
	"time"

	"rollcall/console"
	"rollcall/worker"
)

// maxWaiting is how long an observation may wait for NATS before the worker
// counts as not ready.
const maxWaiting = time.Minute

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
		checks = append(checks, polled(t), waiting(t))
		if len(t.Aside) > 0 {
			checks = append(checks, aside(t))
		}
	}
	return checks
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
