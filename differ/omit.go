package differ

import (
	"cmp"
	"slices"
	"time"

	"rollcall"
)

// A record that was written while nicks or ids were kept shows them, nicks in the
// keys of people without a user id too, and its events have published them. That a
// person now has no name, or was replaced by another, would be false. So such a
// record is published anew, without them, as the beginning of another epoch;
// then the look is compared with it as ever.

// tellAnew compares a look with a record that shows what no longer may be shown.
func tellAnew(table []rule, prev *rollcall.Record, look Look, rules Rules) Result {
	anew := restate(table, rules.bare(prev), prev, &look)
	rest := diff(table, anew.Record, look, rules)
	return Result{
		Record: rest.Record, Events: slices.Concat(anew.Events, rest.Events),
		Changed: true, Oddities: rest.Oddities, Unmatched: rest.Unmatched, Anew: true, anew: &anew, transition: rest.transition,
	}
}

// restate publishes a record without what may no longer be shown, from nothing. When
// any of it came about is as little known as on a first poll.
func restate(table []rule, bare, prev *rollcall.Record, look *Look) Result {
	var t transition
	t.begin(prev, look)
	t.first, t.was = true, rollcall.Conference{}
	t.terms = t.termsOf(prev)
	t.window = rollcall.Window{Before: t.look.AnsweredAt}
	t.next = bare
	t.next.Number, t.next.Labels = look.Number, t.labels()
	t.next.Epoch, t.next.Sequence = newEpoch(t.next.Epoch, t.look.AnsweredAt), 0
	for i := range t.next.Roster {
		t.people = append(t.people, person{is: t.next.Roster[i]})
	}
	return t.result(table)
}

// sliceAnew returns the record as of after the first n of the events that
// publish it anew; the next look goes on as after a slice of a first poll.
func (r Result) sliceAnew(n int) *rollcall.Record {
	whole, told := r.anew.Record, r.anew.Events[:n]
	rec := *whole
	rec.Sequence, rec.ObservedAt, rec.Number = uint64(n), r.Record.ObservedAt, r.Record.Number
	rec.Partial, rec.Unlisted = &rollcall.Partial{Provenance: rollcall.ProvenanceBaseline}, true
	rec.Meeting = rollcall.Conference{Title: whole.Meeting.Title, StartTime: whole.Meeting.StartTime}
	retell(&rec, told, whole.Meeting)
	rec.Roster, rec.Memory = Fold(nil, told), slices.Clone(whole.Memory)
	rec.Meeting.Present = present(rec.Roster)
	for i := range rec.Memory {
		who := &rec.Memory[i].Participant
		if _, there := find(rec.Roster, who.Key, 0); !there && who.Attendance.InRoster() { // not published yet
			setAttendance(who, rollcall.AttendanceLeft)
			who.Session = 0
		}
	}
	return &rec
}

// omits reports whether not all that is said of people is kept.
func (r Rules) omits() bool { return r.OmitNicks || r.Pseudonyms != nil }

// shown reports whether a record shows somebody of whom that holds.
func (r Rules) shown(rec *rollcall.Record, such func(*rollcall.Participant) bool) bool {
	return rec != nil && r.omits() && (slices.ContainsFunc(rec.Roster, func(p rollcall.Participant) bool { return such(&p) }) ||
		slices.ContainsFunc(rec.Memory, func(m rollcall.Memory) bool { return such(&m.Participant) }))
}

// barred reports whether what is known of a person may no longer be shown.
func (r Rules) barred(p *rollcall.Participant) bool {
	return r.OmitNicks && p.Nick != "" || r.Pseudonyms != nil && r.Pseudonyms.Of(p.UserID) != p.UserID
}

// strange reports whether a person has a pseudonym that was made with another secret.
func (r Rules) strange(p *rollcall.Participant) bool {
	return r.Pseudonyms != nil && rollcall.IsPseudonym(p.UserID) && !r.Pseudonyms.Own(p.UserID)
}

// bare returns the record without what may no longer be shown, as if everybody had come
// once. Roles are for the next list of members to say again.
func (r Rules) bare(prev *rollcall.Record) *rollcall.Record {
	next, keys := *prev, map[string]string{}
	if r.OmitNicks {
		keys = renumbered(prev)
	}
	next.Roster = make([]rollcall.Participant, 0, len(prev.Roster))
	for i := range prev.Roster {
		next.Roster = append(next.Roster, r.bareOf(prev.Roster[i], keys))
	}
	next.Memory, next.RolesAt = nil, time.Time{}
	for _, m := range prev.Memory {
		if m.Participant = r.bareOf(m.Participant, keys); m.Participant.Attendance.Gone() || m.Failed+m.KickedOut+m.Left > 0 {
			next.Memory = append(next.Memory, m)
		}
	}
	slices.SortFunc(next.Roster, func(a, b rollcall.Participant) int { return cmp.Compare(a.Key, b.Key) })
	slices.SortFunc(next.Memory, func(a, b rollcall.Memory) int { return cmp.Compare(a.Participant.Key, b.Participant.Key) })
	// Where ids were kept in between, somebody may be there under both.
	next.Roster = slices.CompactFunc(next.Roster, func(a, b rollcall.Participant) bool { return a.Key == b.Key })
	next.Memory = slices.CompactFunc(next.Memory, func(a, b rollcall.Memory) bool { return a.Participant.Key == b.Participant.Key })
	return &next
}

func (r Rules) bareOf(p rollcall.Participant, keys map[string]string) rollcall.Participant {
	if key, nameless := keys[p.Key]; nameless {
		p.Key = key
	}
	if r.OmitNicks {
		p.Nick = ""
	}
	if r.Pseudonyms != nil && p.UserID != "" {
		p.UserID = r.Pseudonyms.Of(p.UserID)
		p.Key = KeyOf(p.UserID)
	}
	p.Session, p.Roles = 0, rollcall.Roles{}
	if p.Attendance == rollcall.AttendancePresent {
		p.Session = 1
	}
	return p
}

// renumbered returns the keys, by the old ones, that people without a user id have
// without a nick: numbers as a list gives them, the most present first, and of
// the gone those who are still listed.
func renumbered(r *rollcall.Record) map[string]string {
	var nameless []known
	for all := (knownPeople{roster: r.Roster, memory: r.Memory}); all.more(); {
		if k := all.next(); k.who.UserID == "" {
			nameless = append(nameless, k)
		}
	}
	slices.SortStableFunc(nameless, func(a, b known) int {
		return cmp.Or(
			cmp.Compare(b.standing(), a.standing()), cmp.Compare(b.who.Mic, a.who.Mic), cmp.Compare(b.who.Camera, a.who.Camera),
			cmp.Compare(min(1, b.gone.sum()), min(1, a.gone.sum())),
		)
	})
	keys := make(map[string]string, len(nameless))
	for i, k := range nameless {
		keys[k.who.Key] = anonKey("", i+1)
	}
	return keys
}

// standing is how present the entry of somebody is.
func (k known) standing() int {
	if k.half { // the list has but the departure
		return 0
	}
	return presence(k.who.Attendance)
}

func (t tally) sum() (n int) {
	for _, entries := range t {
		n += entries
	}
	return n
}
