package summary

import (
	"slices"
	"time"

	"rollcall"
)

// visits returns a person's visits, and how long those were that no poll has seen.
func (p *person) visits(end rollcall.Moment) (visits []rollcall.Visit, unseen time.Duration) {
	seen := make([]*rollcall.Stay, len(p.spans)) // by which stay a span was seen; nil: it was not
	for i := range p.stays {
		if stay := &p.stays[i]; !p.see(stay, seen) {
			visits = append(visits, observed(stay, end))
		}
	}
	for i, s := range p.spans {
		v := s.visit(seen[i], end)
		if seen[i] == nil {
			unseen += lasted(v.Joined, v.Left)
		}
		visits = append(visits, v)
	}
	visits = p.surround(visits, end)
	slices.SortStableFunc(visits, func(a, b rollcall.Visit) int { return a.Joined.Latest().Compare(b.Joined.Latest()) })
	return visits, unseen
}

// see notes which spans a stay has shown: those in which the person was seen, and
// where there is none, the nearest that can be it. It reports whether there is any.
func (p *person) see(stay *rollcall.Stay, seen []*rollcall.Stay) (any bool) {
	first, last := stay.Joined.Before, stay.Left.After
	nearest, distance := -1, time.Duration(0)
	for i, s := range p.spans {
		if !first.After(last) && !s.joined.After(last) && (s.left.IsZero() || !s.left.Before(first)) {
			seen[i], any = stay, true
		}
		if !s.within(*stay) || seen[i] != nil {
			continue
		}
		if d := s.from(first); nearest < 0 || d < distance {
			nearest, distance = i, d
		}
	}
	if !any && nearest >= 0 {
		seen[nearest], any = stay, true
	}
	return any
}

// from is how far a span is from an instant.
func (s span) from(at time.Time) time.Duration {
	d := max(0, s.joined.Sub(at))
	if !s.left.IsZero() {
		d = max(d, at.Sub(s.left))
	}
	return d
}

// visit tells of a span, and of the stay that has shown it, if any.
func (s span) visit(stay *rollcall.Stay, end rollcall.Moment) rollcall.Visit {
	v := rollcall.Visit{
		Joined: rollcall.Moment{At: s.joined}, Left: rollcall.Moment{At: s.left},
		How: rollcall.DepartureLeft, Provenance: rollcall.ProvenanceReconciled,
	}
	if stay != nil {
		v.Provenance = provenanceOf(stay)
	}
	switch {
	case s.left.IsZero() && stay != nil && stay.Left.Before.After(s.joined):
		v.Left, v.How = rollcall.Moment{Window: stay.Left}, departureOf(stay)
	case s.left.IsZero():
		v.Left, v.How = end, rollcall.DepartureMeetingEnded
	case s.how == rollcall.AttendanceKickedOut:
		v.How = rollcall.DepartureKickedOut
	case !s.left.Before(end.Latest()):
		v.How = rollcall.DepartureMeetingEnded
	case stay != nil && stay.Left.Contains(s.left) && (end.At.IsZero() || stay.How != string(rollcall.DepartureMeetingEnded)):
		v.How = departureOf(stay)
	}
	return v
}

// observed tells of a stay that is not listed.
func observed(stay *rollcall.Stay, end rollcall.Moment) rollcall.Visit {
	v := rollcall.Visit{
		Joined: rollcall.Moment{Window: stay.Joined}, Left: rollcall.Moment{Window: stay.Left},
		How: departureOf(stay), Provenance: provenanceOf(stay),
	}
	if stay.How == "" { // its end was not told
		v.Left = end
	}
	return v
}

// surround takes in a line of several visits: the first cannot have begun before it,
// nor the last have ended after it.
func (p *person) surround(visits []rollcall.Visit, end rollcall.Moment) []rollcall.Visit {
	if p.around == nil {
		return visits
	}
	if len(visits) == 0 {
		return append(visits, p.around.visit(nil, end))
	}
	first := slices.MinFunc(visits, func(a, b rollcall.Visit) int { return a.Joined.Latest().Compare(b.Joined.Latest()) })
	last := slices.MaxFunc(visits, func(a, b rollcall.Visit) int { return a.Left.Latest().Compare(b.Left.Latest()) })
	for i := range visits {
		if v := &visits[i]; v.Joined == first.Joined && v.Joined.Window.Contains(p.around.joined) {
			v.Joined = rollcall.Moment{At: p.around.joined}
		}
		if v := &visits[i]; v.Left == last.Left && v.Left.Window.Contains(p.around.left) {
			v.Left = rollcall.Moment{At: p.around.left}
		}
	}
	return visits
}

// departureOf says how a stay ended; one whose end was not told lasted until the
// meeting's.
func departureOf(stay *rollcall.Stay) rollcall.Departure {
	if d := rollcall.Departure(stay.How); slices.Contains(rollcall.Departures(), d) {
		return d
	}
	return rollcall.DepartureMeetingEnded
}

// provenanceOf says how a visit is known that polls have seen.
func provenanceOf(stay *rollcall.Stay) rollcall.Provenance {
	if stay.Provenance == rollcall.ProvenanceInferred {
		return stay.Provenance
	}
	return rollcall.ProvenanceObserved
}
