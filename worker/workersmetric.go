package worker

import (
	"cmp"

	"github.com/prometheus/client_golang/prometheus"
)

// workersMetric counts the workers that live by the version of their program, so
// that an upgrade that got stuck shows.
type workersMetric struct{ worker *Worker }

// Versions beyond these are counted together, and none is shown longer.
const shownVersions, shownVersion = 8, 64

func workersDesc() *prometheus.Desc {
	return prometheus.NewDesc("rollcall_workers", "Workers that live, by the version of their program, as this one sees them.", []string{"version"}, nil)
}

// Describe sends the metric.
func (workersMetric) Describe(to chan<- *prometheus.Desc) { to <- workersDesc() }

// Collect counts the workers.
func (m workersMetric) Collect(to chan<- prometheus.Metric) {
	count := map[string]int{}
	for _, version := range m.worker.peers.Versions() {
		version = cmp.Or(version, "unknown")
		version = version[:min(len(version), shownVersion)]
		if len(count) >= shownVersions && count[version] == 0 {
			version = "other"
		}
		count[version]++
	}
	for version, n := range count {
		to <- prometheus.MustNewConstMetric(workersDesc(), prometheus.GaugeValue, float64(n), version)
	}
}
