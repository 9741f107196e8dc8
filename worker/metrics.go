package worker

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics are the figures of a worker.
type metrics struct {
	passes      *prometheus.CounterVec // tenant, state
	missedTicks *prometheus.CounterVec // tenant
	tracked     *prometheus.GaugeVec   // tenant
	aside       *prometheus.GaugeVec   // tenant
	events      *prometheus.CounterVec // tenant, type
	commits     *prometheus.CounterVec // outcome
	dropped     *prometheus.CounterVec // tenant, reason
	odd         *prometheus.CounterVec // tenant, field
	torn        *prometheus.CounterVec // tenant
	unreadable  *prometheus.CounterVec // tenant, what
	unmatched   *prometheus.CounterVec // tenant
}

func newMetrics() *metrics {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "rollcall", Name: name, Help: help}, labels)
	}
	return &metrics{
		passes:      counter("passes_total", "Passes over the tracked meetings, by how they went.", "tenant", "state"),
		missedTicks: counter("missed_ticks_total", "Ticks of the schedule that came while a pass was under way.", "tenant"),
		tracked: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Namespace: "rollcall", Name: "tracked_meetings",
			Help: "Meetings that this worker asks about.",
		}, []string{"tenant"}),
		aside: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Namespace: "rollcall", Name: "set_aside_meetings",
			Help: "Meetings whose record can be neither read nor stored, and that are tried again ever more rarely.",
		}, []string{"tenant"}),
		events:     counter("events_total", "Events that were stored.", "tenant", "type"),
		commits:    counter("commits_total", "Batches, by what became of them.", "outcome"),
		dropped:    counter("sightings_dropped_total", "Sightings that were not compared, by reason.", "tenant", "reason"),
		odd:        counter("oddities_total", "Values in answers that have no meaning and were ignored.", "tenant", "field"),
		torn:       counter("torn_batches_total", "Meetings whose epoch was ended because the broker had stored a batch in part.", "tenant"),
		unreadable: counter("unreadable_total", "What was read from the ledger, could not be understood, and was replaced, by what it was.", "tenant", "what"),
		unmatched:  counter("members_unmatched_total", "People in a meeting whom its list of members did not name by their user id, at each reading for roles.", "tenant"),
	}
}

// begin shows what is counted of a tenant from 0 on, so that the first one is seen to
// come by whoever reads only how much a counter has grown.
func (m *metrics) begin(tenant string) {
	m.torn.WithLabelValues(tenant)
	m.unmatched.WithLabelValues(tenant)
	for _, what := range []string{"claim", "tracking", "record"} {
		m.unreadable.WithLabelValues(tenant, what)
	}
}

// forget takes out what is measured of a tenant that is no more.
func (m *metrics) forget(tenant string) {
	m.tracked.DeleteLabelValues(tenant)
	m.aside.DeleteLabelValues(tenant)
}

func (m *metrics) register(to prometheus.Registerer, others ...prometheus.Collector) error {
	if to == nil {
		return nil
	}
	own := []prometheus.Collector{m.passes, m.missedTicks, m.tracked, m.aside, m.events, m.commits, m.dropped, m.odd, m.torn, m.unreadable, m.unmatched}
	for _, c := range append(own, others...) {
		if err := to.Register(c); err != nil {
			return fmt.Errorf("register metrics: %w", err)
		}
	}
	return nil
}
