package differ

import (
	"cmp"
	"slices"

	"rollcall"
)

// A record that was written while nicks were kept shows them, in the keys of
// people without a user id too, and its events have published them. That a
// person now has no name, or was replaced by another, would be false. So such a
// record is published anew, without nicks, as the beginning of another epoch;
// then the look is compared with it as ever.

// tellAnew compares a look with a record that shows nicks which are to be omitted.
func tellAnew(table []rule, prev *rollcall.Record, look Look, rules Rules) Result {
	anew := restate(table, prev, &look)
	rest := diff(table, anew.Record, look, rules)
	return Result{
		Record: rest.Record, Events: slices.Concat(anew.Events, rest.Events),
		Changed: true, Oddities: rest.Oddities, Anew: true, anew: &anew, transition: rest.transition,
	}
}

// restate publishes a record without nicks, from nothing. When any of it came
// about is as little known as on a first poll.
func restate(table []rule, prev *rollcall.Record, look *Look) Result {
	var t transition
	t.begin(prev, look)
	t.first, t.was = true, rollcall.Conference{}
	t.terms = t.termsOf(prev)
	t.window = rollcall.Window{Before: t.look.AnsweredAt}
	t.next = bare(prev)
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

// showsNicks reports whether a record holds the nick of anybody.
func showsNicks(r *rollcall.Record) bool {
	return r != nil && (slices.ContainsFunc(r.Roster, func(p rollcall.Participant) bool { return p.Nick != "" }) ||
		slices.ContainsFunc(r.Memory, func(m rollcall.Memory) bool { return m.Participant.Nick != "" }))
}

// bare returns the record without nicks, as if everybody had come once.
func bare(prev *rollcall.Record) *rollcall.Record {
	r, keys := *prev, renumbered(prev)
	r.Roster = make([]rollcall.Participant, 0, len(prev.Roster))
	for i := range prev.Roster {
		r.Roster = append(r.Roster, bareOf(prev.Roster[i], keys))
	}
	r.Memory = nil
	for _, m := range prev.Memory {
		if m.Participant = bareOf(m.Participant, keys); m.Participant.Attendance.Gone() || m.Failed+m.KickedOut+m.Left > 0 {
			r.Memory = append(r.Memory, m)
		}
	}
	slices.SortFunc(r.Roster, func(a, b rollcall.Participant) int { return cmp.Compare(a.Key, b.Key) })
	slices.SortFunc(r.Memory, func(a, b rollcall.Memory) int { return cmp.Compare(a.Participant.Key, b.Participant.Key) })
	return &r
}

func bareOf(p rollcall.Participant, keys map[string]string) rollcall.Participant {
	if key, nameless := keys[p.Key]; nameless {
		p.Key = key
	}
	p.Nick, p.Session = "", 0
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
