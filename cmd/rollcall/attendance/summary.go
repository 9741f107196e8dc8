package attendance

import (
	"cmp"
	"slices"

	"rollcall"
	"rollcall/consume"
	"rollcall/wire"
)

// summarize puts what the summary tells in the place of what polls have seen. People
// whom it leaves out for its size stay as they were seen.
func (m *Meeting) summarize(s *rollcall.Summary) {
	m.Summarized, m.Complete = true, m.Complete && s.Complete
	m.Started, m.Ended = known(s.StartedAt), known(s.EndedAt)
	told := make([]Person, 0, len(s.People))
	for i := range s.People {
		told = append(told, attendee(&s.People[i]))
	}
	for _, p := range m.People {
		if s.Truncated > 0 && !slices.ContainsFunc(told, func(t Person) bool { return t.Key == p.Key }) {
			told = append(told, p)
		}
	}
	slices.SortFunc(told, func(a, b Person) int { return cmp.Compare(a.Key, b.Key) })
	m.People = told
}

// known is a moment of which anything is known.
func known(m rollcall.Moment) *When {
	if m.Latest().IsZero() {
		return nil
	}
	return &When{m}
}

func attendee(a *rollcall.Attendee) Person {
	p := Person{
		Key: a.Key, UserID: a.UserID, Nick: a.Nick, Roles: wire.RolesOf(a.Roles), Stay: noTime(),
		Mic: spanOf(consume.Bounds(a.MicOpen)), Camera: spanOf(consume.Bounds(a.CameraOpen)),
	}
	for _, v := range a.Visits {
		left := When{v.Left}
		s := Stay{Joined: When{v.Joined}, Left: &left, How: string(v.How), Provenance: string(v.Provenance), Stay: spanOf(between(v.Joined, v.Left))}
		p.Visits, p.Stay = append(p.Visits, s), p.Stay.plus(s.Stay)
	}
	return p
}

// between is how long it was from one moment to another.
func between(from, to rollcall.Moment) consume.Bounds {
	b := consume.Bounds{Max: -1}
	if !to.Earliest().IsZero() {
		b.Min = max(0, to.Earliest().Sub(from.Latest()))
	}
	if !from.Earliest().IsZero() {
		b.Max = max(b.Min, to.Latest().Sub(from.Earliest()))
	}
	return b
}

func noTime() Span { return spanOf(consume.Bounds{}) }
