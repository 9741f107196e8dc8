package forwarder

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"rollcall"
	"rollcall/consume"
)

// Route says which events are told to which targets, and how they are grouped.
type Route struct {
	// Name tells the route from others, also after a restart: [a-z0-9-], at most 32 bytes.
	Name       string
	Match      Match
	Targets    []string
	GroupBy    GroupBy
	Wait       time.Duration // how long the first event of a group waits for others
	Interval   time.Duration // between two messages about a group
	MaxWaiting int           // events that wait at most; the oldest are cut
	MaxAge     time.Duration // of an event that is told
	Zone       *time.Location
}

// GroupBy is what the events of one message have in common.
type GroupBy string

// The groups.
const (
	ByMeeting GroupBy = "meeting"
	ByTenant  GroupBy = "tenant"
	ByRoute   GroupBy = "route" // all events of the route
)

// Sparse are the types that a route tells of unless it names others: what people
// in a group want to know, and nothing that happens all the time.
func Sparse() []string {
	return []string{
		string(rollcall.MeetingStarted), string(rollcall.MeetingEnded), string(rollcall.ParticipantKickedOut),
		string(rollcall.ParticipantDeclined), string(rollcall.WatchLost), string(rollcall.WatchResumed),
	}
}

// Types lists what a route can tell of.
func Types() []rollcall.Type {
	return append(rollcall.Types(), rollcall.WatchLost, rollcall.WatchResumed)
}

// Match says which events a route takes: those that fit every list that is not
// empty. A watch event is of a tenant, and so fits Titles, Labels and Users only
// where these are empty.
type Match struct {
	Tenants     []string
	Types       []string // patterns: participant.*; none: [Sparse]
	Titles      []string // patterns, in any case of letters
	Labels      rollcall.Labels
	Users       []string // ids of users
	Provenances []rollcall.Provenance
}

// Wants reports whether the route takes an event; watch is that of a watch event.
func (m *Match) Wants(e *consume.Event, watch *rollcall.WatchEvent) bool {
	tenant, provenance := e.Tenant, e.Provenance
	if watch != nil {
		tenant, provenance = watch.Tenant, watch.Provenance
	}
	return anyOf(m.Tenants, tenant) && m.wantsType(e.Type) && anyOf(m.Provenances, provenance) &&
		(watch != nil && len(m.Titles)+len(m.Labels)+len(m.Users) == 0 || watch == nil && m.wantsMeeting(e))
}

func (m *Match) wantsMeeting(e *consume.Event) bool {
	if len(m.Users) > 0 && (e.Participant == nil || !slices.Contains(m.Users, e.Participant.UserID)) {
		return false
	}
	for name, value := range m.Labels {
		if got, ok := e.Labels[name]; !ok || got != value {
			return false
		}
	}
	return len(m.Titles) == 0 || slices.ContainsFunc(m.Titles, func(pattern string) bool {
		return fits(strings.ToLower(pattern), strings.ToLower(e.Meeting.Title))
	})
}

func (m *Match) wantsType(t rollcall.Type) bool {
	types := m.Types
	if len(types) == 0 {
		types = Sparse()
	}
	return slices.ContainsFunc(types, func(pattern string) bool { return TypeFits(pattern, t) })
}

// TypeFits reports whether a pattern such as participant.* or *.ended matches a type.
func TypeFits(pattern string, t rollcall.Type) bool {
	ok, err := path.Match(strings.TrimPrefix(pattern, "rollcall."), string(t))
	return err == nil && ok
}

// fits matches a text against a pattern in which * stands for any text and ? for
// one character.
func fits(pattern, text string) bool {
	p, t := []rune(pattern), []rune(text)
	star, mark, i := -1, 0, 0
	for j := 0; j < len(t); {
		switch {
		case i < len(p) && p[i] == '*':
			star, mark = i, j
			i++
		case i < len(p) && (p[i] == '?' || p[i] == t[j]):
			i, j = i+1, j+1
		case star >= 0:
			mark++
			i, j = star+1, mark
		default:
			return false
		}
	}
	return strings.Trim(string(p[i:]), "*") == ""
}

func anyOf[T comparable](list []T, value T) bool {
	return len(list) == 0 || slices.Contains(list, value)
}

// group is the key of an event's group.
func (r *Route) group(e *consume.Event) string { return r.GroupBy.key(e) }

func (by GroupBy) key(e *consume.Event) string {
	switch by {
	case ByRoute:
		return "*"
	case ByTenant:
		return e.Tenant
	}
	return e.Tenant + "/" + e.ConferenceID
}

// feed is what is to be read for the route.
func (r *Route) feed() consume.Feed {
	f := consume.Feed{Watch: true}
	if len(r.Match.Tenants) == 1 {
		f.Tenant = r.Match.Tenants[0]
	}
	return f
}

// CheckName reports a name that cannot be one.
func CheckName(name string) error {
	if !rollcall.ValidTenant(name) {
		return fmt.Errorf("%.60q cannot be a name; 1 to 32 of a-z, 0-9 and -", name)
	}
	return nil
}
