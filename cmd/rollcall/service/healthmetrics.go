package service

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// healthMetrics shows what /readyz tells as figures, measured when they are read.
type healthMetrics struct {
	service *Service

	connected, opened, journal, journalMax, room *prometheus.Desc
	answered, allowed, held, waiting, paused     *prometheus.Desc // by tenant
}

func newHealthMetrics(s *Service) *healthMetrics {
	of := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("rollcall_"+name, help, labels, nil)
	}
	return &healthMetrics{
		service:    s,
		connected:  of("nats_connected", "Whether the connection to NATS stands (1) or not (0)."),
		opened:     of("ledger_open", "Whether the stream is there and can be used (1) or not (0)."),
		journal:    of("journal_bytes", "Size of the journal of observations that wait for NATS."),
		journalMax: of("journal_max_bytes", "Size at which the journal is full and polling pauses (journal.max_bytes); 0: there is no journal."),
		room: of("storage_left_bytes",
			"Bytes that batches may still take, as last seen, before the nearest limit of the stream, the account or the disk; absent where none is known."),
		answered: of("last_answer_timestamp_seconds",
			"When the last pass was asked that was answered, in the shard that does worst; the worker's start where there was none.", "tenant"),
		allowed: of("answer_age_allowed_seconds", "Age of the last answer at which three ticks in a row have brought nothing.", "tenant"),
		held:    of("shards_held", "Shards that this worker asks about (0: it stands by).", "tenant"),
		waiting: of("waiting_observations", "Observations that are not stored yet.", "tenant"),
		paused:  of("polling_paused", "Whether nothing is asked because too much waits for NATS (1) or not (0).", "tenant"),
	}
}

// Describe sends the metrics of the service's health.
func (m *healthMetrics) Describe(to chan<- *prometheus.Desc) {
	for _, desc := range []*prometheus.Desc{
		m.connected, m.opened, m.journal, m.journalMax, m.room, m.answered, m.allowed, m.held, m.waiting, m.paused,
	} {
		to <- desc
	}
}

// Collect measures them. Before the ledger was opened there is no worker, and
// nothing to tell of tenants.
func (m *healthMetrics) Collect(to chan<- prometheus.Metric) {
	gauge := func(desc *prometheus.Desc, value float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, labels...)
	}
	w, now := m.service.Worker(), time.Now()
	gauge(m.connected, truth(m.service.conn.IsConnected()))
	gauge(m.opened, truth(w != nil && w.Ledger() == nil))
	used, most := m.service.backlog.Size()
	gauge(m.journal, float64(used))
	gauge(m.journalMax, float64(most))
	if w == nil {
		return
	}
	if left, bounded := m.service.committer.Room(); bounded {
		gauge(m.room, float64(left))
	}
	for _, t := range w.Health() {
		gauge(m.answered, float64(now.Add(-t.SinceGood).UnixMilli())/1000, t.Tenant)
		gauge(m.allowed, t.Allowed.Seconds(), t.Tenant)
		gauge(m.held, float64(t.Held), t.Tenant)
		gauge(m.waiting, float64(t.Waiting), t.Tenant)
		gauge(m.paused, truth(t.Paused), t.Tenant)
	}
}

// truth is 1 or 0, as Prometheus has it.
func truth(holds bool) float64 {
	if holds {
		return 1
	}
	return 0
}
