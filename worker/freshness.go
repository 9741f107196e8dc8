package worker

import (
	"context"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Freshness is the age of what subscribers know of a meeting that goes on: now
// minus when the last answer was asked that is stored, or that showed what is.
// It is looked at from aside, at instants that have nothing to do with the
// polls, so that the ages of a tenant whose polling stalls are seen to grow.
// Each look counts each meeting once: the histogram is one of meeting time.

const (
	// sampleEvery is the mean distance of two looks. They are spread at random:
	// looks in step with the schedule would see the same age each time.
	sampleEvery = 5 * time.Second
	// mostSampled is how many meetings of a shard one look takes in; with more
	// of them each counts for several.
	mostSampled = 1000
	// recalled is how many minutes with meetings in them are remembered, and
	// told in the heartbeat.
	recalled = 60
)

// bins are those of ages: one up to each bound, and one for what is above.
const bins = 26

// ageBounds are the upper bounds of the bins, in seconds.
func ageBounds() [bins - 1]float64 {
	return [...]float64{
		0.25, 0.5, 1, 2, 3, 5, 7.5, 10, 15, 20, 30, 45, 60, 90, 120, 150, 180, 240, 300, 450, 600, 900, 1800, 3600, 7200,
	}
}

// freshness is the ages that were seen of one tenant's meetings.
type freshness struct {
	bounds [bins - 1]float64

	mu     sync.Mutex   // guards what follows
	counts [bins]uint64 // since the start
	sum    float64      // of all ages, in seconds
	recent [bins]uint64 // the sum of lately
	lately [recalled]minute
	next   int // the minute that is overwritten next
}

// minute is what was seen in one minute.
type minute struct {
	at     int64 // minutes since 1970; 0: none
	counts [bins]uint64
}

func newFreshness() *freshness { return &freshness{bounds: ageBounds()} }

// keepSampling looks at the meetings of this worker until ctx ends.
func (w *Worker) keepSampling(ctx context.Context) {
	timer := time.NewTimer(sampleEvery)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		now := time.Now()
		for _, s := range w.shards() {
			if s.held.Load() != nil {
				s.tenant.fresh.look(s.plan.Load().states, now)
			}
		}
		timer.Reset(sampleEvery/2 + rand.N(sampleEvery))
	}
}

// look takes in the ages of those of the meetings that go on.
func (f *freshness) look(meetings []*entry, now time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	stride := 1 + (len(meetings)-1)/mostSampled
	for i := rand.IntN(stride); i < len(meetings); i += stride {
		if since := meetings[i].record.Since(); since != 0 {
			f.add(time.Duration(now.UnixNano()-since), uint64(stride), now)
		}
	}
}

func (f *freshness) add(age time.Duration, weight uint64, now time.Time) {
	seconds := max(age.Seconds(), 0)
	bin, _ := slices.BinarySearch(f.bounds[:], seconds)
	f.minute(now).counts[bin] += weight
	f.counts[bin] += weight
	f.recent[bin] += weight
	f.sum += seconds * float64(weight)
}

// minute gives the one that is counted in now; it takes the place of the oldest.
func (f *freshness) minute(now time.Time) *minute {
	this := now.Unix() / 60
	if last := &f.lately[(f.next+recalled-1)%recalled]; last.at == this {
		return last
	}
	m := &f.lately[f.next]
	f.next = (f.next + 1) % recalled
	for bin, n := range m.counts {
		f.recent[bin] -= n
	}
	*m = minute{at: this}
	return m
}

// ages gives what was seen in the minutes that are remembered.
func (f *freshness) ages() []Aged {
	f.mu.Lock()
	defer f.mu.Unlock()
	var all []Aged
	from := 0.0
	for bin, n := range f.recent {
		a := Aged{From: from, Samples: n}
		if bin < len(f.bounds) {
			a.To, from = f.bounds[bin], f.bounds[bin]
		}
		if n > 0 {
			all = append(all, a)
		}
	}
	return all
}

// histogram gives what was seen since the start, as Prometheus takes it.
func (f *freshness) histogram() (count uint64, sum float64, below map[float64]uint64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	below = make(map[float64]uint64, len(f.bounds))
	for bin, bound := range f.bounds {
		count += f.counts[bin]
		below[bound] = count
	}
	return count + f.counts[len(f.bounds)], f.sum, below
}

// freshMetric shows the freshness of all tenants of a worker.
type freshMetric struct {
	desc    *prometheus.Desc
	tenants []*tenant
}

func newFreshMetric(tenants []*tenant) *freshMetric {
	return &freshMetric{tenants: tenants, desc: prometheus.NewDesc("rollcall_freshness_seconds",
		"Age of what subscribers know of each meeting that goes on (now minus when the last answer was asked that is stored or shows what is), "+
			"sampled about every 5 s of every such meeting's time; histogram_quantile tells how old it is.",
		[]string{"tenant"}, nil)}
}

// Describe tells the metric.
func (m *freshMetric) Describe(to chan<- *prometheus.Desc) { to <- m.desc }

// Collect measures it.
func (m *freshMetric) Collect(to chan<- prometheus.Metric) {
	for _, t := range m.tenants {
		count, sum, below := t.fresh.histogram()
		to <- prometheus.MustNewConstHistogram(m.desc, count, sum, below, t.cfg.Name)
	}
}
