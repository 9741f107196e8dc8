package differ

import (
	"rollcall"
)

// tell makes the events: rule by rule, and where neighbouring rules are about
// people, person by person.
func (s *step) tell(table []rule) {
	if s.first {
		s.events = make([]rollcall.Event, 0, 4+2*len(s.people))
	}
	for len(table) > 0 {
		n := together(table)
		if table[0].meeting != nil {
			s.tellMeeting(&table[0])
		} else {
			s.tellPeople(table[:n])
		}
		table = table[n:]
	}
	s.finish()
}

// together counts the rules that are told person by person: those of one row.
// Row 11 stands beside the row whose events it lends a reason to.
func together(table []rule) int {
	n := 1
	for n < len(table) && table[0].person != nil && table[n].person != nil &&
		(table[n].row == table[0].row || table[n].row == "11") {
		n++
	}
	return n
}

func (s *step) tellMeeting(r *rule) {
	if r.meeting(s) {
		s.say(r, nil)
	}
}

func (s *step) tellPeople(rules []rule) {
	for i := range s.people {
		for j := range rules {
			if rules[j].person(s, &s.people[i]) {
				s.say(&rules[j], &s.people[i])
			}
		}
	}
}

func (s *step) say(r *rule, p *person) {
	e := rollcall.Event{
		Tenant: s.next.Tenant, ConferenceID: s.next.ConferenceID, Epoch: s.next.Epoch,
		Type: r.event, Time: s.window.Before, Meeting: s.next.Meeting,
		Reason: r.reason, Provenance: s.terms.Provenance, Window: s.window,
	}
	if r.exact != nil {
		if t := r.exact(s); !t.IsZero() {
			e.Time = t
		}
	}
	if r.provenance != "" {
		e.Provenance = r.provenance
	}
	if p != nil {
		s.mention(&e, p)
	}
	s.events = append(s.events, e)
}

// mention makes an event one about a person.
func (s *step) mention(e *rollcall.Event, p *person) {
	e.Participant = &p.is
	if p.last == 0 {
		p.first = len(s.events)
	}
	p.last = len(s.events) + 1
	if p.half && (e.Type == rollcall.ParticipantLeft || e.Type == rollcall.ParticipantKickedOut) {
		e.Provenance = rollcall.ProvenanceInferred // the going to a coming that was inferred
	}
}

// finish numbers the events and gives each its own copy of the person.
func (s *step) finish() {
	people := 0
	for i := range s.events {
		e := &s.events[i]
		e.Sequence = s.next.Sequence + uint64(i) + 1
		e.Index, e.Count = i+1, len(s.events)
		if e.Participant != nil {
			people++
		}
	}
	copies := make([]rollcall.Participant, 0, people)
	for i := range s.events {
		if e := &s.events[i]; e.Participant != nil {
			copies = append(copies, *e.Participant)
			e.Participant = &copies[len(copies)-1]
		}
	}
}
