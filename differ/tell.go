package differ

import (
	"slices"
	"time"

	"rollcall"
)

// firing is that a rule of the table holds, and for which of the people: indexes
// rather than pointers, so that the table stays on the stack.
type firing struct{ rule, person int }

const nobody = -1

// tell makes the events. It gathers what there is to publish first: then each
// event is written once, in its place.
func (t *transition) tell(table []rule) []rollcall.Event {
	var room [16]firing
	all := t.firings(table, slices.Grow(room[:0], len(t.people)))
	if len(all) == 0 {
		return nil
	}
	events := make([]rollcall.Event, len(all))
	copies := make([]rollcall.Participant, 0, len(all)) // of the people, one for each event
	for i, n := range all {
		e := &events[i]
		t.say(e, &table[n.rule])
		e.Sequence, e.Index, e.Count = t.next.Sequence+uint64(i)+1, i+1, len(all)
		if n.person != nobody {
			p := &t.people[n.person]
			p.mention(e, i)
			copies = append(copies, p.is)
			e.Participant = &copies[len(copies)-1]
		}
	}
	return events
}

// firings adds to all what there is to publish: rule by rule, and where
// neighbouring rules are about people, person by person.
func (t *transition) firings(table []rule, all []firing) []firing {
	for from := 0; from < len(table); {
		if holds := table[from].meeting; holds != nil {
			if holds(t) {
				all = append(all, firing{from, nobody})
			}
			from++
			continue
		}
		rules := table[from : from+together(table[from:])]
		for i := range t.people {
			p := &t.people[i]
			for j := range rules {
				if rules[j].person(t, p) {
					all = append(all, firing{from + j, i})
				}
			}
		}
		from += len(rules)
	}
	return all
}

// together counts the rules that are applied person by person: those of one
// row. Row 11 stands beside the row whose events it lends a reason to.
func together(table []rule) int {
	n := 1
	for n < len(table) && table[n].person != nil && (table[n].row == table[0].row || table[n].row == "11") {
		n++
	}
	return n
}

// say writes what the rule says of the meeting.
func (t *transition) say(e *rollcall.Event, r *rule) {
	w := t.window
	switch {
	case t.ending != "" && r.event != rollcall.MeetingEnded:
		w.Before = t.endedAt() // everything else came before it
	case r.provenance == rollcall.ProvenanceBaseline:
		w.After = time.Time{}
	}
	*e = rollcall.Event{
		Tenant: t.next.Tenant, ConferenceID: t.next.ConferenceID, Epoch: t.next.Epoch,
		Type: r.event, Time: w.Before, Meeting: t.next.Meeting,
		Labels: t.next.Labels, Reason: r.reason, Provenance: t.terms.Provenance, Window: w,
	}
	if r.exact != nil {
		if at := r.exact(t); !at.IsZero() {
			e.Time, e.Exact = at, true
		}
	}
	if t.summarizing {
		e.Summary = t.look.Summary
	}
	if t.untracking {
		e.Meeting.Present = present(t.roster) // they are cleared, and have not left
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
