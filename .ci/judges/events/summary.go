package main

import (
	"time"

	"rollcall"
)

// summary is a rollcall.Summary in the words of [facts]: times in Unix ms.
type summary struct {
	StartedAt   moment     `json:"startedAt"`
	EndedAt     moment     `json:"endedAt"`
	Duration    int64      `json:"duration"`
	Attended    int        `json:"attended"`
	PeakPresent int        `json:"peakPresent"`
	Peak        moment     `json:"peak"`
	Truncated   int        `json:"truncated"`
	People      []attendee `json:"people"`
	Complete    bool       `json:"complete"`
}

type moment struct {
	At     int64 `json:"at"`
	After  int64 `json:"after"`
	Before int64 `json:"before"`
}

type attendee struct {
	Key    string          `json:"key"`
	UserID string          `json:"userId"`
	Nick   string          `json:"nick"`
	Roles  map[string]bool `json:"roles"`
	Visits []visit         `json:"visits"`
	Mic    [2]int64        `json:"mic"`
	Camera [2]int64        `json:"camera"` // the most is -1 where nobody knows
}

type visit struct {
	Joined     moment `json:"joined"`
	Left       moment `json:"left"`
	How        string `json:"how"`
	Provenance string `json:"provenance"`
}

// roles lets each be true, false and unknown in turn.
func (f flavour) roles(i int) rollcall.Roles {
	if f.unknown {
		return rollcall.Roles{}
	}
	fact := func(n int) rollcall.Fact { return rollcall.Fact((i + n) % 3) }
	return rollcall.Roles{Host: fact(0), CoHost: fact(1), External: fact(2), Phone: fact(i)}
}

// summary is of as many people as there are user ids.
func (f flavour) summary(end time.Time) *rollcall.Summary {
	ago := func(seconds int) time.Time { return end.Add(-time.Duration(seconds) * time.Second) }
	window := rollcall.Moment{Window: rollcall.Window{Before: end}}
	if f.unknown {
		return &rollcall.Summary{StartedAt: window, EndedAt: window, People: []rollcall.Attendee{}}
	}
	window.Window.After = ago(15)
	s := &rollcall.Summary{
		StartedAt: rollcall.Moment{At: ago(99)}, EndedAt: window, Duration: 99 * time.Second, Attended: len(f.users) + 3,
		Peak: rollcall.Peak{Present: len(f.users), At: window.Window}, Truncated: 3, Complete: true,
	}
	for i := range f.users {
		p := f.person(i)
		a := rollcall.Attendee{
			Key: p.Key, UserID: p.UserID, Nick: p.Nick, Roles: p.Roles,
			MicOpen: rollcall.Bounds{Max: -1}, CameraOpen: rollcall.Bounds{Min: time.Duration(i) * time.Second, Max: time.Minute},
		}
		for n, how := range rollcall.Departures()[:1+i%3] {
			a.Visits = append(a.Visits, rollcall.Visit{
				Joined: rollcall.Moment{At: ago(90 - 20*n)}, Left: window, How: how, Provenance: pick(provenances(), i+n),
			})
		}
		s.People = append(s.People, a)
	}
	return s
}

func rolesOf(r rollcall.Roles) map[string]bool {
	said := make(map[string]bool)
	for name, fact := range map[string]rollcall.Fact{"host": r.Host, "coHost": r.CoHost, "external": r.External, "phone": r.Phone} {
		if fact.Known() {
			said[name] = fact == rollcall.FactTrue
		}
	}
	return said
}

func summaryOf(s *rollcall.Summary) *summary {
	if s == nil {
		return nil
	}
	told := &summary{
		StartedAt: momentOf(s.StartedAt), EndedAt: momentOf(s.EndedAt), Duration: s.Duration.Milliseconds(), Attended: s.Attended,
		PeakPresent: s.Peak.Present, Peak: momentOf(rollcall.Moment{Window: s.Peak.At}), Truncated: s.Truncated, Complete: s.Complete,
		People: []attendee{},
	}
	for _, p := range s.People {
		a := attendee{
			Key: p.Key, UserID: p.UserID, Nick: p.Nick, Roles: rolesOf(p.Roles), Mic: boundsOf(p.MicOpen), Camera: boundsOf(p.CameraOpen),
		}
		for _, v := range p.Visits {
			a.Visits = append(a.Visits, visit{momentOf(v.Joined), momentOf(v.Left), string(v.How), string(v.Provenance)})
		}
		told.People = append(told.People, a)
	}
	return told
}

func momentOf(m rollcall.Moment) moment {
	return moment{millis(m.At), millis(m.Window.After), millis(m.Window.Before)}
}

func boundsOf(b rollcall.Bounds) [2]int64 {
	if b.Max < 0 {
		return [2]int64{b.Min.Milliseconds(), -1}
	}
	return [2]int64{b.Min.Milliseconds(), b.Max.Milliseconds()}
}
