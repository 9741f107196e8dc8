package service

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"rollcall/poller/budget"
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

// pushMonths shows how many pushes of the month are used, of the tenants that hear them.
type pushMonths struct {
	tenants     func() []*tenant
	used, limit *prometheus.Desc
}

func newPushMonths(tenants func() []*tenant) pushMonths {
	return pushMonths{
		tenants,
		prometheus.NewDesc("rollcall_push_month_pushes", "Pushes of the calendar month (UTC+8) that are used, as far as this worker has counted.", []string{"tenant"}, nil),
		prometheus.NewDesc("rollcall_push_monthly_pushes", "Pushes that may be used in the calendar month; absent where that is unlimited.", []string{"tenant"}, nil),
	}
}

// Describe sends the metrics.
func (m pushMonths) Describe(to chan<- *prometheus.Desc) {
	to <- m.used
	to <- m.limit
}

// Collect measures the months whose account was read.
func (m pushMonths) Collect(to chan<- prometheus.Metric) {
	for _, t := range m.tenants() {
		if t.pushes == nil {
			continue
		}
		now := t.pushes.Figures()
		if now.Month == budget.MonthOf(time.Now()) { // who does not hear keeps the figures of an earlier one
			to <- prometheus.MustNewConstMetric(m.used, prometheus.GaugeValue, float64(now.Used), t.cfg.Name)
		}
		if now.Limit > 0 {
			to <- prometheus.MustNewConstMetric(m.limit, prometheus.GaugeValue, float64(now.Limit), t.cfg.Name)
		}
	}
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
