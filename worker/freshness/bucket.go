package freshness

import (
	"cmp"
	"slices"
	"time"
)

// Bucket is how many samples of what is known of meetings that go on had an age
// within these bounds.
type Bucket struct {
	From    float64 `json:"from"`         // seconds
	To      float64 `json:"to,omitempty"` // seconds; 0: there is no bound
	Samples uint64  `json:"n"`
}

// Merge adds up what several workers report.
func Merge(reports ...[]Bucket) []Bucket {
	type bounds struct{ from, to float64 }
	sums := make(map[bounds]uint64)
	for _, buckets := range reports {
		for _, b := range buckets {
			sums[bounds{b.From, b.To}] += b.Samples
		}
	}
	var all []Bucket
	for b, n := range sums {
		all = append(all, Bucket{b.from, b.to, n})
	}
	slices.SortFunc(all, func(a, b Bucket) int { return cmp.Compare(a.From, b.From) })
	return all
}

// Quantile returns the age below which this part (0.5: the median) of the sorted
// samples lies, spread evenly within bounds; ok is false where there are none.
// Of what has no upper bound it returns the lower one.
func Quantile(part float64, buckets []Bucket) (age time.Duration, ok bool) {
	total := 0.0
	for _, b := range buckets {
		total += float64(b.Samples)
	}
	rank := part * total
	for _, b := range buckets {
		if n := float64(b.Samples); n >= rank && n > 0 {
			seconds := b.From + max(b.To-b.From, 0)*rank/n
			return time.Duration(seconds * float64(time.Second)), true
		}
		rank -= float64(b.Samples)
	}
	return 0, false
}
