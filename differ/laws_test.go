package differ

import (
	"cmp"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"rollcall"
)

// The laws that hold for every step whatever the answers say.

// poll is one step of a history: what was known, what was seen, what came of it.
type poll struct {
	prev  *rollcall.Record
	look  Look
	rules Rules
	res   Result
}

// lawful plays one look and checks every law about a single step.
func lawful(prev *rollcall.Record, look Look, rules Rules) (poll, error) {
	prevCopy, lookCopy := cloneRecord(prev), cloneLook(look)
	p := poll{prev, look, rules, Diff(prev, look, rules)}
	if !reflect.DeepEqual(prev, prevCopy) || !reflect.DeepEqual(look, lookCopy) {
		return p, fmt.Errorf("the input was changed")
	}
	if p.res.Anew {
		return p, p.anew()
	}
	for name, law := range map[string]func() error{
		"numbering": p.numbered, "fold": p.folds, "shape": p.shaped, "determinism": p.repeats,
		"order of entries": p.ordered, "rest": p.rests, "changed": p.honest, "slices": p.slices,
	} {
		if err := law(); err != nil {
			return p, fmt.Errorf("law of %s: %w", name, err)
		}
	}
	return p, nil
}

// sameEpoch reports whether the record goes on with what was known.
func (p poll) sameEpoch() bool {
	return p.prev != nil && p.res.Record.Epoch == p.prev.Epoch
}

func (p poll) base() (roster []rollcall.Participant, sequence uint64) {
	if !p.sameEpoch() {
		return nil, 0
	}
	return p.prev.Roster, p.prev.Sequence
}

func (p poll) numbered() error {
	if p.res.Record == nil {
		return nil
	}
	_, sequence := p.base()
	for i, e := range p.res.Events {
		switch {
		case e.Sequence != sequence+uint64(i)+1 || e.Index != i+1 || e.Count != len(p.res.Events):
			return fmt.Errorf("event %d of %d has sequence %d, index %d, count %d", i, len(p.res.Events), e.Sequence, e.Index, e.Count)
		case e.Epoch != p.res.Record.Epoch || e.Epoch < 1 || e.Tenant != p.look.Tenant || e.ConferenceID != p.look.ConferenceID:
			return fmt.Errorf("event %d belongs to another meeting: %+v", i, e)
		case e.CheckTime() != nil:
			return fmt.Errorf("event %d: %w", i, e.CheckTime())
		case p.res.Record.Meeting.Status == rollcall.StatusEnded && e.Participant != nil && e.Time.After(p.res.Record.EndedAt) && e.Type != rollcall.ParticipantForgotten:
			return fmt.Errorf("event %d: %s outlasts the end at %v", i, e.Participant.Key, p.res.Record.EndedAt)
		case !maps.Equal(e.Labels, p.res.Record.Labels):
			return fmt.Errorf("event %d has the labels %v, the record %v", i, e.Labels, p.res.Record.Labels)
		case e.Exact && e.Type != rollcall.MeetingStarted && e.Type != rollcall.MeetingEnded:
			return fmt.Errorf("event %d: %s has no time of DingTalk's own", i, e.Type)
		case e.Meeting != p.shows(&e):
			return fmt.Errorf("event %d shows the meeting as %+v, not as after the poll", i, e.Meeting)
		}
	}
	if got, want := p.res.Record.Sequence, sequence+uint64(len(p.res.Events)); got != want {
		return fmt.Errorf("the record has sequence %d, want %d", got, want)
	}
	return nil
}

// shows is the meeting as an event shows it: as after the poll, but that one that
// is untracked says how many were still there.
func (p poll) shows(e *rollcall.Event) rollcall.Conference {
	m := p.res.Record.Meeting
	if roster, _ := p.base(); e.Type == rollcall.MeetingUntracked {
		m.Present = present(roster)
	}
	return m
}

func (p poll) folds() error {
	if p.res.Record == nil {
		return nil
	}
	roster, _ := p.base()
	before := slices.Clone(roster)
	got := Fold(roster, p.res.Events)
	if !slices.Equal(roster, before) {
		return fmt.Errorf("fold changed its input")
	}
	if !slices.Equal(got, p.res.Record.Roster) {
		return fmt.Errorf("folded %+v, recorded %+v, events %s", got, p.res.Record.Roster, tellAll(p.res.Events))
	}
	return nil
}

func (p poll) shaped() error {
	r := p.res.Record
	if r == nil {
		return nil
	}
	if !slices.IsSortedFunc(r.Roster, func(a, b rollcall.Participant) int { return cmp.Compare(a.Key, b.Key) }) ||
		!slices.IsSortedFunc(r.Memory, func(a, b rollcall.Memory) int { return cmp.Compare(a.Participant.Key, b.Participant.Key) }) {
		return fmt.Errorf("not sorted: %+v", r)
	}
	over := r.Meeting.Status == rollcall.StatusEnded || r.Untracked
	if over && len(r.Roster)+len(r.Memory)+r.Meeting.Present > 0 {
		return fmt.Errorf("somebody is there after the end: %+v", r)
	}
	for _, q := range r.Roster {
		absent := q
		setAttendance(&absent, q.Attendance)
		if !q.Attendance.InRoster() || q.Attendance != rollcall.AttendancePresent && q != absent || q.RejectDescription != "" {
			return fmt.Errorf("in the roster stands %+v", q)
		}
	}
	for _, m := range r.Memory {
		counted := m.Failed+m.KickedOut+m.Left > 0
		if !m.Participant.Attendance.Gone() && !counted && r.Partial == nil { // else: the nick before the renaming
			return fmt.Errorf("remembered without need: %+v", m)
		}
	}
	return nil
}

func (p poll) repeats() error {
	if again := Diff(p.prev, p.look, p.rules); !sameResult(again, p.res) {
		return fmt.Errorf("the same input gave another result")
	}
	return nil
}

func (p poll) ordered() error {
	look := cloneLook(p.look)
	slices.Reverse(look.Members)
	if p.look.Answer == nil {
		if !sameResult(Diff(p.prev, look, p.rules), p.res) {
			return fmt.Errorf("reversed members gave another result")
		}
		return nil
	}
	slices.Reverse(look.Answer.Entries)
	if !sameResult(Diff(p.prev, look, p.rules), p.res) {
		return fmt.Errorf("reversed entries gave another result")
	}
	slices.SortFunc(look.Answer.Entries, func(a, b rollcall.Entry) int {
		return cmp.Or(cmp.Compare(a.Mic, b.Mic), cmp.Compare(a.Nick, b.Nick))
	})
	if !sameResult(Diff(p.prev, look, p.rules), p.res) {
		return fmt.Errorf("shuffled entries gave another result")
	}
	return nil
}

// rests: the same look again leads nowhere. A miss is one more each time.
func (p poll) rests() error {
	if p.look.Kind == rollcall.SightingMissed || p.res.Record == nil {
		return nil
	}
	again := Diff(p.res.Record, p.look, p.rules)
	if len(again.Events) > 0 || again.Changed {
		return fmt.Errorf("the same look again gave %s, record %+v, was %+v", tellAll(again.Events), again.Record, p.res.Record)
	}
	return nil
}

func (p poll) honest() error {
	if p.prev == nil {
		if p.res.Changed != (p.res.Record != nil) {
			return fmt.Errorf("a new record is a change")
		}
		return nil
	}
	was, is := *p.prev, *p.res.Record
	was.Number, was.ObservedAt = is.Number, is.ObservedAt
	if same := reflect.DeepEqual(was, is); same == p.res.Changed {
		return fmt.Errorf("changed is %v: %+v, then %+v", p.res.Changed, was, is)
	}
	return nil
}

// slices: wherever the poll is cut, the same look tells the rest, and no more.
func (p poll) slices() error {
	for n := range p.res.Events {
		cut := p.res.Slice(p.prev, n)
		if cut.Partial == nil || cut.Meeting.Present != present(cut.Roster) {
			return fmt.Errorf("the slice at %d is %+v", n, cut)
		}
		base, _ := p.base()
		if folded := Fold(base, p.res.Events[:n]); !slices.Equal(folded, cut.Roster) {
			return fmt.Errorf("cut at %d: folded %+v, recorded %+v", n, folded, cut.Roster)
		}
		rest := Diff(cut, p.look, p.rules)
		if p.nameless(func(e rollcall.Entry) bool { return !p.coversAll() || unsaid(e.Attendance) }) {
			continue // may wait for a whole list, or be as before the cut
		}
		want, got := byPerson(p.res.Events[n:]), byPerson(rest.Events)
		p.forgetRename(n, want)
		if !reflect.DeepEqual(want, got) {
			return fmt.Errorf("cut at %d, the rest is told otherwise (entering in fold.go has to take away what a later event tells): "+
				"record %+v, whole story %q, -want +got rest %s", n, cut, tellAll(p.res.Events), gocmp.Diff(want, got))
		}
		whole := *p.res.Record
		whole.Sequence = uint64(len(rest.Events))
		if rest.Record.Epoch == cut.Epoch {
			whole.Sequence += cut.Sequence
		}
		if !p.coversAll() {
			whole.Partial = cut.Partial // goes on until everybody has been looked at
		}
		rest.Record = cloneRecord(rest.Record)
		whole.Memory, rest.Record.Memory = named(whole.Memory), named(rest.Record.Memory)
		if !reflect.DeepEqual(&whole, rest.Record) {
			return fmt.Errorf("cut at %d: want %+v, got %+v", n, whole, rest.Record)
		}
	}
	if len(p.res.Events) > 0 && p.res.Slice(p.prev, len(p.res.Events)) != p.res.Record {
		return fmt.Errorf("the last slice is not the record")
	}
	return nil
}

// coversAll reports whether the look is about everybody, or nobody is left.
func (p poll) coversAll() bool {
	if p.look.Kind == rollcall.SightingForgotten {
		return false
	}
	if r := p.res.Record; r.Untracked || r.Meeting.Status == rollcall.StatusEnded && !r.Summarized {
		return true
	}
	a := p.look.Answer
	return a != nil && a.Listed && !a.Partial && !slices.ContainsFunc(a.Entries, func(e rollcall.Entry) bool {
		return e.UserID == "" && e.Nick == "" && unsaid(e.Attendance)
	})
}

// nameless reports whether there is such an entry of somebody without a user id.
func (p poll) nameless(such func(rollcall.Entry) bool) bool {
	return p.look.Answer != nil && slices.ContainsFunc(p.look.Answer.Entries, func(e rollcall.Entry) bool { return e.UserID == "" && such(e) })
}

// forgetRename allows for the one thing that a cut may lose: the renaming of
// somebody who is cut between leaving and being called again.
func (p poll) forgetRename(n int, want map[string][]string) {
	called := map[string]bool{}
	for _, e := range p.res.Events[:n] {
		if e.Participant != nil {
			called[e.Participant.Key] = e.Reason == rollcall.ReasonCalledAgain
		}
	}
	for key, gap := range called {
		if told, known := want[key]; gap && known {
			want[key] = slices.DeleteFunc(told, func(s string) bool {
				return s[:len(rollcall.ParticipantRenamed)] == string(rollcall.ParticipantRenamed)
			})
		}
	}
}

// named gives the memory of people with a user id. Which of two gone people of
// one nick is which has no meaning.
func named(memory []rollcall.Memory) []rollcall.Memory {
	return slices.DeleteFunc(slices.Clone(memory), func(m rollcall.Memory) bool { return m.Participant.UserID == "" })
}

// byPerson gives the story of each person, under "" that of the meeting, and
// of people without a user id what is told of the nick, in no order.
func byPerson(events []rollcall.Event) map[string][]string {
	m := map[string][]string{}
	for _, e := range events {
		key, who := "", rollcall.Participant{}
		if e.Participant != nil {
			key, who = e.Participant.Key, *e.Participant
		}
		if e.Participant != nil && who.UserID == "" {
			key, who = "nick "+who.Nick, rollcall.Participant{}
			if e.Type == rollcall.ParticipantDeclined { // one of them may stand under the number of another, who was joining
				e.Type = rollcall.ParticipantJoinFailed
			}
		}
		m[key] = append(m[key], fmt.Sprintf("%-30s %s %s %s %v %+v %+v", e.Type, e.Reason, e.Provenance, e.Time.Format(time.TimeOnly), e.Window, e.Meeting, who))
	}
	for key := range m {
		if strings.HasPrefix(key, "nick ") {
			slices.Sort(m[key])
		}
	}
	return m
}

func tellAll(events []rollcall.Event) (all []string) {
	for _, e := range events {
		key := ""
		if e.Participant != nil {
			key = e.Participant.Key
		}
		all = append(all, fmt.Sprintf("%s %s %s %s", e.Type, key, e.Reason, e.Provenance))
	}
	return all
}

func sameResult(a, b Result) bool {
	return reflect.DeepEqual(a.Record, b.Record) && reflect.DeepEqual(a.Events, b.Events) &&
		a.Changed == b.Changed && reflect.DeepEqual(a.Oddities, b.Oddities)
}

func cloneRecord(r *rollcall.Record) *rollcall.Record {
	if r == nil {
		return nil
	}
	c := *r
	c.Roster, c.Memory = slices.Clone(r.Roster), slices.Clone(r.Memory)
	if r.Partial != nil {
		partial := *r.Partial
		c.Partial = &partial
	}
	return &c
}

func cloneLook(l Look) Look {
	if l.Answer != nil {
		a := *l.Answer
		a.Entries, a.Oddities = slices.Clone(a.Entries), slices.Clone(a.Oddities)
		l.Answer = &a
	}
	l.Members = slices.Clone(l.Members)
	return l
}

// presence follows what a subscriber is told of people: who is there, and what
// of theirs is open.
type attendanceBook map[string]*struct{ mic, camera bool }

// hear checks that joined and departed alternate, and opened and closed, the
// latter only inside a presence.
func (b attendanceBook) hear(events []rollcall.Event) error {
	for _, e := range events {
		if e.Type == rollcall.MeetingUntracked || e.Sequence == 1 { // which begins an epoch
			clear(b)
		}
		if e.Type == rollcall.MeetingEnded && len(b) > 0 {
			return fmt.Errorf("the meeting ended with people in it: %v", slices.Sorted(maps.Keys(b)))
		}
		if e.Participant == nil {
			continue
		}
		if err := b.hearOne(e.Type, e.Participant.Key); err != nil {
			return fmt.Errorf("%s %s: %w in %q", e.Type, e.Participant.Key, err, tellAll(events))
		}
	}
	return nil
}

func (b attendanceBook) hearOne(t rollcall.Type, key string) error {
	who := b[key]
	switch t {
	case rollcall.ParticipantJoined:
		if who != nil {
			return fmt.Errorf("is already there")
		}
		b[key] = &struct{ mic, camera bool }{}
	case rollcall.ParticipantLeft, rollcall.ParticipantKickedOut:
		if who == nil || who.mic || who.camera {
			return fmt.Errorf("is not there, or has something open")
		}
		delete(b, key)
	case rollcall.ParticipantMicOpened, rollcall.ParticipantMicClosed:
		if opens := t == rollcall.ParticipantMicOpened; who == nil || who.mic == opens {
			return fmt.Errorf("no such microphone")
		}
		who.mic = !who.mic
	case rollcall.ParticipantCameraOpened, rollcall.ParticipantCameraClosed:
		if opens := t == rollcall.ParticipantCameraOpened; who == nil || who.camera == opens {
			return fmt.Errorf("no such camera")
		}
		who.camera = !who.camera
	case rollcall.ParticipantInvited, rollcall.ParticipantJoining, rollcall.ParticipantInvitationLapsed,
		rollcall.ParticipantDeclined, rollcall.ParticipantJoinFailed:
		if who != nil {
			return fmt.Errorf("is there")
		}
	case rollcall.ParticipantRenamed, rollcall.ParticipantRoleChanged:
	case rollcall.ParticipantForgotten:
		for was, who := range b {
			if rollcall.Forgotten("acme", "c1", was) == key {
				delete(b, was)
				b[key] = who
			}
		}
	default:
		return fmt.Errorf("attendanceBook knows no %s: say in hearOne to whom it can happen", t)
	}
	return nil
}

func (b attendanceBook) clone() attendanceBook {
	c := attendanceBook{}
	for key, who := range b {
		copied := *who
		c[key] = &copied
	}
	return c
}
