package endtoend_test

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"
	"unique"
)

// stored is a message as it lies in the stream, or lay there.
type stored struct {
	seq     uint64
	subject string
	header  map[string][]string
	data    []byte
	at      time.Time // when it was stored, where that is known
}

// answer is one answer of DingTalk's as it was handed to a worker.
type answer struct {
	door          string    // through which it was asked
	asked, served time.Time // when the question came and when the answer was known
	says          map[string]state
}

// evidence is all that the judge looks at.
type evidence struct {
	stream  []stored // MEETINGS, whole, in order
	records []stored // the records that were seen, in order, those overwritten since as well
	answers []answer // in the order in which the world was looked at
	// apart is how far apart the clocks of the witness and the workers may be.
	apart time.Duration
	// sliced is from how many events on a poll may be told by several batches, and be
	// interrupted between two of them; 0: [slicedFrom].
	sliced int
}

// slicedFrom are more events than a batch can hold.
const slicedFrom = 1000

// look is what one poll told of a meeting: a whole group of events.
type look struct {
	epoch  int64
	events []event
	stored []stored
	state  state
	answer int // that it comes from; -1: not found
	// partial: the poll was interrupted, and later ones tell the rest.
	partial bool
}

func (l *look) has(kind string) bool {
	return slices.ContainsFunc(l.events, func(e event) bool { return e.Type == "rollcall."+kind })
}

// rolesAlone reports whether a look comes of a list of members, and tells nothing that
// an answer to the batch query shows.
func (l *look) rolesAlone() bool {
	return !slices.ContainsFunc(l.events, func(e event) bool { return e.Type != "rollcall.participant.role_changed" })
}

// course is what the events tell of one meeting.
type course struct {
	looks   []look
	rosters map[int64]map[int][]person // by epoch and sequence, at the end of each group
	meeting map[int64]map[int]meeting
}

// verdict is what the judge found.
type verdict struct {
	complaints []string
	courses    map[string]*course
	slack      time.Duration
	sliced     int
}

func (v *verdict) complain(format string, args ...any) {
	v.complaints = append(v.complaints, fmt.Sprintf(format, args...))
}

func (v *verdict) mind(err error, format string, args ...any) {
	if err != nil {
		v.complain("%s: %v", fmt.Sprintf(format, args...), err)
	}
}

// judge holds what was stored against itself and against what DingTalk answered.
func judge(e evidence) *verdict {
	v := &verdict{courses: map[string]*course{}, slack: slack + e.apart, sliced: cmp.Or(e.sliced, slicedFrom)}
	ids := map[string]bool{}
	open := map[string]*look{}
	folds := map[string]*folded{}
	for _, m := range e.stream {
		if !strings.HasPrefix(m.subject, "meetings.event.") {
			continue
		}
		ev, err := decode[event](m.data)
		if err != nil {
			v.complain("message %d: %v", m.seq, err)
			continue
		}
		if ids[ev.ID] {
			v.complain("message %d: the id %s is there twice", m.seq, ev.ID)
		}
		ids[ev.ID] = true
		v.envelope(m, &ev)
		v.take(m, ev, open, folds)
	}
	for id, l := range open {
		if l != nil {
			v.complain("meeting %q: the last group has %d of %d events", id, len(l.events), l.events[0].Data.Poll.Count)
		}
	}
	v.checkRecords(e)
	for id, c := range v.courses {
		v.match(id, c, e.answers)
		v.checkEnd(id, c, e.answers)
	}
	return v
}

// envelope checks what an event says of itself.
func (v *verdict) envelope(m stored, e *event) {
	d := &e.Data
	meeting := token(d.ConferenceID)
	kind := strings.TrimPrefix(e.Type, "rollcall.")
	about := meeting
	if d.Participant != nil {
		about += "/" + token(d.Participant.Key)
	}
	for _, pair := range [][2]string{
		{m.subject, "meetings.event." + d.Tenant + "." + meeting + "." + kind},
		{e.SpecVersion, "1.0"},
		{e.ID, fmt.Sprintf("%s/%s/%d-%012d", d.Tenant, meeting, d.Epoch, d.Sequence)},
		{e.Source, "/rollcall/" + d.Tenant + "/" + meeting},
		{e.Subject, about},
		{e.Sequence, fmt.Sprintf("%012d", d.Sequence)},
		{e.PartitionKey, d.ConferenceID},
		{e.DataSchema, "rollcall:event:1"},
	} {
		if pair[0] != pair[1] {
			v.complain("%s: %q where %q is right", e.ID, pair[0], pair[1])
		}
	}
	if d.Window.After != nil && d.Window.Before.Before(*d.Window.After) {
		v.complain("%s: the window ends before it begins", e.ID)
	}
	exact := kind == "meeting.started" || kind == "meeting.ended"
	switch {
	case !exact && !e.Time.Equal(d.Window.Before):
		v.complain("%s: its time is %s, the window ends at %s", e.ID, e.Time, d.Window.Before)
	case e.Time.After(d.Window.Before), d.Window.After != nil && e.Time.Before(*d.Window.After):
		v.complain("%s: its time is %s, out of the window from %s to %s", e.ID, e.Time, d.Window.After, d.Window.Before)
	}
}

// onePoll reports whether two events have the window of one poll. Who departs
// at an end of which the time is known does so by then, and a role that nobody has
// said before may be as old as the meeting.
func onePoll(first, next *event) bool {
	a, b := first.Data.Window, next.Data.Window
	if roles := "rollcall.participant.role_changed"; first.Type == roles && next.Type == roles && (a.After == nil || b.After == nil) {
		return a.Before.Equal(b.Before)
	}
	clipped := next.Type == "rollcall.meeting.ended" && a.Before.Equal(next.Time) && !a.Before.After(b.Before)
	return reflect.DeepEqual(a.After, b.After) && (a.Before.Equal(b.Before) || clipped)
}

// take puts an event to its group, and closes the group with its last event.
func (v *verdict) take(m stored, e event, open map[string]*look, folds map[string]*folded) {
	d := &e.Data
	id := d.ConferenceID
	c := v.courses[id]
	if c == nil {
		c = &course{rosters: map[int64]map[int][]person{}, meeting: map[int64]map[int]meeting{}}
		v.courses[id] = c
	}
	l := open[id]
	if l != nil && d.Poll.Index == 1 && l.events[0].Data.Poll.Count >= v.sliced {
		l.partial = true
		c.looks, l = append(c.looks, *l), nil
	}
	if l == nil {
		l = &look{epoch: d.Epoch, answer: -1}
		open[id] = l
	}
	v.follows(c, l, &e)
	l.events, l.stored = append(l.events, e), append(l.stored, m)
	if len(c.looks) == 0 && len(l.events) == 1 || d.Sequence == 1 {
		folds[id] = newFolded()
	}
	v.mind(folds[id].apply(strings.TrimPrefix(e.Type, "rollcall."), &e), "%s: %s %s is false", e.ID, e.Type, e.Subject)
	if d.Poll.Index >= d.Poll.Count {
		open[id] = nil
		v.close(c, l, folds[id])
	}
}

// follows checks that an event is the next one of its meeting and of its group.
func (v *verdict) follows(c *course, l *look, e *event) {
	d := &e.Data
	var last *event
	if n := len(l.events); n > 0 {
		last = &l.events[n-1]
	} else if n := len(c.looks); n > 0 {
		last = &c.looks[n-1].events[len(c.looks[n-1].events)-1]
	}
	switch {
	case last == nil || d.Epoch > last.Data.Epoch:
		if d.Sequence != 1 {
			v.complain("%s: the epoch begins with sequence %d", e.ID, d.Sequence)
		}
	case d.Epoch < last.Data.Epoch:
		v.complain("%s: an older epoch after %s", e.ID, last.ID)
	case d.Sequence != last.Data.Sequence+1:
		v.complain("%s: follows on sequence %d", e.ID, last.Data.Sequence)
	}
	if d.Poll.Index != len(l.events)+1 {
		v.complain("%s: is number %d of its poll where %d is next", e.ID, d.Poll.Index, len(l.events)+1)
	}
	if len(l.events) == 0 {
		return
	}
	first := &l.events[0].Data
	if d.Poll.Count != first.Poll.Count || !onePoll(&l.events[0], e) || !reflect.DeepEqual(d.Meeting, first.Meeting) {
		v.complain("%s: tells of another poll than %s", e.ID, l.events[0].ID)
	}
}

// close checks a whole group against what it leads to.
func (v *verdict) close(c *course, l *look, f *folded) {
	last := l.events[len(l.events)-1]
	said := last.Data.Meeting
	roster := f.roster()
	l.state = state{Title: said.Title, Status: f.status, Media: said.Media.Code, People: bare(roster)}
	if said.StartTime != nil {
		l.state.Start = said.StartTime.UnixMilli()
	}
	if f.status == "ended" {
		l.state = over()
	}
	if l.has("meeting.untracked") {
		said.Present = 0 // how many were still there
	}
	if said.Status != f.status || said.Present != f.present() || said.Media.Code&7 != f.bits {
		v.complain("%s: says %+v, folding gives %s, %d present, media %d", last.ID, said, f.status, f.present(), f.bits)
	}
	v.together(l)
	v.peopleAsAfter(l, f)
	v.announced(c, l, said)
	if c.rosters[l.epoch] == nil {
		c.rosters[l.epoch], c.meeting[l.epoch] = map[int][]person{}, map[int]meeting{}
	}
	c.rosters[l.epoch][last.Data.Sequence], c.meeting[l.epoch][last.Data.Sequence] = roster, said
	c.looks = append(c.looks, *l)
}

// bare leaves what an answer to the batch query can tell of people; who is a host or
// has dialled in stands in lists of members.
func bare(roster []person) []unique.Handle[person] {
	people := slices.Clone(roster)
	for i := range people {
		p := &people[i]
		p.Session, p.RejectDescription = 0, ""
		p.Host, p.CoHost, p.External, p.Phone = nil, nil, nil, nil
	}
	return handles(people)
}

// together checks that a group was stored by one batch, without a stranger in between.
func (v *verdict) together(l *look) {
	if l.events[0].Data.Poll.Count >= v.sliced {
		return // the one exception: more than a batch can hold
	}
	batch := l.stored[0].header["Nats-Batch-Id"]
	for i, m := range l.stored {
		if m.seq != l.stored[0].seq+uint64(i) || !slices.Equal(m.header["Nats-Batch-Id"], batch) {
			v.complain("%s: is not stored together with %s", l.events[i].ID, l.events[0].ID)
		}
	}
}

// peopleAsAfter checks that each event shows its person as after the whole poll.
func (v *verdict) peopleAsAfter(l *look, f *folded) {
	for i := range l.events {
		p := l.events[i].Data.Participant
		if p == nil {
			continue
		}
		now, in := f.people[p.Key]
		if in && *p != now {
			v.complain("%s: shows %+v, after the poll it is %+v", l.events[i].ID, *p, now)
		}
		if !in && (p.Attendance == "invited" || p.Attendance == "joining" || p.Attendance == "present") {
			v.complain("%s: shows %+v, who is not in the roster after the poll", l.events[i].ID, *p)
		}
	}
}

// announced checks that title and start time change with their events only.
func (v *verdict) announced(c *course, l *look, said meeting) {
	n := len(c.looks)
	if n == 0 || c.looks[n-1].epoch != l.epoch {
		for i := range l.events {
			unseen := l.has("meeting.started") && l.has("meeting.ended") // it was held while nobody looked
			if p := l.events[i].Data.Provenance; p != "baseline" && !(unseen && p == "reconciled") {
				v.complain("%s: the first look at a meeting is %s", l.events[i].ID, p)
			}
		}
		return
	}
	before := c.looks[n-1].events[0].Data.Meeting
	if changed := said.Title != before.Title; changed != l.has("meeting.title_changed") {
		v.complain("%s: the title changed: %t, told: %t", l.events[0].ID, changed, !changed)
	}
	changed := !reflect.DeepEqual(said.StartTime, before.StartTime)
	if told := l.has("meeting.start_time_changed"); changed != told && !l.has("meeting.started") {
		v.complain("%s: the start time changed: %t, told: %t", l.events[0].ID, changed, told)
	}
}

// checkRecords holds every record against the fold of the events up to it.
func (v *verdict) checkRecords(e evidence) {
	type number struct {
		term, poll uint64
		partial    bool
	}
	last := map[string]number{}
	seen := map[string]stored{}
	for _, m := range e.records {
		r, err := decode[record](m.data)
		if err != nil || m.subject != "meetings.state."+r.Tenant+"."+token(r.ConferenceID) {
			v.complain("record %d on %s: %v", m.seq, m.subject, err)
			continue
		}
		n := last[r.ConferenceID]
		if r.Term < n.term || r.Term == n.term && (r.Poll < n.poll || r.Poll == n.poll && !n.partial) {
			v.complain("record %d of meeting %q: written by poll %d/%d after %d/%d", m.seq, r.ConferenceID, r.Term, r.Poll, n.term, n.poll)
		}
		last[r.ConferenceID] = number{r.Term, r.Poll, r.Partial != nil}
		seen[r.ConferenceID] = m
		if r.Partial == nil {
			v.checkRecord(m, &r)
		}
	}
	for id, c := range v.courses {
		r, _ := decode[record](seen[id].data)
		lastLook := &c.looks[len(c.looks)-1]
		if want := lastLook.events[len(lastLook.events)-1].Data.Sequence; r.Sequence != want || r.Epoch != lastLook.epoch {
			v.complain("meeting %q: the last record has sequence %d, the last event %d", id, r.Sequence, want)
		}
	}
}

func (v *verdict) checkRecord(m stored, r *record) {
	var want []person
	if c := v.courses[r.ConferenceID]; c != nil && r.Sequence > 0 {
		roster, known := c.rosters[r.Epoch][r.Sequence]
		if !known {
			v.complain("record %d of meeting %q: no poll ends with sequence %d", m.seq, r.ConferenceID, r.Sequence)
			return
		}
		want = roster
		if said := c.meeting[r.Epoch][r.Sequence]; !reflect.DeepEqual(r.Meeting, said) {
			v.complain("record %d of meeting %q: says %+v, the events say %+v", m.seq, r.ConferenceID, r.Meeting, said)
		}
	}
	if !slices.Equal(r.Roster, want) {
		v.complain("record %d of meeting %q, sequence %d: its roster is\n\t%+v\nfolding gives\n\t%+v", m.seq, r.ConferenceID, r.Sequence, r.Roster, want)
	}
}

// slack is how far apart two readings of the clock may be that mean the same
// instant: times on the wire are cut to milliseconds.
const slack = 2 * time.Millisecond

// match finds, for each look, the answer that it comes from: later ones for
// later looks. A look without one is false, or older than the one before.
func (v *verdict) match(id string, c *course, answers []answer) {
	next := 0
	for n := range c.looks {
		l := &c.looks[n]
		if l.partial || l.has("meeting.untracked") || l.has("meeting.summarized") || l.rolesAlone() {
			continue
		}
		window := l.events[len(l.events)-1].Data.Window
		found := slices.IndexFunc(answers[next:], func(a answer) bool {
			said, ok := a.says[id]
			return ok && !a.asked.After(window.Before.Add(v.slack)) &&
				(window.After == nil || !a.served.Add(v.slack).Before(*window.After)) && reflect.DeepEqual(said, l.state)
		})
		if found < 0 {
			v.complain("%s: after this poll, with the window from %s to %s, the meeting is\n\t%s\nwhich none of the answers from number %d on said within the window%s%s",
				l.events[0].ID, window.After, window.Before, l.state, next, said(id, answers[next:]), elsewhere(id, l.state, answers))
			continue
		}
		l.answer = next + found
		next = l.answer + 1
	}
}

// elsewhere shows which answers said so in another place, or the one that differs least.
func elsewhere(id string, want state, answers []answer) string {
	var b strings.Builder
	least, nearest := -1, 0
	for n, a := range answers {
		s, ok := a.says[id]
		if !ok {
			continue
		}
		if reflect.DeepEqual(s, want) {
			fmt.Fprintf(&b, "\nanswer number %d does, %s..%s %s", n, a.asked.Format(time.TimeOnly+".000"), a.served.Format(time.TimeOnly+".000"), a.door)
		}
		if far := apart(s, want); least < 0 || far < least {
			least, nearest = far, n
		}
	}
	if b.Len() == 0 && least > 0 {
		a := answers[nearest]
		fmt.Fprintf(&b, "\nanswer number %d differs least, in %d things, %s..%s %s: %s",
			nearest, least, a.asked.Format(time.TimeOnly+".000"), a.served.Format(time.TimeOnly+".000"), a.door, a.says[id])
	}
	return b.String()
}

// apart counts the people that are in one of two states alone, and what else differs.
func apart(a, b state) (n int) {
	for _, pair := range [][2]state{{a, b}, {b, a}} {
		for _, p := range pair[0].People {
			if !slices.Contains(pair[1].People, p) {
				n++
			}
		}
	}
	if a.Title != b.Title || a.Status != b.Status || a.Media != b.Media || a.Start != b.Start {
		n++
	}
	return n
}

// said shows the next few answers about a meeting.
func said(id string, answers []answer) string {
	var b strings.Builder
	shown := 0
	for _, a := range answers {
		if s, ok := a.says[id]; ok && shown < 4 {
			fmt.Fprintf(&b, "\n\t%s..%s %s: %s", a.asked.Format(time.TimeOnly+".000"), a.served.Format(time.TimeOnly+".000"), a.door, s)
			shown++
		}
	}
	return b.String()
}

// checkEnd checks that a meeting ends no more often than DingTalk said so: once for
// each time that it was open before. That it is told to have ended is for [verdict.settled]
// where it did so for good.
func (v *verdict) checkEnd(id string, c *course, answers []answer) {
	told, said := 0, 0
	for n := range c.looks {
		if c.looks[n].has("meeting.ended") {
			told++
		}
	}
	before := ""
	for _, a := range answers {
		if now, ok := a.says[id]; ok {
			if now.Status == "ended" && before != "ended" {
				said++
			}
			before = now.Status
		}
	}
	if told > said || told == 0 && before == "ended" {
		v.complain("meeting %q: %d events meeting.ended, want %d", id, told, said)
	}
}

// last gives what the last of the answers said about a meeting.
func last(id string, answers []answer) (state, bool) {
	for _, a := range slices.Backward(answers) {
		if s, ok := a.says[id]; ok {
			return s, true
		}
	}
	return state{}, false
}

// settled checks that the last look at each meeting is the last answer about it.
func (v *verdict) settled(answers []answer) {
	told := map[string]bool{}
	for _, a := range answers {
		for id := range a.says {
			told[id] = true
		}
	}
	for id := range told {
		c, want := v.courses[id], state{}
		want, _ = last(id, answers)
		if c == nil {
			v.complain("meeting %q: was answered about and has no events", id)
			continue
		}
		if got := c.looks[len(c.looks)-1].state; !reflect.DeepEqual(got, want) {
			v.complain("meeting %q: ends as\n\t%s\nthe last answer said\n\t%s", id, got, want)
		}
	}
}

// whole checks that every change among the answers from number from up to
// number to has a poll of its own: what is folded goes through exactly the
// states that were answered.
func (v *verdict) whole(answers []answer, from, to int) {
	for id, c := range v.courses {
		var before, got, want []state
		for _, l := range c.looks {
			switch {
			case l.rolesAlone(), l.has("meeting.summarized"): // no answer shows it
			case l.answer < from:
				before = []state{l.state}
			case l.answer < to:
				got = append(got, l.state)
			}
		}
		for _, a := range answers[from:to] {
			if s, ok := a.says[id]; ok {
				want = append(want, s)
			}
		}
		got, want = changes(append(before[:len(before):len(before)], got...)), changes(append(before, want...))
		if !reflect.DeepEqual(got, want) {
			v.complain("meeting %q: %d states were answered by the answers %d to %d, the events tell of %d", id, len(want), from, to, len(got))
		}
	}
}

// changes leaves out states that are like the one before.
func changes(states []state) []state {
	return slices.CompactFunc(states, func(a, b state) bool { return reflect.DeepEqual(a, b) })
}
