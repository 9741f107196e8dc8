// Package freshness measures the age of what subscribers know of a meeting that
// goes on: now minus when the last answer was asked that is stored, or that
// showed what is. It is sampled from aside, at instants that have nothing to do
// with the polls, so that the ages of a tenant whose polling stalls are seen to
// grow. Each sample counts each meeting once: the histogram is one of meeting time.
package freshness

import (
	"context"
	"math/rand/v2"
	"slices"
	"sync"
	"time"
)

const (
	// sampleEvery is the mean distance of two samples. They are spread at random:
	// samples in step with the schedule would see the same age each time.
	sampleEvery = 5 * time.Second
	// maxSampled is how many meetings one sample takes in; with more of them each
	// counts for several.
	maxSampled = 1000
	// remembered is how many minutes with meetings in them [Ages.Recent] covers.
	remembered = 60
)

// buckets are those of ages: one up to each bound, and one for what is above.
const buckets = 26

// upperBounds are those of the buckets, in seconds.
func upperBounds() [buckets - 1]float64 {
	return [...]float64{
		0.25, 0.5, 1, 2, 3, 5, 7.5, 10, 15, 20, 30, 45, 60, 90, 120, 150, 180, 240, 300, 450, 600, 900, 1800, 3600, 7200,
	}
}

// Ages are those that were seen of one tenant's meetings. They are safe for
// concurrent use.
type Ages struct {
	bounds [buckets - 1]float64

	mu      sync.Mutex      // guards what follows
	counts  [buckets]uint64 // since the start
	sum     float64         // of all ages, in seconds
	recent  [buckets]uint64 // the sum of minutes
	minutes [remembered]minute
	next    int // the minute that is overwritten next
}

// minute is what was seen in one minute.
type minute struct {
	at     int64 // minutes since 1970; 0: none
	counts [buckets]uint64
}

// New returns ages with none seen yet.
func New() *Ages { return &Ages{bounds: upperBounds()} }

// Every calls sample about every 5 s, until ctx ends.
func Every(ctx context.Context, sample func(now time.Time)) {
	timer := time.NewTimer(sampleEvery)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		sample(time.Now())
		timer.Reset(sampleEvery/2 + rand.N(sampleEvery))
	}
}

// Sample takes in the ages of so many meetings. since says from when the state
// of the i-th is known, in ns since 1970, and 0 of one that does not go on.
func (a *Ages) Sample(meetings int, since func(i int) int64, now time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	stride := 1 + (meetings-1)/maxSampled
	for i := rand.IntN(stride); i < meetings; i += stride {
		if known := since(i); known != 0 {
			a.add(time.Duration(now.UnixNano()-known), uint64(stride), now)
		}
	}
}

func (a *Ages) add(age time.Duration, weight uint64, now time.Time) {
	seconds := max(age.Seconds(), 0)
	bucket, _ := slices.BinarySearch(a.bounds[:], seconds)
	a.minute(now).counts[bucket] += weight
	a.counts[bucket] += weight
	a.recent[bucket] += weight
	a.sum += seconds * float64(weight)
}

// minute returns the one that is counted in now; it takes the place of the oldest.
func (a *Ages) minute(now time.Time) *minute {
	this := now.Unix() / 60
	if last := &a.minutes[(a.next+remembered-1)%remembered]; last.at == this {
		return last
	}
	m := &a.minutes[a.next]
	a.next = (a.next + 1) % remembered
	for bucket, n := range m.counts {
		a.recent[bucket] -= n
	}
	*m = minute{at: this}
	return m
}

// Recent are the ages of the last 60 minutes in which any were seen.
func (a *Ages) Recent() []Bucket {
	a.mu.Lock()
	defer a.mu.Unlock()
	var all []Bucket
	from := 0.0
	for i, n := range a.recent {
		b := Bucket{From: from, Samples: n}
		if i < len(a.bounds) {
			b.To, from = a.bounds[i], a.bounds[i]
		}
		if n > 0 {
			all = append(all, b)
		}
	}
	return all
}

// histogram returns what was seen since the start, as Prometheus takes it.
func (a *Ages) histogram() (count uint64, sum float64, below map[float64]uint64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	below = make(map[float64]uint64, len(a.bounds))
	for i, bound := range a.bounds {
		count += a.counts[i]
		below[bound] = count
	}
	return count + a.counts[len(a.bounds)], a.sum, below
}
