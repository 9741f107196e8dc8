package main

import (
	"encoding/json"
	"fmt"
	"math/bits"
	"slices"
	"strings"
	"testing"
)

// TestRatesAreExact counts over one round, and over its end, how many people
// change with each poll of all meetings.
func TestRatesAreExact(t *testing.T) {
	for _, c := range []struct {
		people int
		rate   float64
	}{{20, 0}, {20, 1}, {20, 5}, {20, 10}, {20, 50}, {20, 100}, {10, 1}, {10, 10}, {64, 100}} {
		w := world{Meetings: 100, People: c.people}
		cycle, err := w.cycleOf(c.rate)
		if err != nil {
			t.Fatal(err)
		}
		for poll := 1; poll <= cycle.length(); poll++ {
			changed := 0
			for meeting := range w.Meetings {
				states := cycle.states(meeting)
				changed += bits.OnesCount64(states[poll-1] ^ states[poll%len(states)])
			}
			if want := float64(w.Meetings*w.People) * c.rate / 100; float64(changed) != want {
				t.Errorf("%v %% of %d people: %d change at poll %d, want %v", c.rate, c.people, changed, poll, want)
			}
		}
	}
	for _, rate := range []float64{-1, 3, 7, 12} {
		if c, err := (world{People: 20}).cycleOf(rate); err == nil {
			t.Errorf("%v %% of 20 people is possible: %+v", rate, c)
		}
	}
}

// TestAnswersAreDingTalks holds an answer against what a batch query says.
func TestAnswersAreDingTalks(t *testing.T) {
	s, err := render(world{Meetings: 3, People: 20}, []float64{100})
	if err != nil {
		t.Fatal(err)
	}
	s.begin(100)
	question := fmt.Appendf(nil, `{"conferenceIdList":[%q,%q]}`, id(2), id(0))
	for poll := range 4 {
		var a struct {
			Infos []struct {
				ConferenceID string
				UserList     []struct {
					UserID                                string
					AttendStatus, CameraStatus, MicStatus int
				}
			}
		}
		raw, err := s.answer(nil, question)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(raw, &a); err != nil {
			t.Fatal(err)
		}
		if len(a.Infos) != 2 || a.Infos[0].ConferenceID != id(2) || a.Infos[1].ConferenceID != id(0) || len(a.Infos[0].UserList) != 20 {
			t.Fatalf("the answer to %s is %s", question, raw)
		}
		if size := len(raw) / 2; size < 2500 || size > 2700 {
			t.Errorf("a meeting takes %d bytes", size)
		}
		mic, camera, gone := a.Infos[0].UserList[0], a.Infos[0].UserList[4], a.Infos[0].UserList[7]
		on := poll % 2
		if mic.MicStatus != 1+on || camera.CameraStatus != 1+on || gone.AttendStatus != 3+3*on || mic.AttendStatus != 3 {
			t.Errorf("poll %d says %+v, %+v, %+v", poll, mic, camera, gone)
		}
	}
	if _, err := s.answer(nil, []byte(id(3))); err == nil {
		t.Error("a meeting that does not exist is told of")
	}
}

// TestNothingChangesWhileHeld lets a phase end in the middle of a round.
func TestNothingChangesWhileHeld(t *testing.T) {
	s, err := render(world{Meetings: 1, People: 20}, []float64{10, 100})
	if err != nil {
		t.Fatal(err)
	}
	ask := func() string {
		raw, err := s.answer(nil, []byte(id(0)))
		if err != nil {
			t.Fatal(err)
		}
		return string(raw)
	}
	first := ask()
	s.begin(10)
	ask()
	second := ask()
	s.begin(hold)
	if again := ask(); again != second || again == first {
		t.Error("an answer changes while it is held")
	}
}

// played is a world of one meeting whose answers were told, and the events
// that must have come of it.
func played(t *testing.T) []story {
	t.Helper()
	stories, err := world{Meetings: 1, People: 10}.stories([]phase{
		{Rate: hold, Served: []int32{2}}, {Rate: 100, Served: []int32{2}}, {Rate: 10, Served: []int32{1}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return stories
}

func TestStoriesTellEventsInOrder(t *testing.T) {
	st := played(t)[0]
	var told []string
	for _, h := range st.expected {
		told = append(told, strings.TrimPrefix(h.Type, "rollcall.")+" "+h.Key)
	}
	var want []string
	say := func(event string, people ...int) {
		for _, person := range people {
			want = append(want, event+" "+userID(0, person))
		}
	}
	want = append(want, "meeting.started ")
	say("participant.joined", 0, 1, 2, 3, 4, 5, 6, 7, 8, 9)
	say("participant.left", 7, 8, 9)
	say("participant.mic_opened", 0, 1, 2, 3)
	say("participant.camera_opened", 4, 5, 6)
	// The next rate begins with the first state of its round: everything is as it was.
	say("participant.joined", 7, 8, 9)
	say("participant.mic_closed", 0, 1, 2, 3)
	say("participant.camera_closed", 4, 5, 6)
	if !slices.Equal(told, want) || st.state != 0 {
		t.Errorf("the story is %v and ends with %b, want %v", told, st.state, want)
	}
}

func TestJudgeRefuses(t *testing.T) {
	sequence := func(n int) string { return fmt.Sprintf("%012d", n) }
	for name, tell := range map[string]func(*story) error{
		"an event twice": func(s *story) error { return s.hear(s.expected[0], sequence(2)) },
		"an event less":  func(s *story) error { return s.hear(s.expected[2], sequence(2)) },
		"a hole":         func(s *story) error { return s.hear(s.expected[1], sequence(3)) },
		"a stranger":     func(s *story) error { return s.hear(happening{s.expected[1].Type, "x"}, sequence(2)) },
		"one too many": func(s *story) error {
			s.told = len(s.expected)
			return s.hear(s.expected[0], sequence(s.told+1))
		},
	} {
		st := &played(t)[0]
		if err := st.hear(st.expected[0], sequence(1)); err != nil {
			t.Fatal(err)
		}
		if tell(st) == nil {
			t.Errorf("%s is taken", name)
		}
	}
}

func TestJudgeRefusesRecords(t *testing.T) {
	w := world{Meetings: 1, People: 10}
	st := &story{told: 5, state: 1<<0 | 1<<4 | 1<<7}
	good := record{id(0), 5, w.roster(0, st.state)}
	if err := w.judgeRecord(&good, 0, st); err != nil || len(good.Roster) != 9 || good.Roster[0].Mic != "open" || good.Roster[4].Camera != "open" {
		t.Fatalf("%+v is refused: %v", good, err)
	}
	for name, bad := range map[string]record{
		"an older one":    {id(0), 4, good.Roster},
		"one less":        {id(0), 5, good.Roster[1:]},
		"another state":   {id(0), 5, w.roster(0, 1<<1|1<<4|1<<7)},
		"somebody's else": {id(0), 5, w.roster(1, st.state)},
	} {
		if w.judgeRecord(&bad, 0, st) == nil {
			t.Errorf("%s is taken", name)
		}
	}
}
