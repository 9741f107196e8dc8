package recordcache

import (
	"slices"
	"strings"

	"rollcall"
)

// gatherAfter is how many records a meeting may have, one after the other, until
// their texts are gathered. A person's texts are part of the answer in which
// that person last changed, and keep all of it alive: in a lively meeting of
// hundreds, those of hundreds of answers.
const gatherAfter = 8

// gather returns a record that is the same and whose texts share one string.
func gather(r *rollcall.Record) *rollcall.Record {
	next := *r
	next.Roster, next.Memory = slices.Clone(r.Roster), slices.Clone(r.Memory)
	size := len(r.Meeting.Title)
	eachPerson(&next, func(p *rollcall.Participant) {
		size += len(p.Key) + len(p.UserID) + len(p.Nick) + len(p.RejectDescription)
	})
	var all strings.Builder
	all.Grow(size) // so that it never moves
	text := func(s *string) {
		start := all.Len()
		all.WriteString(*s)
		*s = all.String()[start:]
	}
	text(&next.Meeting.Title)
	eachPerson(&next, func(p *rollcall.Participant) {
		same := p.Key == p.UserID
		if text(&p.Key); same {
			p.UserID = p.Key
		} else {
			text(&p.UserID)
		}
		text(&p.Nick)
		text(&p.RejectDescription)
	})
	return &next
}

func eachPerson(r *rollcall.Record, do func(*rollcall.Participant)) {
	for i := range r.Roster {
		do(&r.Roster[i])
	}
	for i := range r.Memory {
		do(&r.Memory[i].Participant)
	}
}
