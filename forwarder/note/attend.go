package note

import (
	"cmp"
	"slices"

	"rollcall/consume"
)

// maxAttendees is how many people are named of a meeting that has ended.
const maxAttendees = 20

// Attend says who was in a meeting whose end the batch holds: see
// [consume.Visits].
func (b *Batch) Attend(tenant, conferenceID string, visits []consume.Visit) {
	g := b.meetings[place{tenant, conferenceID}]
	if g == nil {
		return
	}
	people := attendees(visits)
	g.Attended = len(people)
	slices.SortStableFunc(people, func(a, b Attendee) int {
		return cmp.Or(cmp.Compare(b.Stay.Min, a.Stay.Min), cmp.Compare(b.Stay.Max, a.Stay.Max), cmp.Compare(a.Key, b.Key))
	})
	g.Attendance = slices.Clone(people[:min(len(people), maxAttendees)])
}

// attendees sums the visits of each person.
func attendees(visits []consume.Visit) []Attendee {
	at := map[string]int{}
	var people []Attendee
	for i := range visits {
		v := &visits[i]
		n, ok := at[v.Key]
		if !ok {
			n = len(people)
			at[v.Key] = n
			people = append(people, Attendee{Key: v.Key})
		}
		p := &people[n]
		p.Nick, p.Visits, p.KickedOut = v.Nick, p.Visits+1, v.How == consume.HowKickedOut
		p.Stay.Min += v.Stay.Min
		if p.Stay.Max < 0 || v.Stay.Max < 0 {
			p.Stay.Max = -1
		} else {
			p.Stay.Max += v.Stay.Max
		}
	}
	return people
}
