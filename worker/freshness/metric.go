package freshness

import (
	"github.com/prometheus/client_golang/prometheus"
)

// metric shows the ages of several tenants.
type metric struct {
	desc *prometheus.Desc
	ages func() map[string]*Ages
}

// Metric is a histogram of the ages that ages returns by tenant, at each reading.
func Metric(ages func() map[string]*Ages) prometheus.Collector {
	return &metric{ages: ages, desc: prometheus.NewDesc("rollcall_freshness_seconds",
		"Age of what subscribers know of each meeting that goes on (now minus when the last answer was asked that is stored or shows what is), "+
			"sampled about every 5 s of every such meeting's time; histogram_quantile tells how old it is.",
		[]string{"tenant"}, nil)}
}

// Describe describes the metric.
func (m *metric) Describe(to chan<- *prometheus.Desc) { to <- m.desc }

// Collect measures it.
func (m *metric) Collect(to chan<- prometheus.Metric) {
	for tenant, ages := range m.ages() {
		count, sum, below := ages.histogram()
		to <- prometheus.MustNewConstHistogram(m.desc, count, sum, below, tenant)
	}
}
