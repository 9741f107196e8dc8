package scenario

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// stretch is a time in which a meeting changes, or whether it can be asked.
type stretch struct {
	step     Step
	from, to time.Duration
}

// spaced complains of steps that come so close to one another that it depends
// on luck whether a poll sees them as one change.
func (r reader) spaced(s *Scenario) {
	told := map[int]bool{}
	for _, m := range s.Meetings {
		all := s.stretches(m.ConferenceID)
		for i := 1; i < len(all); i++ {
			before, next := all[i-1], all[i]
			gap := next.from - before.to
			if next.from == before.from && next.to == next.from && before.to == before.from || gap >= 2*s.Poll || told[next.step.Line] {
				continue
			}
			told[next.step.Line] = true
			r.Add(next.step.Line, next.step.path, fmt.Sprintf(
				"comes %s after what line %d does, and a poll every %s may see both as one; allowed: the same instant, at least %s later, or loose: true",
				max(gap, 0), before.step.Line, s.Poll, 2*s.Poll))
		}
	}
}

// stretches lists when a meeting changes, in order. A fault is an instant when
// it begins and another one when it ends.
func (s *Scenario) stretches(id string) []stretch {
	var all []stretch
	for _, step := range s.Steps {
		switch {
		case step.bad || step.Loose:
		case step.IsFault() && step.Fault.For > 0:
			all = append(all, stretch{step, step.At, step.At}, stretch{step, step.end(), step.end()})
		case step.IsFault() || step.Act.ConferenceID == id:
			all = append(all, stretch{step, step.At, max(step.end(), step.At)})
		}
	}
	slices.SortStableFunc(all, func(a, b stretch) int { return cmp.Compare(a.from, b.from) })
	return all
}
