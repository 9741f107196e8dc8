package live

import (
	"cmp"
	"slices"
	"strings"
	"time"
	"unicode"

	"rollcall"
	"rollcall/consume"
	"rollcall/wire"
)

// namer decides what is shown of people.
type namer struct{ hide bool }

// name is what somebody is called on the page.
func (n namer) name(p *rollcall.Participant) string {
	name := cmp.Or(p.Nick, p.UserID, p.Key)
	if n.hide {
		return initials(cmp.Or(p.Nick, "?"))
	}
	return name
}

// initials are the first letters of the first and the last word: "M. L.".
func initials(name string) string {
	words := strings.FieldsFunc(name, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsNumber(r) })
	if len(words) == 0 {
		return "?"
	}
	if len(words) > 2 {
		words = []string{words[0], words[len(words)-1]}
	}
	for i, word := range words {
		words[i] = string(unicode.ToUpper([]rune(word)[0])) + "."
	}
	return strings.Join(words, " ")
}

// row is a meeting that was as it is at seen, or when its record was written.
func (n namer) row(m consume.Meeting, seen time.Time) row {
	if m.ObservedAt.After(seen) {
		seen = m.ObservedAt
	}
	r := row{
		Key: keyOf(m.Tenant, m.ConferenceID), Tenant: m.Tenant, Title: m.Info.Title, Status: m.Info.Status.String(),
		Start: millis(m.Info.StartTime), End: millis(m.Info.EndTime), First: m.Epoch, Seq: m.Sequence, Seen: millis(seen),
		Invited: len(m.People), Labels: m.Labels, Over: m.Over,
	}
	if r.Over && r.End == 0 {
		r.End = r.Seen
	}
	if r.Over && m.Info.Status != rollcall.StatusEnded {
		r.Status = "untracked"
	}
	for i := range m.People {
		p := &m.People[i]
		one := person{n.name(p), p.Attendance.String(), p.Mic == rollcall.DeviceOpen, p.Camera == rollcall.DeviceOpen}
		if p.Attendance == rollcall.AttendancePresent {
			r.Present++
		}
		if one.Mic {
			r.Mics++
		}
		if one.Camera {
			r.Cameras++
		}
		r.People = append(r.People, one)
	}
	slices.SortStableFunc(r.People, func(a, b person) int {
		return cmp.Or(cmp.Compare(rank(a.Here), rank(b.Here)), cmp.Compare(a.Name, b.Name))
	})
	return r
}

// rank puts those who are there first.
func rank(here string) int { return slices.Index([]string{"present", "joining", "invited"}, here) }

// token is a meeting's id as it stands in an address.
func token(conferenceID string) string { return wire.Token(conferenceID) }
