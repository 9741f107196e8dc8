package summary

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall"
)

func at(s int) time.Time {
	return time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC).Add(time.Duration(s) * time.Second)
}

// story folds events told in words: "joined u1 0..60".
func story(t *testing.T, words ...string) *Observed {
	t.Helper()
	o := &Observed{}
	for i, text := range words {
		var kind, key string
		var after, before int
		if _, err := fmt.Sscanf(strings.ReplaceAll(text, "..", " "), "%s %s %d %d", &kind, &key, &after, &before); err != nil {
			t.Fatal(err)
		}
		e := &rollcall.Event{
			Type: rollcall.Type("participant." + kind), Sequence: uint64(i + 1), Provenance: rollcall.ProvenanceObserved,
			Window: rollcall.Window{After: at(after), Before: at(before)}, Participant: &rollcall.Participant{Key: key, UserID: key, Nick: key},
		}
		switch name, anonymous := strings.CutPrefix(key, "anon:"); {
		case kind == "came" || kind == "went":
			e.Provenance = rollcall.ProvenanceInferred
			e.Type = map[string]rollcall.Type{"came": rollcall.ParticipantJoined, "went": rollcall.ParticipantLeft}[kind]
		case anonymous:
			e.Participant.UserID, e.Participant.Nick = "", strings.Split(name, "#")[0]
		case key == "-":
			e.Type, e.Participant = rollcall.MeetingEnded, nil
		}
		o.Apply(e)
	}
	return o
}

func over() *rollcall.Record {
	return &rollcall.Record{EndedAt: at(600), Meeting: rollcall.Conference{StartTime: at(0), EndTime: at(600), Status: rollcall.StatusEnded}}
}

func line(id string, joined, left int) rollcall.Member {
	return rollcall.Member{UserID: id, Nick: "Nick", Attendance: rollcall.AttendanceLeft, Joined: at(joined), Left: at(left)}
}

// visitsOf tells the visits of a summary in words.
func visitsOf(s *rollcall.Summary) (words []string) {
	seconds := func(m rollcall.Moment) string {
		if !m.At.IsZero() {
			return fmt.Sprint(m.At.Sub(at(0)).Seconds())
		}
		return fmt.Sprint(m.Window.After.Sub(at(0)).Seconds(), "..", m.Window.Before.Sub(at(0)).Seconds())
	}
	for _, p := range s.People {
		for _, v := range p.Visits {
			words = append(words, fmt.Sprintf("%s %s to %s %s %s", p.Key, seconds(v.Joined), seconds(v.Left), v.How, v.Provenance))
		}
	}
	return words
}

func TestVisits(t *testing.T) {
	kicked := line("u", 10, 130)
	kicked.Attendance = rollcall.AttendanceKickedOut
	several := line("u", 10, 290)
	several.Stayed = 200 * time.Second
	open := line("u", 10, 0)
	open.Left = time.Time{}
	nameless := func(joined, left int) rollcall.Member {
		m := line("", joined, left)
		m.Nick = "Tel"
		return m
	}
	for name, c := range map[string]struct {
		seen    *Observed
		members []rollcall.Member
		want    []string
	}{
		"exact times in place of windows": {
			story(t, "joined u 0..60", "left u 120..180"),
			[]rollcall.Member{line("u", 10, 130)},
			[]string{"u 10 to 130 left observed"},
		},
		"thrown out, as the list says": {
			story(t, "joined u 0..60", "left u 120..180"), []rollcall.Member{kicked}, []string{"u 10 to 130 kicked_out observed"},
		},
		"until the end": {
			story(t, "joined u 0..60", "ended - 540..600"), []rollcall.Member{line("u", 10, 600)}, []string{"u 10 to 600 meeting_ended observed"},
		},
		"gone just before the end": {
			story(t, "joined u 0..60", "ended - 540..600"), []rollcall.Member{line("u", 10, 599)}, []string{"u 10 to 599 left observed"},
		},
		"nobody says until when": {
			story(t, "joined u 0..60", "left u 120..180"), []rollcall.Member{open}, []string{"u 10 to 120..180 left observed"},
		},
		"never seen": {
			story(t), []rollcall.Member{line("u", 70, 75)}, []string{"u 70 to 75 left reconciled"},
		},
		"seen once of three times": {
			story(t, "joined u 0..60", "left u 60..120"),
			[]rollcall.Member{line("u", 5, 10), line("u", 30, 70), line("u", 80, 90)},
			[]string{"u 5 to 10 left reconciled", "u 30 to 70 left observed", "u 80 to 90 left reconciled"},
		},
		"out and back between two looks": {
			story(t, "joined u 0..60", "left u 180..240"),
			[]rollcall.Member{line("u", 10, 130), line("u", 140, 200)},
			[]string{"u 10 to 130 left observed", "u 140 to 200 left observed"},
		},
		"inferred": {
			story(t, "came u 60..120", "went u 60..120"), []rollcall.Member{line("u", 70, 75)}, []string{"u 70 to 75 left inferred"},
		},
		"two devices at once": {
			story(t, "joined u 0..60", "left u 120..180"),
			[]rollcall.Member{line("u", 10, 100), line("u", 50, 130)},
			[]string{"u 10 to 130 left observed"},
		},
		"not listed": {
			story(t, "joined u 0..60", "left u 120..180"), nil, []string{"u 0..60 to 120..180 left observed"},
		},
		"asked and never there": {
			story(t), []rollcall.Member{{UserID: "u"}}, nil,
		},
		"a line of several visits": {
			story(t, "joined u 0..60", "left u 120..180", "joined u 180..240", "left u 240..300"),
			[]rollcall.Member{several},
			[]string{"u 10 to 120..180 left observed", "u 180..240 to 290 left observed"},
		},
		"without an id": {
			story(t, "joined anon:Tel#1 0..60", "left anon:Tel#1 120..180"),
			[]rollcall.Member{nameless(10, 130), nameless(20, 25)},
			[]string{"anon:Tel#1 10 to 130 left observed", "anon:Tel#2 20 to 25 left reconciled"},
		},
		"the end of one whose going was not told": {
			story(t, "joined u 0..60"), nil, []string{"u 0..60 to 600 meeting_ended observed"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, visitsOf(Of(over(), c.seen, c.members, true))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// A start that was planned and not seen is none.
func TestAPlanIsNoStart(t *testing.T) {
	o := &Observed{}
	o.Apply(&rollcall.Event{Type: rollcall.MeetingInitialized})
	if s := Of(over(), o, nil, true); !s.StartedAt.At.IsZero() || s.Duration != 0 {
		t.Errorf("it began at %+v and took %v", s.StartedAt, s.Duration)
	}
	o.Apply(&rollcall.Event{Type: rollcall.MeetingStarted})
	if s := Of(over(), o, nil, true); !s.StartedAt.At.Equal(at(0)) || s.Duration != 600*time.Second {
		t.Errorf("it began at %+v and took %v", s.StartedAt, s.Duration)
	}
}

// A meeting of 500 people fits, each there several times and with the longest names;
// of a larger one people are left out, and counted.
func TestWhatFits(t *testing.T) {
	for people, cut := range map[int]bool{500: false, 5000: true} {
		var members []rollcall.Member
		for i := range people {
			for visit := range 4 {
				m := line(fmt.Sprintf("user-%06d", i), 100*visit+1, 100*visit+50)
				m.Nick = strings.Repeat("会", rollcall.MaxText/3)
				members = append(members, m)
			}
		}
		s := Of(over(), story(t), members, true)
		if s.Attended != people || s.Truncated+len(s.People) != people || s.Truncated > 0 != cut || s.Peak.Present != people {
			t.Errorf("of %d people %d are told and %d cut", s.Attended, len(s.People), s.Truncated)
		}
	}
}

// What is told of a device is no more than the time in which its owner was there.
func TestDevicesAreOpenNoLongerThanTheirOwnerIsThere(t *testing.T) {
	o := story(t, "joined u 0..60", "mic_opened u 60..120", "left u 180..240", "mic_opened v 0..60")
	p := Of(over(), o, []rollcall.Member{line("u", 50, 130), line("u", 300, 310)}, true).People[0]
	if want := (rollcall.Bounds{Min: time.Minute, Max: 90 * time.Second}); p.MicOpen != want {
		t.Errorf("the microphone was open for %+v, want %+v", p.MicOpen, want)
	}
	if want := (rollcall.Bounds{Max: 10 * time.Second}); p.CameraOpen != want {
		t.Errorf("the camera was open for %+v, want %+v", p.CameraOpen, want)
	}
}
