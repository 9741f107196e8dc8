package worker

import (
	"sync/atomic"
	"time"

	"rollcall"
)

// hold is a claim while it lasts: its term and the questions asked in it.
type hold struct {
	term  uint64
	began time.Time
	polls atomic.Uint64
	slow  map[string]time.Time // when slow meetings were asked about; belongs to the pass
	asked map[string]time.Time // the same of all, where not all can be asked about; belongs to the pass
}

// next numbers a question.
func (h *hold) next() rollcall.Number {
	return rollcall.Number{Term: h.term, Poll: h.polls.Add(1)}
}
