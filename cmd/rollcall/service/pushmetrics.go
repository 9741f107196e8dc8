package service

import (
	"github.com/prometheus/client_golang/prometheus"

	"rollcall/poller/push"
)

// pushMetrics are the figures of what DingTalk pushes.
type pushMetrics struct {
	heard     *prometheus.CounterVec // tenant, outcome
	connected *prometheus.GaugeVec   // tenant
}

func newPushMetrics(registry *prometheus.Registry) *pushMetrics {
	m := &pushMetrics{
		heard: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: "rollcall", Name: "pushes_total",
			Help: "Messages that DingTalk pushed, by what became of them (taken: a hint at a meeting to ask about).",
		}, []string{"tenant", "outcome"}),
		connected: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Namespace: "rollcall", Name: "push_connected",
			Help: "1 while this worker holds the tenant's connection for pushes. Of several workers one does.",
		}, []string{"tenant"}),
	}
	registry.MustRegister(m.heard, m.connected)
	return m
}

// of are the metrics of one tenant, all of which are there from now on.
func (m *pushMetrics) of(tenant string) push.Metrics {
	for _, outcome := range push.Outcomes() {
		m.heard.WithLabelValues(tenant, outcome)
	}
	stands := m.connected.WithLabelValues(tenant)
	stands.Set(0)
	return push.Metrics{
		Heard: func(outcome string) { m.heard.WithLabelValues(tenant, outcome).Inc() },
		Connected: func(yes bool) {
			stands.Set(map[bool]float64{true: 1}[yes])
		},
	}
}
