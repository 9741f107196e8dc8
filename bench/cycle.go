package main

import (
	"fmt"
	"math"
)

// cycle is the row of states that a meeting goes through, one a poll, again and
// again, when a certain part of all people changes with each.
type cycle struct {
	world
	changes int // people of each meeting that change at a poll; 0: one, but not at each
	period  int // polls after which the same people change again
}

// cycleOf returns the cycle of a rate in percent of the people. Only rates are
// possible at which whole people change: those of one meeting in so many, or so
// many of each.
func (w world) cycleOf(percent float64) (cycle, error) {
	each := float64(w.People) * percent / 100
	switch {
	case percent == 0:
		return cycle{world: w, period: 1}, nil
	case each >= float64(w.People):
		return cycle{w, w.People, 1}, nil
	case each >= 1 && whole(each):
		return cycle{w, int(math.Round(each)), 2}, nil
	case each > 0 && each < 1 && whole(1/each):
		return cycle{w, 0, int(math.Round(1 / each))}, nil
	}
	return cycle{}, fmt.Errorf("change %v %% of %d people a poll: that is no whole number of people, nor one in a whole number of polls", percent, w.People)
}

func whole(x float64) bool { return math.Abs(x-math.Round(x)) < 1e-9 }

// length is how many polls lead back to the first state: what is turned on in
// one half of them is turned off in the other.
func (c cycle) length() int { return 2 * c.period }

// changed is the set of people that differ between the state of a poll and the
// one before it.
func (c cycle) changed(meeting, poll int) (set uint64) {
	if c.changes == 0 {
		if (meeting+poll)%c.period == 0 && c.period > 1 {
			set = 1 << (meeting * 7 % c.People)
		}
		return set
	}
	first := meeting*3 + poll%c.period*c.changes
	for i := range c.changes {
		set |= 1 << ((first + i) % c.People)
	}
	return set
}

// states returns the states of one round; the first is the empty set.
func (c cycle) states(meeting int) []uint64 {
	all := make([]uint64, c.length())
	for poll := 1; poll < len(all); poll++ {
		all[poll] = all[poll-1] ^ c.changed(meeting, poll)
	}
	return all
}
