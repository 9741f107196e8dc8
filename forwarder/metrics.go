package forwarder

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"rollcall/forwarder/note"
	"rollcall/forwarder/target"
)

// metrics count what this process does.
type metrics struct {
	messages, events, failures *prometheus.CounterVec
	waiting, oldest, working   *prometheus.GaugeVec
	paused, month              *prometheus.GaugeVec
}

func newMetrics(r prometheus.Registerer) *metrics {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: "rollcall_forward_" + name, Help: help}, labels)
	}
	gauge := func(name, help string, labels ...string) *prometheus.GaugeVec {
		return prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "rollcall_forward_" + name, Help: help}, labels)
	}
	m := &metrics{
		messages: counter("messages_total", "Messages delivered, by kind: single, digest, found, catch_up, event.", "route", "target", "kind"),
		events:   counter("events_total", "Events accounted for: told, digested, undone, cut or undelivered.", "route", "target", "outcome"),
		failures: counter("failures_total", "Attempts that failed, by class.", "route", "target", "class"),
		waiting:  gauge("waiting_events", "Events that wait to be told, where this process works the route.", "route", "target"),
		oldest:   gauge("oldest_waiting_timestamp_seconds", "When the oldest event that waits was stored; 0: none waits.", "route", "target"),
		working:  gauge("route_held", "1 where this process works the route, 0 where another does.", "route", "target"),
		paused:   gauge("paused_until_timestamp_seconds", "Until when the target is sent nothing, since no robot may send or the month's messages are used up; 0: it is sent.", "route", "target"),
		month:    gauge("month_messages", "Messages of the target that count against monthly_messages, of this month.", "route", "target"),
	}
	if r != nil {
		r.MustRegister(m.messages, m.events, m.failures, m.waiting, m.oldest, m.working, m.paused, m.month)
	}
	return m
}

func (m *metrics) held(l *lane, is bool) {
	value := 0.0
	if is {
		value = 1
		for _, outcome := range []string{"told", "digested", "undone", "cut", "undelivered"} {
			m.events.WithLabelValues(l.route.Name, l.Name, outcome) // from 0 on, so that the first one is seen to come
		}
	}
	m.working.WithLabelValues(l.route.Name, l.Name).Set(value)
	if !is {
		for _, of := range []*prometheus.GaugeVec{m.waiting, m.oldest, m.paused, m.month} {
			of.DeleteLabelValues(l.route.Name, l.Name)
		}
	}
}

// forget takes out what is shown of a lane that is no more.
func (m *metrics) forget(l *lane) { m.working.DeleteLabelValues(l.route.Name, l.Name) }

func (m *metrics) sent(l *lane, kind note.Kind) {
	m.messages.WithLabelValues(l.route.Name, l.Name, string(kind)).Inc()
}

func (m *metrics) failed(l *lane, out target.Outcome) {
	m.failures.WithLabelValues(l.route.Name, l.Name, string(out.Class)).Inc()
}

func (m *metrics) accounted(l *lane, a note.Account) {
	for outcome, n := range map[string]int{"told": a.Told, "digested": a.Digested, "undone": a.Undone, "cut": a.Cut} {
		m.events.WithLabelValues(l.route.Name, l.Name, outcome).Add(float64(n))
	}
}

func (m *metrics) undelivered(l *lane, n int) {
	m.events.WithLabelValues(l.route.Name, l.Name, "undelivered").Add(float64(n))
}

// place shows what a lane's place says, whenever it is written.
func (m *metrics) place(l *lane) {
	s := &l.place.Lane
	m.waiting.WithLabelValues(l.route.Name, l.Name).Set(float64(s.Waiting))
	oldest := 0.0
	if !s.Oldest.IsZero() {
		oldest = float64(s.Oldest.Unix())
	}
	m.oldest.WithLabelValues(l.route.Name, l.Name).Set(oldest)
	paused := 0.0
	until, _ := l.silent()
	if l.monthEnds.After(until) {
		until = l.monthEnds
	}
	if until.After(time.Now()) {
		paused = float64(until.Unix())
	}
	m.paused.WithLabelValues(l.route.Name, l.Name).Set(paused)
	m.month.WithLabelValues(l.route.Name, l.Name).Set(float64(l.sent))
}
