package scenario

import (
	"cmp"
	"slices"
	"time"
)

// due is one repetition of a step, and when it happens.
type due struct {
	at   time.Duration
	step Step
	n    int // which repetition, from 0
}

// timeline lists everything that happens, in order. At one instant faults come
// before acts, so that they strike the poller that comes to see the acts.
func (s *Scenario) timeline() []due {
	var all []due
	for _, step := range s.Steps {
		for n := range step.Repeat {
			all = append(all, due{step.instant(n), step, n})
		}
	}
	slices.SortStableFunc(all, func(a, b due) int {
		switch {
		case a.at != b.at:
			return cmp.Compare(a.at, b.at)
		case a.step.IsFault() == b.step.IsFault():
			return 0
		case a.step.IsFault():
			return -1
		}
		return 1
	})
	return all
}

// moments cuts a timeline into what has one instant.
func moments(all []due) [][]due {
	var cut [][]due
	for len(all) > 0 {
		n := 1
		for n < len(all) && all[n].at == all[0].at {
			n++
		}
		cut, all = append(cut, all[:n]), all[n:]
	}
	return cut
}
