package summary

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"rollcall"
)

// person is what is known of one person.
type person struct {
	key, userID, nick string
	roles             rollcall.Roles
	stays             []rollcall.Stay // as observed, in the order in which they began
	spans             []span          // as listed; likewise, once merged
	around            *span           // a line of several visits, whose times in between it does not say
}

// span is a visit as DingTalk lists it.
type span struct {
	joined, left time.Time // left is zero where it is not said
	how          rollcall.Attendance
}

// gather brings what was observed and what is listed together by person.
func gather(o *Observed, members []rollcall.Member, end rollcall.Moment) []*person {
	g := gathering{byKey: map[string]*person{}}
	for _, stay := range o.stays.All(end.Latest()) {
		p := g.person(stay.Key, stay.UserID)
		p.stays, p.nick = append(p.stays, stay), stay.Nick
		p.roles = o.roles[stay.Key]
	}
	members = slices.Clone(members)
	slices.SortStableFunc(members, func(a, b rollcall.Member) int { return a.Joined.Compare(b.Joined) })
	for i := range members { // those with an id first: only then is it known who has no line
		if m := &members[i]; m.UserID != "" {
			g.person(keyOf(m.UserID), m.UserID).list(m)
		}
	}
	for i := range members {
		if m := &members[i]; m.UserID == "" && !m.Joined.IsZero() {
			g.nameless(m).list(m)
		}
	}
	for _, p := range g.people {
		p.merge()
	}
	return g.people
}

type gathering struct {
	people []*person
	byKey  map[string]*person
}

func (g *gathering) person(key, userID string) *person {
	p := g.byKey[key]
	if p == nil {
		p = &person{key: key, userID: userID}
		g.byKey[key], g.people = p, append(g.people, p)
	}
	return p
}

// nameless returns whose line it is that names nobody: of those of that nick without
// an id, or with one that no line names, who was seen then; otherwise who was not
// there at that time as another; otherwise somebody nobody has seen.
func (g *gathering) nameless(m *rollcall.Member) *person {
	line := span{joined: m.Joined, left: m.Left}
	var free *person
	for _, p := range g.people {
		if p.nick != m.Nick || p.userID != "" && len(p.spans) > 0 || slices.ContainsFunc(p.spans, line.overlaps) {
			continue
		}
		if slices.ContainsFunc(p.stays, line.within) {
			return p
		}
		if free == nil && p.userID == "" {
			free = p
		}
	}
	for n := 1; free == nil; n++ {
		if key := fmt.Sprintf("anon:%s#%d", m.Nick, n); g.byKey[key] == nil {
			free = g.person(key, "")
		}
	}
	return free
}

// list takes a line about the person.
func (p *person) list(m *rollcall.Member) {
	p.roles = p.roles.With(m.Roles)
	if p.nick == "" {
		p.nick = m.Nick
	}
	s := span{m.Joined, m.Left, m.Attendance}
	const rounded = 2 * time.Second
	switch {
	case m.Joined.IsZero() || !m.Left.IsZero() && m.Left.Before(m.Joined):
	case m.Stayed > 0 && !m.Left.IsZero() && m.Left.Sub(m.Joined)-m.Stayed > rounded:
		p.around = &s
	default:
		p.spans = append(p.spans, s)
	}
}

// merge makes one visit of those that overlap, as on two devices.
func (p *person) merge() {
	slices.SortFunc(p.spans, func(a, b span) int { return cmp.Or(a.joined.Compare(b.joined), a.left.Compare(b.left)) })
	var merged []span
	for _, s := range p.spans {
		last := len(merged) - 1
		switch {
		case last < 0 || !merged[last].overlaps(s):
			merged = append(merged, s)
		case s.left.IsZero() || !merged[last].left.IsZero() && s.left.After(merged[last].left):
			merged[last].left, merged[last].how = s.left, s.how
		}
	}
	p.spans = merged
}

// overlaps reports whether both went on at the same time.
func (s span) overlaps(o span) bool {
	return (o.left.IsZero() || s.joined.Before(o.left)) && (s.left.IsZero() || o.joined.Before(s.left))
}

// within reports whether it can be the stay, or a part of it.
func (s span) within(stay rollcall.Stay) bool {
	return !s.joined.After(stay.Left.Before) && (s.left.IsZero() || !s.left.Before(stay.Joined.After))
}
