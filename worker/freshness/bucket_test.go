package freshness

import (
	"testing"
	"time"
)

func TestAgesAddUp(t *testing.T) {
	one := []Bucket{{From: 0, To: 10, Samples: 10}, {From: 10, To: 20, Samples: 10}}
	two := []Bucket{{From: 10, To: 20, Samples: 10}, {From: 20, Samples: 10}}
	all := Merge(two, one)
	for part, want := range map[float64]time.Duration{
		0: 0, 0.125: 5 * time.Second, 0.25: 10 * time.Second, 0.5: 15 * time.Second, 0.75: 20 * time.Second, 0.95: 20 * time.Second, 1: 20 * time.Second,
	} {
		if got, ok := Quantile(part, all); got != want || !ok {
			t.Errorf("below %s lie %g of the ages, want %s", got, part, want)
		}
	}
	if age, ok := Quantile(0.5, nil); ok {
		t.Errorf("of nothing the median is %s", age)
	}
}
