package differ

import (
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"rollcall"
)

// choices makes decisions: one of n.
type choices func(n int) int

func pick[T any](c choices, from ...T) T { return from[c(len(from))] }

func drawn(t *rapid.T) choices {
	return func(n int) int { return rapid.IntRange(0, n-1).Draw(t, "choice") }
}

// rehearsal makes up looks at one meeting, one after the other.
type rehearsal struct {
	choose choices
	now    time.Time
	poll   uint64
}

func newRehearsal(c choices) *rehearsal {
	return &rehearsal{choose: c, now: time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)}
}

func (r *rehearsal) look() Look {
	r.now, r.poll = r.now.Add(15*time.Second), r.poll+1
	l := Look{
		Tenant: "acme", ConferenceID: "c1", Number: rollcall.Number{Term: 1, Poll: r.poll},
		AskedAt: r.now, AnsweredAt: r.now.Add(pick(r.choose, time.Second, -time.Minute)),
		Kind: pick(r.choose, rollcall.SightingListed, rollcall.SightingListed, rollcall.SightingListed, rollcall.SightingListed,
			rollcall.SightingListed, rollcall.SightingListed, rollcall.SightingEnded, rollcall.SightingOngoing,
			rollcall.SightingMissed, rollcall.SightingMissed, rollcall.SightingUntracked, rollcall.SightingSummarized, rollcall.SightingForgotten,
			rollcall.SightingMembers, rollcall.SightingMembers),
		EndTime:   pick(r.choose, time.Time{}, r.now.Add(-time.Second), r.now.Add(-time.Hour), r.now.Add(time.Hour)),
		StartTime: pick(r.choose, time.Time{}, r.now.Add(-2*time.Second), r.now.Add(-2*time.Hour), r.now.Add(30*time.Minute)),
		After:     pick(r.choose, time.Time{}, r.now.Add(-10*time.Second)),
	}
	switch l.Kind {
	case rollcall.SightingListed:
		l.Answer = r.answer()
	case rollcall.SightingForgotten:
		l.Forgotten = KeyOf(r.entry().UserID)
	case rollcall.SightingMembers:
		for range r.choose(4) {
			l.Members = append(l.Members, r.member())
		}
	case rollcall.SightingEnded:
		l.Reason = pick(r.choose, rollcall.ReasonStatus, rollcall.ReasonResourceClosed)
	}
	return l
}

func (r *rehearsal) answer() *rollcall.Answer {
	a := &rollcall.Answer{
		Title:      pick(r.choose, "", "T", "U"),
		StartTime:  pick(r.choose, time.Time{}, r.now.Add(-5*time.Second), r.now.Add(time.Hour), time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)),
		Status:     pick(r.choose, rollcall.StatusStarted, rollcall.StatusStarted, rollcall.StatusStarted, rollcall.StatusInitialized, rollcall.StatusUnknown, rollcall.StatusEnded),
		Media:      rollcall.Media(pick(r.choose, 0, 1, 2, 4, 7, 64, 71, -1)),
		MediaGiven: pick(r.choose, false, true),
		Listed:     pick(r.choose, true, true, true, true, false),
		Partial:    pick(r.choose, false, false, false, true),
	}
	for range r.choose(9) {
		a.Entries = append(a.Entries, r.entry())
	}
	return a
}

func (r *rehearsal) member() rollcall.Member {
	fact := func() rollcall.Fact {
		return pick(r.choose, rollcall.FactUnknown, rollcall.FactFalse, rollcall.FactTrue)
	}
	return rollcall.Member{
		UserID: pick(r.choose, "u1", "u2", "", "anon:A#1"), Attendance: rollcall.Attendance(r.choose(7)),
		Roles: rollcall.Roles{Host: fact(), CoHost: fact()},
	}
}

func (r *rehearsal) entry() rollcall.Entry {
	return draw[rollcall.Entry](r.choose, values{
		"UserID":            {"u1", "u2", "", "", "anon:A#1", "id:anon:A#1"},
		"Nick":              {"A", "A#1", "B", ""},
		"Attendance":        upTo(rollcall.Attendance(7)), // a code without a meaning
		"Mic":               upTo(rollcall.DeviceOpen),
		"Camera":            upTo(rollcall.DeviceOpen),
		"RejectDescription": {"", "no", "later"},
	})
}

// play checks every law along a history of polls, and along the histories in
// which the process dies between the slices of a poll.
func play(c choices) error {
	r := newRehearsal(c)
	var record *rollcall.Record
	book := attendanceBook{}
	one, two := rollcall.NewPseudonyms([]byte("one"), "acme"), rollcall.NewPseudonyms([]byte("two"), "acme")
	var pseudonyms *rollcall.Pseudonyms
	for range 2 + c(6) {
		switch c(12) {
		case 1:
			pseudonyms = one
		case 2:
			pseudonyms = two
		}
		look, rules := r.look(), Rules{MissingAfterPolls: c(3), OmitNicks: c(6) == 0, Pseudonyms: pseudonyms}
		p, err := lawful(record, look, rules)
		if err != nil {
			return err
		}
		if n := len(p.res.Events); n > 1 && c(4) == 0 {
			if err := r.crash(p, book.clone(), 1+c(n-1)); err != nil {
				return fmt.Errorf("after a crash: %w", err)
			}
		}
		if err := book.hear(p.res.Events); err != nil {
			return err
		}
		record = p.res.Record
	}
	return nil
}

// crash goes on from a slice with a newer look.
func (r *rehearsal) crash(p poll, book attendanceBook, n int) error {
	if err := book.hear(p.res.Events[:n]); err != nil {
		return err
	}
	after := *r
	next := after.look()
	resumed, err := lawful(p.res.Slice(p.prev, n), next, p.rules)
	if err != nil {
		return err
	}
	return book.hear(resumed.res.Events)
}

func TestLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		if err := play(drawn(t)); err != nil {
			t.Fatal(err)
		}
	})
}

// A history ends in the roster that its last poll alone gives, as long as that
// poll leaves nothing unsaid. How often somebody came is history.
func TestLastPollAloneGivesTheRoster(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := newRehearsal(drawn(t))
		var record *rollcall.Record
		var last Look
		for range 1 + r.choose(5) {
			last = r.plainLook()
			record = Diff(record, last, Rules{}).Record
		}
		alone := Diff(nil, last, Rules{}).Record
		if got, want := withoutSessions(record.Roster), withoutSessions(alone.Roster); !slices.Equal(got, want) {
			t.Fatalf("after all polls %+v, after the last alone %+v", got, want)
		}
		if record.Meeting != alone.Meeting {
			t.Fatalf("after all polls %+v, after the last alone %+v", record.Meeting, alone.Meeting)
		}
	})
}

// plainLook is a look with a whole list in which every value is known.
func (r *rehearsal) plainLook() Look {
	l := r.look()
	l.Kind, l.Answer = rollcall.SightingListed, r.answer()
	a := l.Answer
	a.Title, a.StartTime, a.MediaGiven, a.Listed, a.Partial = pick(r.choose, "T", "U"), r.now, true, true, false
	a.Status, a.Media = rollcall.StatusStarted, max(a.Media, 0)
	for i := range a.Entries {
		e := &a.Entries[i]
		e.Nick = pick(r.choose, "A", "A#1", "B")
		e.Attendance = rollcall.Attendance(1 + r.choose(6))
		e.Mic, e.Camera = rollcall.Device(1+r.choose(2)), rollcall.Device(1+r.choose(2))
	}
	return l
}

func withoutSessions(roster []rollcall.Participant) []rollcall.Participant {
	roster = slices.Clone(roster)
	for i := range roster {
		roster[i].Session = 0
	}
	return roster
}

// Every event has its own copy of the person: whoever changes one changes
// neither the record nor another event.
func TestEventsShareNoPerson(t *testing.T) {
	r := newRehearsal(func(int) int { return 0 })
	look := r.plainLook()
	look.Answer.Entries = []rollcall.Entry{
		{UserID: "u1", Nick: "A", Attendance: rollcall.AttendancePresent, Mic: rollcall.DeviceOpen},
	}
	res := Diff(nil, look, Rules{})
	events, record := slices.Clone(res.Events), cloneRecord(res.Record)
	joined, opened := events[1].Participant, *events[2].Participant
	joined.Nick = "changed"
	if *events[2].Participant != opened || !reflect.DeepEqual(record, res.Record) {
		t.Fatal("an event shares its person with another, or with the record")
	}
}

// Fold passes over what it cannot place.
func TestFoldIgnoresWhatItCannotPlace(t *testing.T) {
	roster := []rollcall.Participant{{Key: "u1", Attendance: rollcall.AttendancePresent}}
	stranger := &rollcall.Participant{Key: "u2"}
	got := Fold(roster, []rollcall.Event{
		{Type: rollcall.MeetingTitleChanged},
		{Type: rollcall.ParticipantLeft, Participant: stranger},
		{Type: rollcall.ParticipantMicOpened, Participant: stranger},
		{Type: "participant.raised_hand", Participant: &roster[0]},
	})
	if !slices.Equal(got, roster) {
		t.Fatalf("got %+v, want %+v", got, roster)
	}
}

// FuzzDiff makes histories of bytes, one decision each.
func FuzzDiff(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte("a meeting with people who come and go, and come again"))
	f.Add([]byte{3, 0, 0, 0, 0, 1, 1, 0, 7, 1, 0, 0, 8, 0, 0, 3, 2, 2, 0, 2, 0, 6, 1, 1, 0, 2, 0, 4, 1, 1, 1})
	f.Fuzz(func(t *testing.T, data []byte) {
		err := play(func(n int) int {
			if len(data) == 0 {
				return 0
			}
			b := int(data[0]) % n
			data = data[1:]
			return b
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}
