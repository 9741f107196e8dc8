package summary

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"rollcall"
	"rollcall/wire"
)

// MaxBytes is how many bytes of JSON a summary takes at most: with the rest of its
// event it is well below what NATS takes for a message, 1 MiB.
const MaxBytes = 768 << 10

// Of returns the summary of a meeting that has ended, by its record; members are
// the lines of DingTalk's list, and complete says that it was read.
func Of(r *rollcall.Record, o *Observed, members []rollcall.Member, complete bool) *rollcall.Summary {
	s := &rollcall.Summary{Complete: complete}
	s.StartedAt, s.EndedAt = o.ends(r)
	s.Duration = lasted(s.StartedAt, s.EndedAt)
	for _, p := range gather(o, members, s.EndedAt) {
		visits, unseen := p.visits(s.EndedAt)
		if len(visits) > 0 {
			s.People = append(s.People, p.attendee(visits, unseen))
		}
	}
	slices.SortFunc(s.People, func(a, b rollcall.Attendee) int { return cmp.Compare(a.Key, b.Key) })
	s.Attended, s.Peak = len(s.People), o.peak
	if certain := peak(s.People); certain.Present > s.Peak.Present {
		s.Peak = certain
	}
	fit(s, MaxBytes)
	return s
}

// fit leaves people out until the rest takes no more than so many bytes.
func fit(s *rollcall.Summary, most int) {
	size := 0
	s.People = slices.DeleteFunc(s.People, func(p rollcall.Attendee) bool {
		n := wire.AttendeeSize(&p)
		if size+n > most {
			s.Truncated++
			return true
		}
		size += n
		return false
	})
}

// peak is the most people who were certainly there at the same time, and when first.
func peak(people []rollcall.Attendee) (most rollcall.Peak) {
	type step struct {
		at time.Time
		by int
	}
	var steps []step
	for i := range people {
		for _, v := range people[i].Visits {
			if from, to := v.Joined.Latest(), v.Left.Earliest(); from.Before(to) {
				steps = append(steps, step{from, 1}, step{to, -1})
			}
		}
	}
	slices.SortFunc(steps, func(a, b step) int { return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.by, b.by)) })
	present := 0
	for i, s := range steps {
		if present += s.by; present > most.Present {
			most = rollcall.Peak{Present: present, At: rollcall.Window{After: s.at, Before: steps[i+1].at}}
		}
	}
	return most
}

// attendee tells of a person with these visits; unseen is how long those were that
// no poll has seen.
func (p *person) attendee(visits []rollcall.Visit, unseen time.Duration) rollcall.Attendee {
	a := rollcall.Attendee{Key: p.key, UserID: p.userID, Nick: p.nick, Roles: p.roles, Visits: visits}
	var there time.Duration
	for _, v := range visits {
		there += lasted(v.Joined, v.Left)
	}
	for i := range p.stays {
		a.MicOpen, a.CameraOpen = sum(a.MicOpen, p.stays[i].Mic), sum(a.CameraOpen, p.stays[i].Camera)
	}
	known := !slices.ContainsFunc(visits, func(v rollcall.Visit) bool { return v.Joined.Earliest().IsZero() })
	for _, b := range []*rollcall.Bounds{&a.MicOpen, &a.CameraOpen} {
		*b = sum(*b, rollcall.Bounds{Max: unseen})
		if known && (b.Max < 0 || b.Max > there) {
			b.Max = there
		}
		if b.Max >= 0 {
			b.Min = min(b.Min, b.Max)
		}
	}
	return a
}

func sum(a, b rollcall.Bounds) rollcall.Bounds {
	if a.Max < 0 || b.Max < 0 {
		return rollcall.Bounds{Min: a.Min + b.Min, Max: -1}
	}
	return rollcall.Bounds{Min: a.Min + b.Min, Max: a.Max + b.Max}
}

// keyOf is the key of somebody with a user id, as the differ makes it.
func keyOf(userID string) string {
	rest := userID
	for strings.HasPrefix(rest, "id:") {
		rest = rest[len("id:"):]
	}
	if strings.HasPrefix(rest, "anon:") {
		return "id:" + userID
	}
	return userID
}
