package differ

import (
	"slices"

	"rollcall"
)

// news is that a rule of the table holds, and for which of the people. It has
// places, not pointers: these would take the table to the heap.
type news struct{ rule, person int }

const nobody = -1

// tell makes the events. It gathers what there is to tell first: then each
// event is written once, in its place.
func (s *step) tell(table []rule) []rollcall.Event {
	var room [16]news
	all := s.news(table, slices.Grow(room[:0], len(s.people)))
	if len(all) == 0 {
		return nil
	}
	events := make([]rollcall.Event, len(all))
	copies := make([]rollcall.Participant, 0, len(all)) // of the people, one for each event
	for i, n := range all {
		e := &events[i]
		s.say(e, &table[n.rule])
		e.Sequence, e.Index, e.Count = s.next.Sequence+uint64(i)+1, i+1, len(all)
		if n.person != nobody {
			p := &s.people[n.person]
			p.mention(e, i)
			copies = append(copies, p.is)
			e.Participant = &copies[len(copies)-1]
		}
	}
	return events
}

// news adds to all what there is to tell: rule by rule, and where neighbouring
// rules are about people, person by person.
func (s *step) news(table []rule, all []news) []news {
	for from := 0; from < len(table); {
		if holds := table[from].meeting; holds != nil {
			if holds(s) {
				all = append(all, news{from, nobody})
			}
			from++
			continue
		}
		rules := table[from : from+together(table[from:])]
		for i := range s.people {
			p := &s.people[i]
			for j := range rules {
				if rules[j].person(s, p) {
					all = append(all, news{from + j, i})
				}
			}
		}
		from += len(rules)
	}
	return all
}

// together counts the rules that are told person by person: those of one row.
// Row 11 stands beside the row whose events it lends a reason to.
func together(table []rule) int {
	n := 1
	for n < len(table) && table[n].person != nil && (table[n].row == table[0].row || table[n].row == "11") {
		n++
	}
	return n
}

// say writes what the rule says of the meeting.
func (s *step) say(e *rollcall.Event, r *rule) {
	w := s.window
	if s.ending != "" && r.person != nil {
		w.Before = s.endedAt()
	}
	*e = rollcall.Event{
		Tenant: s.next.Tenant, ConferenceID: s.next.ConferenceID, Epoch: s.next.Epoch,
		Type: r.event, Time: w.Before, Meeting: s.next.Meeting,
		Labels: s.next.Labels, Reason: r.reason, Provenance: s.terms.Provenance, Window: w,
	}
	if r.exact != nil {
		if t := r.exact(s); !t.IsZero() {
			e.Time, e.Exact = t, true
		}
	}
	if s.untracking {
		e.Meeting.Present = present(s.roster) // they are cleared, and have not left
	}
	if r.provenance != "" {
		e.Provenance = r.provenance
	}
}

// mention notes that the i-th event is about the person.
func (p *person) mention(e *rollcall.Event, i int) {
	if p.last == 0 {
		p.first = i
	}
	p.last = i + 1
	if p.half && (e.Type == rollcall.ParticipantLeft || e.Type == rollcall.ParticipantKickedOut) {
		e.Provenance = rollcall.ProvenanceInferred // the going to a coming that was inferred
	}
}
