package cost

import "time"

// Fresh is how old is what subscribers know of a meeting that goes on. What a
// call itself takes comes on top.
type Fresh struct {
	Every  time.Duration // between two answers about the same meeting
	Median time.Duration // of the ages: half of the time it is younger
	Worst  time.Duration // of the ages
}

// Kept is how fresh it is where the schedule is kept, at its densest.
func (p Plan) Kept() Fresh {
	every := p.Schedule.Pace()
	return Fresh{Every: every, Median: every / 2, Worst: every}
}

// Paced is how fresh it is where the calls of the month are spread over the
// hours in which meetings go on, once these are learned. between is the time
// between two calls that the budget allows; 0: none are left.
func (p Plan) Paced() (between time.Duration, fresh Fresh) { return p.paced(p.Busy()) }

// Unlearned is the same before they are learned: as if meetings always went on.
func (p Plan) Unlearned() (between time.Duration, fresh Fresh) { return p.paced(Month) }

func (p Plan) paced(busy time.Duration) (between time.Duration, fresh Fresh) {
	between = p.outlook(busy).Pace()
	every, tick := between*time.Duration(p.PerTick()), p.Schedule.Pace()
	if every <= tick {
		return between, p.Kept()
	}
	// A pass waits for a tick, even when it could begin before.
	worst := (every + tick - 1) / tick * tick
	return between, Fresh{Every: every, Median: every / 2, Worst: worst}
}
