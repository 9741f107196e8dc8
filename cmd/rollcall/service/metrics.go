package service

import (
	"cmp"
	"runtime"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"rollcall/cmd/rollcall/reload"
	"rollcall/poller"
	"rollcall/poller/budget"
)

// metrics are the figures of the calls.
type metrics struct {
	calls   *prometheus.CounterVec   // tenant, operation, class
	seconds *prometheus.HistogramVec // tenant, operation
	held    *prometheus.GaugeVec     // tenant, class
	batch   *prometheus.GaugeVec     // tenant
	apart   *prometheus.GaugeVec     // tenant
	skew    *prometheus.GaugeVec     // tenant

	push   *pushMetrics
	config *reload.Metrics
}

func newMetrics(registry *prometheus.Registry) *metrics {
	m := &metrics{
		push:   newPushMetrics(registry),
		config: reload.NewMetrics(registry),
		skew: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Namespace: "rollcall", Name: "clock_skew_seconds",
			Help: "This machine's clock minus DingTalk's, as the Date header of its last answer showed it, to a second.",
		}, []string{"tenant"}),
		calls: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: "rollcall", Name: "calls_total",
			Help: "Metered calls of DingTalk, by operation and by the class of their fault (none: answered).",
		},
			[]string{"tenant", "operation", "class"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: "rollcall", Name: "call_duration_seconds",
			Help: "How long calls of DingTalk took.", Buckets: prometheus.ExponentialBuckets(0.005, 2, 13),
		},
			[]string{"tenant", "operation"}),
		held: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Namespace: "rollcall", Name: "held_until_timestamp_seconds",
			Help: "Until when no call is made, because DingTalk refuses them.",
		}, []string{"tenant", "class"}),
		batch: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Namespace: "rollcall", Name: "batch_meetings",
			Help: "Meetings that one call asks about at most: poll.batch_size, or less where DingTalk was found to refuse as many.",
		}, []string{"tenant"}),
		apart: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Namespace: "rollcall", Name: "quarantined_meetings",
			Help: "Meetings that DingTalk refuses by themselves, and that are asked about less often.",
		}, []string{"tenant"}),
	}
	registry.MustRegister(m.calls, m.seconds, m.held, m.batch, m.apart, m.skew)
	return m
}

// skewed notes how far a tenant's clocks are apart.
func (m *metrics) skewed(tenant string) func(time.Duration) {
	return func(skew time.Duration) { m.skew.WithLabelValues(tenant).Set(skew.Seconds()) }
}

// forget takes out what is measured of a tenant that is no more.
func (m *metrics) forget(tenant string) {
	for _, gauge := range []*prometheus.GaugeVec{m.held, m.batch, m.apart, m.skew, m.push.connected} {
		gauge.DeletePartialMatch(prometheus.Labels{"tenant": tenant})
	}
}

// buildInfo is what the program was built of.
func buildInfo(version, commit string) prometheus.Collector {
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Namespace: "rollcall", Name: "build_info", Help: "The program: its version, the commit it was built of, and the version of Go. Always 1.",
		ConstLabels: prometheus.Labels{"version": version, "commit": cmp.Or(commit, "unknown"), "goversion": runtime.Version()},
	}, func() float64 { return 1 })
}

func (m *metrics) of(tenant string) poller.Metrics {
	return poller.Metrics{
		Called: func(op string, class poller.Class, took time.Duration) {
			word := class.String()
			if class == poller.ClassNone {
				word = "none"
			}
			m.calls.WithLabelValues(tenant, op, word).Inc()
			m.seconds.WithLabelValues(tenant, op).Observe(took.Seconds())
		},
		Held: func(class poller.Class, until time.Time) {
			if until.IsZero() { // an operator has ended it
				m.held.DeleteLabelValues(tenant, class.String())
				return
			}
			m.held.WithLabelValues(tenant, class.String()).Set(float64(until.Unix()))
		},
		Passed: func(batchLimit, quarantined int) {
			m.batch.WithLabelValues(tenant).Set(float64(batchLimit))
			m.apart.WithLabelValues(tenant).Set(float64(quarantined))
		},
	}
}

// figure is one of the figures of a budget.
type figure struct {
	desc *prometheus.Desc
	of   func(budget.Figures) float64
}

func figures() []figure {
	gauge := func(name, help string, of func(budget.Figures) float64) figure {
		return figure{prometheus.NewDesc("rollcall_budget_"+name, help, []string{"tenant"}, nil), of}
	}
	return []figure{
		gauge("calls", "Calls that may be spent in the calendar month (UTC+8).",
			func(f budget.Figures) float64 { return float64(f.Limit) }),
		gauge("calls_left", "Calls of the month that are neither spent nor reserved.",
			func(f budget.Figures) float64 { return float64(f.Left) }),
		gauge("calls_reserved", "Calls that this worker has reserved and not spent.",
			func(f budget.Figures) float64 { return float64(f.Held) }),
		gauge("pace_seconds", "Time between two calls about tracked meetings that the budget allows this worker now (0: none).",
			func(f budget.Figures) float64 { return f.Pace.Seconds() }),
		gauge("accounts_lost", "Accounts of a month that were gone or unreadable, and that this worker has written anew.",
			func(f budget.Figures) float64 { return float64(f.Lost) }),
	}
}

// budgetMetrics shows the budgets of the tenants that have one.
type budgetMetrics struct{ tenants func() []*tenant }

// Describe sends the metrics of budgets.
func (all budgetMetrics) Describe(to chan<- *prometheus.Desc) {
	for _, f := range figures() {
		to <- f.desc
	}
}

// Collect measures the budgets whose account was read.
func (all budgetMetrics) Collect(to chan<- prometheus.Metric) {
	for _, t := range all.tenants() {
		if t.budget == nil {
			continue
		}
		now := t.budget.Figures()
		if !now.Started {
			continue
		}
		for _, f := range figures() {
			to <- prometheus.MustNewConstMetric(f.desc, prometheus.GaugeValue, f.of(now), t.cfg.Name)
		}
	}
}
