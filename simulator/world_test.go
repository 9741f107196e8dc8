package simulator

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"rollcall"
	"rollcall/internal/fulltest"
)

var epoch = time.Date(2026, 8, 3, 9, 0, 0, 0, time.UTC)

// still is a clock that stands.
func still() time.Time { return epoch }

func newStill(t testing.TB, cfg Config) *Simulator {
	t.Helper()
	if cfg.Now == nil {
		cfg.Now = still
	}
	s, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSameSeedSameFactsAndBytes(t *testing.T) {
	cfg := Config{Seed: 7, Meetings: 5, People: 10, Rate: 40, Lifetime: 20 * time.Second, Hostile: true}
	one, other := newStill(t, cfg), newStill(t, cfg)
	if diff := cmp.Diff(one.ConferenceIDs(), other.ConferenceIDs()); diff != "" {
		t.Fatal(diff)
	}
	one.StepTo(epoch.Add(time.Minute))
	for i := range 120 { // how often the world is asked changes nothing
		other.StepTo(epoch.Add(time.Duration(i+1) * time.Second / 2))
		_ = other.world.seats[0].entry()
	}
	if diff := cmp.Diff(one.Happened(), other.Happened()); diff != "" {
		t.Fatal(diff)
	}
	for i, m := range one.world.order {
		if !bytes.Equal(m.entry(), other.world.order[i].entry()) {
			t.Fatalf("bytes differ:\n%s\n%s", m.entry(), other.world.order[i].entry())
		}
	}
	cfg.Seed++
	if diff := cmp.Diff(one.ConferenceIDs(), newStill(t, cfg).ConferenceIDs()); diff == "" {
		t.Fatal("another seed gives the same ids")
	}
}

func TestConferenceIDsAreThoseOfTheWorld(t *testing.T) {
	s := newStill(t, Config{Seed: 3, Meetings: 6, Hostile: true})
	for _, id := range s.ConferenceIDs() {
		if s.world.byID[id] == nil {
			t.Errorf("no meeting %q", id)
		}
	}
	if n := len(s.world.byID); n != 6 {
		t.Errorf("%d meetings, want 6", n)
	}
}

func TestRateHolds(t *testing.T) {
	s := newStill(t, Config{Seed: 1, Meetings: 20, People: 20, Rate: 50})
	n := len(s.StepTo(epoch.Add(200 * time.Second)))
	if n < 9000 || n > 11000 {
		t.Errorf("%d facts in 200 s at 50 a second", n)
	}
}

// laws checks, fact by fact, that nothing happens that cannot.
type laws struct {
	lines map[string]Line
	state map[string]rollcall.Conference
	last  Fact
}

func newLaws() *laws {
	return &laws{lines: map[string]Line{}, state: map[string]rollcall.Conference{}}
}

func (l *laws) check(f Fact) error {
	if f.Number != l.last.Number+1 || f.At.Before(l.last.At) {
		return fmt.Errorf("fact %d at %v follows %d at %v", f.Number, f.At, l.last.Number, l.last.At)
	}
	l.last = f
	was, meeting := l.lines[l.key(f)], l.state[f.ConferenceID]
	l.state[f.ConferenceID] = f.Meeting
	if f.Line.Number == 0 {
		return lawOfMeeting(f, meeting)
	}
	l.lines[l.key(f)] = f.Line
	if meeting.Status == rollcall.StatusEnded {
		return fmt.Errorf("%s after the end", f.Type)
	}
	if f.Line.Attendance == rollcall.AttendancePresent && meeting.Status != rollcall.StatusStarted {
		return fmt.Errorf("%s in a meeting that is %s", f.Type, meeting.Status)
	}
	return lawOfLine(f.Type, was, f.Line)
}

func (l *laws) key(f Fact) string { return fmt.Sprintf("%s/%d", f.ConferenceID, f.Line.Number) }

func lawOfMeeting(f Fact, was rollcall.Conference) error {
	now, bit := f.Meeting, was.Media^f.Meeting.Media
	ok, known := map[rollcall.Type]bool{
		rollcall.MeetingInitialized:     was.Status == rollcall.StatusUnknown && now.Status == rollcall.StatusInitialized,
		rollcall.MeetingStarted:         was.Status != rollcall.StatusStarted && now.Status == rollcall.StatusStarted && !now.StartTime.IsZero(),
		rollcall.MeetingEnded:           was.Status != rollcall.StatusEnded && now.Status == rollcall.StatusEnded && now.Present == 0,
		rollcall.MeetingTitleChanged:    was.Title != now.Title,
		rollcall.MeetingMuteAllEnforced: bit == 4 && now.Media.Has(4),
		rollcall.MeetingMuteAllLifted:   bit == 4 && !now.Media.Has(4),
		rollcall.MeetingMicMuted:        bit == 1 && now.Media.Has(1),
		rollcall.MeetingMicUnmuted:      bit == 1 && !now.Media.Has(1),
		rollcall.MeetingCameraClosed:    bit == 2 && now.Media.Has(2),
		rollcall.MeetingCameraOpened:    bit == 2 && !now.Media.Has(2),
	}[f.Type]
	if !known {
		return fmt.Errorf("lawOfMeeting knows no %s: say there when it can happen", f.Type)
	}
	if !ok {
		return fmt.Errorf("%s from %+v to %+v", f.Type, was, now)
	}
	return nil
}

func lawOfLine(kind rollcall.Type, was, now Line) error {
	const present, open = rollcall.AttendancePresent, rollcall.DeviceOpen
	there := was.Attendance == present && now.Attendance == present
	asked := was.Attendance == rollcall.AttendanceInvited || was.Attendance == rollcall.AttendanceJoining
	quiet := was.Mic != open && was.Camera != open
	ok, known := map[rollcall.Type]bool{
		rollcall.ParticipantInvited:          was.Attendance != present && !asked && now.Attendance == rollcall.AttendanceInvited,
		rollcall.ParticipantJoining:          was.Attendance != present && now.Attendance == rollcall.AttendanceJoining,
		rollcall.ParticipantJoined:           was.Attendance != present && now.Attendance == present,
		rollcall.ParticipantLeft:             was.Attendance == present && quiet && now.Attendance == rollcall.AttendanceLeft,
		rollcall.ParticipantKickedOut:        was.Attendance == present && quiet && now.Attendance == rollcall.AttendanceKickedOut,
		rollcall.ParticipantDeclined:         asked && now.Attendance == rollcall.AttendanceFailed && now.RejectDescription != "",
		rollcall.ParticipantJoinFailed:       asked && now.Attendance == rollcall.AttendanceFailed && now.RejectDescription == "",
		rollcall.ParticipantInvitationLapsed: asked && now.Attendance == rollcall.AttendanceUnknown && !now.Listed,
		ParticipantDelisted:                  was.Attendance.Gone() && was.Listed && !now.Listed,
		rollcall.ParticipantRenamed:          was.Nick != now.Nick && was.UserID != "" && was.Attendance == now.Attendance,
		rollcall.ParticipantMicOpened:        there && was.Mic != open && now.Mic == open,
		rollcall.ParticipantMicClosed:        there && was.Mic == open && now.Mic != open,
		rollcall.ParticipantCameraOpened:     there && was.Camera != open && now.Camera == open,
		rollcall.ParticipantCameraClosed:     there && was.Camera == open && now.Camera != open,
	}[kind]
	if !known {
		return fmt.Errorf("lawOfLine knows no %s: say there when it can happen", kind)
	}
	if !ok || now.Attendance.InRoster() && !now.Listed {
		return fmt.Errorf("%s from %+v to %+v", kind, was, now)
	}
	return lawOfPresence(now)
}

// lawOfPresence: whoever is not there has nothing open.
func lawOfPresence(now Line) error {
	if now.Attendance == rollcall.AttendancePresent {
		return nil
	}
	for f, open := range reflect.ValueOf(fulltest.Entry()).Fields() {
		if reflect.ValueOf(now.Entry).FieldByIndex(f.Index).Equal(open) {
			return fmt.Errorf("%s is %v of somebody who is not there, %+v: move (deeds.go) has to reset it", f.Name, open, now)
		}
	}
	return nil
}

func TestNothingHappensThatCannot(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, err := New(Config{
			Seed: rapid.Uint64().Draw(t, "seed"), Meetings: rapid.IntRange(1, 6).Draw(t, "meetings"),
			People: rapid.IntRange(1, 20).Draw(t, "people"), Rate: 20, Now: still,
			Lifetime: time.Duration(rapid.IntRange(0, 20).Draw(t, "lifetime")) * time.Second,
			Gone:     rapid.SampledFrom([]Gone{GoneMixed, GoneListed, GoneDropped}).Draw(t, "gone"),
			Hostile:  rapid.Bool().Draw(t, "hostile"), Empty: rapid.Bool().Draw(t, "empty"),
		})
		if err != nil {
			t.Fatal(err)
		}
		s.StepFacts(400)
		l := newLaws()
		for _, f := range s.Happened() {
			if err := l.check(f); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// TestEverythingHappens guards the laws: a world in which nothing happens keeps them all.
func TestEverythingHappens(t *testing.T) {
	s := newStill(t, Config{Seed: 11, Meetings: 8, People: 16, Rate: 50, Lifetime: 5 * time.Minute, Hostile: true})
	s.StepTo(epoch.Add(5 * time.Minute))
	seen := map[rollcall.Type]bool{}
	var gone, dropped, anonymous, twice bool
	for _, f := range s.Happened() {
		seen[f.Type] = true
		departed := f.Type == rollcall.ParticipantLeft && f.Reason == rollcall.ReasonLeft
		gone = gone || departed && f.Line.Listed
		dropped = dropped || departed && !f.Line.Listed
		anonymous = anonymous || f.Line.Number > 0 && f.Line.UserID == ""
	}
	for _, m := range s.world.order {
		users := map[string]int{}
		for _, d := range m.lines {
			if users[d.UserID]++; d.UserID != "" && users[d.UserID] > 1 && d.wasThere {
				twice = true
			}
		}
	}
	if !gone || !dropped || !anonymous || !twice {
		t.Errorf("gone %v, dropped %v, anonymous %v, on two devices %v", gone, dropped, anonymous, twice)
	}
	for _, kind := range rollcall.Types() {
		never := []rollcall.Type{
			rollcall.MeetingUntracked, rollcall.MeetingSummarized, rollcall.MeetingStartTimeChanged, rollcall.ParticipantForgotten, rollcall.ParticipantRoleChanged,
		}
		if !seen[kind] && !slices.Contains(never, kind) {
			t.Errorf("%s never happens", kind)
		}
	}
	if !seen[ParticipantDelisted] {
		t.Error("nobody is ever delisted")
	}
}

func TestNewMeetingsTakeThePlaceOfThoseOver(t *testing.T) {
	s := newStill(t, Config{Seed: 2, Meetings: 4, Rate: 5, Lifetime: 10 * time.Second})
	s.StepTo(epoch.Add(time.Minute))
	over := 0
	for _, id := range s.ConferenceIDs() {
		if s.world.byID[id].over() {
			over++
		}
	}
	if going := len((&answers{world: s.world}).those(func(m *meeting) bool { return !m.over() })); over != 4 || going != 4 {
		t.Errorf("%d of the first meetings are over and %d go on, want 4 and 4", over, going)
	}
}

// TestTruthFollowsTheFacts holds the two ways to the truth against each other:
// the facts folded, and the bytes shown.
func TestTruthFollowsTheFacts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, err := New(Config{Seed: rapid.Uint64().Draw(t, "seed"), People: 12, Rate: 10, Hostile: true, Now: still, Keep: rapid.SampledFrom([]int{0, 50}).Draw(t, "keep")})
		if err != nil {
			t.Fatal(err)
		}
		for i := range 8 {
			s.StepTo(epoch.Add(time.Duration(i) * 5 * time.Second))
			for _, id := range s.ConferenceIDs() {
				shown, err := Shown{ConferenceID: id, JSON: s.world.byID[id].entry()}.Truth()
				told, err2 := s.Truth(id, s.Now())
				if err != nil || err2 != nil {
					t.Fatal(err, err2)
				}
				if diff := cmp.Diff(told, shown); diff != "" {
					t.Fatal(diff)
				}
			}
		}
	})
}

func TestTruthOfAnEarlierInstant(t *testing.T) {
	s := newStill(t, Config{Empty: true, Meetings: 1, Keep: 4})
	id := s.ConferenceIDs()[0]
	if _, err := s.Truth(id, epoch.Add(-1)); err == nil {
		t.Error("the truth of an instant before the world is told")
	}
	if _, err := s.Truth("nobody's", epoch); err == nil {
		t.Error("the truth of an unknown meeting is told")
	}
	for i := range 12 {
		s.StepTo(epoch.Add(time.Duration(i+1) * time.Second))
		if _, err := s.Act(Act{Verb: "join", ConferenceID: id, UserID: fmt.Sprint("u", i)}); err != nil {
			t.Fatal(err)
		}
	}
	told, err := s.Truth(id, epoch.Add(11*time.Second))
	if err != nil || len(told.Roster) != 11 || told.Meeting.Present != 11 {
		t.Errorf("%+v, %v: want 11 people", told, err)
	}
	if _, err := s.Truth(id, epoch.Add(2*time.Second)); err == nil {
		t.Error("the truth of forgotten facts is told")
	}
}

func TestRosterMergesByTheRules(t *testing.T) {
	const open, closed = rollcall.DeviceOpen, rollcall.DeviceClosed
	present, left := rollcall.AttendancePresent, rollcall.AttendanceLeft
	got := roster([]rollcall.Entry{
		{UserID: "u", Nick: "U", Attendance: left},
		{UserID: "u", Nick: "U", Attendance: present, Mic: closed},
		{UserID: "u", Nick: "U", Attendance: present, Mic: open},
		{UserID: "v", Nick: "V", Attendance: rollcall.AttendanceInvited, Mic: open},
		{UserID: "w", Nick: "W", Attendance: left},
		{UserID: "anon:Guest#1", Nick: "X", Attendance: present},
		{Nick: "Guest", Attendance: rollcall.AttendanceJoining},
		{Nick: "Guest", Attendance: present, Camera: open},
	})
	want := []rollcall.Participant{
		{Key: "anon:Guest#1", Nick: "Guest", Attendance: present, Mic: closed, Camera: open},
		{Key: "anon:Guest#2", Nick: "Guest", Attendance: rollcall.AttendanceJoining, Mic: closed, Camera: closed},
		{Key: "id:anon:Guest#1", UserID: "anon:Guest#1", Nick: "X", Attendance: present, Mic: closed, Camera: closed},
		{Key: "u", UserID: "u", Nick: "U", Attendance: present, Mic: open, Camera: closed},
		{Key: "v", UserID: "v", Nick: "V", Attendance: rollcall.AttendanceInvited, Mic: closed, Camera: closed},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestBrokenTextIsMendedBeforeItHappens(t *testing.T) {
	s := newStill(t, Config{Meetings: 1, Empty: true})
	id := s.ConferenceIDs()[0]
	if _, err := s.Act(Act{Verb: "join", ConferenceID: id, Nick: "a\xff\xfeb"}); err != nil {
		t.Fatal(err)
	}
	told, err := s.Truth(id, epoch)
	shown, err2 := Shown{JSON: s.world.byID[id].entry()}.Truth()
	if diff := cmp.Diff(told, shown); diff != "" || err != nil || err2 != nil {
		t.Error(diff, err, err2)
	}
}

func TestAnUnchangedMeetingKeepsItsBytes(t *testing.T) {
	s := newStill(t, Config{Meetings: 2})
	one, other := s.world.byID[s.ConferenceIDs()[0]], s.world.byID[s.ConferenceIDs()[1]]
	before, untouched := one.entry(), other.entry()
	if _, err := s.Act(Act{Verb: "join", ConferenceID: one.id, UserID: "new"}); err != nil {
		t.Fatal(err)
	}
	if bytes.Equal(before, one.entry()) {
		t.Error("a change does not show")
	}
	if &untouched[0] != &other.entry()[0] {
		t.Error("an unchanged meeting was rendered again")
	}
	if !json.Valid(one.entry()) {
		t.Errorf("no JSON: %s", one.entry())
	}
}

func TestKeepBoundsMemory(t *testing.T) {
	s := newStill(t, Config{Seed: 5, Meetings: 3, Rate: 50, Lifetime: 3 * time.Second, Keep: 20})
	for i := range 100 {
		s.StepTo(epoch.Add(time.Duration(i) * time.Second))
		s.serve.add(Served{Number: uint64(i + 1)})
	}
	facts, served := s.Happened(), s.Served()
	if len(facts) < 20 || len(facts) > 40 || len(served) < 20 || len(served) > 40 {
		t.Errorf("%d facts and %d answers are kept, want 20 to 40", len(facts), len(served))
	}
	if last := facts[len(facts)-1]; last.Number < 4000 || s.HappenedSince(last.Number - 1)[0].Number != last.Number {
		t.Errorf("the last fact has number %d", last.Number)
	}
	if over := len((&answers{world: s.world}).those((*meeting).over)); over > 40 || len(s.world.base) > len(s.world.order) || len(s.world.byID) != len(s.world.order) {
		t.Errorf("%d ended meetings, %d bases, %d meetings are kept", over, len(s.world.base), len(s.world.order))
	}
}

func TestImpossibleConfigIsRefused(t *testing.T) {
	for _, cfg := range []Config{
		{Rate: -1},
		{People: -1},
		{People: 251},
		{QPS: -1},
		{Lifetime: -1},
		{EndStyle: "maybe"},
		{Gone: "maybe"},
		{Keep: -1},
	} {
		if _, err := New(cfg); err == nil {
			t.Errorf("%+v is accepted", cfg)
		}
	}
}

func BenchmarkFacts(b *testing.B) {
	s := newStill(b, Config{Seed: 1, Meetings: 20, People: 20, Rate: 50, Keep: 1000})
	b.ReportAllocs()
	for b.Loop() {
		s.StepFacts(1)
	}
}
