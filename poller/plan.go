package poller

import (
	"cmp"
	"slices"
	"time"
)

// Candidate is a meeting that could be asked about.
type Candidate struct {
	ID string
	// Slow marks a meeting from which little is expected: one that vanished.
	Slow bool
	// LastAsked is when a slow one was asked about last; zero: never.
	LastAsked time.Time
}

// Plan picks the meetings that are due. The zero value is ready to use.
type Plan struct {
	BatchSize int           // meetings a call; 0: [DefaultBatchSize]
	SlowEvery time.Duration // how often a slow one is due; 0: 10 minutes
}

// Due returns the ids to ask about now: every ordinary meeting; the slow ones
// that are due, longest waiting first, as far as they fit into calls that are
// made anyway; and, whatever it costs, those that have waited twice as long.
func (p Plan) Due(now time.Time, candidates []Candidate) []string {
	var ids []string
	var waiting []Candidate
	period := cmp.Or(p.SlowEvery, 10*time.Minute)
	for _, c := range candidates {
		switch {
		case !c.Slow || p.waited(now, c) >= 2*period:
			ids = append(ids, c.ID)
		case p.waited(now, c) >= period:
			waiting = append(waiting, c)
		}
	}
	slices.SortStableFunc(waiting, func(a, b Candidate) int { return a.LastAsked.Compare(b.LastAsked) })
	size := cmp.Or(p.BatchSize, DefaultBatchSize)
	seats := (size - len(ids)%size) % size
	for _, c := range waiting[:min(seats, len(waiting))] {
		ids = append(ids, c.ID)
	}
	return ids
}

// waited is how long a candidate has waited. A time in the future means that
// the clock was set back; it is as good as none.
func (p Plan) waited(now time.Time, c Candidate) time.Duration {
	if c.LastAsked.After(now) {
		return now.Sub(time.Time{})
	}
	return now.Sub(c.LastAsked)
}
