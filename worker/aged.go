package worker

import (
	"cmp"
	"slices"
	"time"
)

// Aged is how many samples of what is known of meetings that go on had an age
// within these bounds.
type Aged struct {
	From    float64 `json:"from"`         // seconds
	To      float64 `json:"to,omitempty"` // seconds; 0: there is no bound
	Samples uint64  `json:"n"`
}

// MergeAges adds up what several workers say.
func MergeAges(said ...[]Aged) []Aged {
	type bounds struct{ from, to float64 }
	sums := make(map[bounds]uint64)
	for _, ages := range said {
		for _, a := range ages {
			sums[bounds{a.From, a.To}] += a.Samples
		}
	}
	var all []Aged
	for b, n := range sums {
		all = append(all, Aged{b.from, b.to, n})
	}
	slices.SortFunc(all, func(a, b Aged) int { return cmp.Compare(a.From, b.From) })
	return all
}

// AgeBelow gives the age below which this part (0.5: the median) of the sorted
// samples lies, spread evenly within bounds; ok is false where there are none.
// Of what has no upper bound it gives the lower one.
func AgeBelow(part float64, ages []Aged) (age time.Duration, ok bool) {
	total := 0.0
	for _, a := range ages {
		total += float64(a.Samples)
	}
	rank := part * total
	for _, a := range ages {
		if n := float64(a.Samples); n >= rank && n > 0 {
			seconds := a.From + max(a.To-a.From, 0)*rank/n
			return time.Duration(seconds * float64(time.Second)), true
		}
		rank -= float64(a.Samples)
	}
	return 0, false
}
