//go:build unix

package endtoend_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"testing"
	"time"
)

// simulated is `rollcall simulate` in a process of its own.
type simulated struct {
	t       testing.TB
	process *process
	url     string
	ids     []string
}

func startSimulator(t testing.TB, secret string, flags ...string) *simulated {
	t.Helper()
	args := append([]string{"simulate", "--listen", "127.0.0.1:0", "--app-secret", secret}, flags...)
	s := &simulated{t: t, process: launch(t, "the simulator", binary(t), nil, args...)}
	eventually(t, "the simulator listens", func() bool { return s.process.out.has("rollcall run") || !s.process.alive() })
	found := regexp.MustCompile(`listens on (\S+)[\s\S]*conferences: (\[.*\])`).FindStringSubmatch(s.process.out.String())
	if found == nil {
		t.Fatalf("start the simulator: %s%s", s.process.out, s.process.err)
	}
	s.url = found[1]
	if err := json.Unmarshal([]byte(found[2]), &s.ids); err != nil {
		t.Fatal(err)
	}
	return s
}

// act makes something happen, and demands that it does.
func (s *simulated) act(verb, id string, more map[string]any) {
	s.t.Helper()
	act := map[string]any{"act": verb, "conferenceId": id}
	for key, value := range more {
		act[key] = value
	}
	body, err := json.Marshal(act)
	if err != nil {
		s.t.Fatal(err)
	}
	response, err := http.Post(s.url+"/_sim/act", "application/json", bytes.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	defer response.Body.Close()
	if said, _ := io.ReadAll(response.Body); response.StatusCode != http.StatusOK {
		s.t.Fatalf("%s: %s", body, said)
	}
}

// simulatedMeeting is a meeting as the simulator itself lists it.
type simulatedMeeting struct {
	ConferenceID, Title, Status string
	StartTime                   *time.Time
	MediaStatus                 int64
	People                      []struct {
		UserID, Nick, Attendance, Mic, Camera, RejectDescription string
	}
}

// truth asks the simulator's own list, beside DingTalk's API, how a meeting stands.
func (s *simulated) truth(id string) state {
	s.t.Helper()
	response, err := http.Get(s.url + "/_sim/meetings")
	if err != nil {
		s.t.Fatal(err)
	}
	defer response.Body.Close()
	var all []simulatedMeeting
	if err := json.NewDecoder(response.Body).Decode(&all); err != nil {
		s.t.Fatal(err)
	}
	for _, m := range all {
		if m.ConferenceID == id {
			return m.state()
		}
	}
	s.t.Fatalf("the simulator has no meeting %q", id)
	return state{}
}

func (m simulatedMeeting) state() state {
	if m.Status == "ended" {
		return over()
	}
	code := func(word string, words ...string) int {
		for i, w := range words {
			if w == word {
				return i
			}
		}
		return 0
	}
	var people []listedPerson
	for _, p := range m.People {
		people = append(people, listedPerson{
			UserID: p.UserID, Nick: p.Nick, RejectDescription: p.RejectDescription,
			AttendStatus: code(p.Attendance, "", "invited", "joining", "present", "failed", "kicked_out", "left"),
			MicStatus:    code(p.Mic, "", "closed", "open"), CameraStatus: code(p.Camera, "", "closed", "open"),
		})
	}
	shown := state{Title: clip(m.Title), Status: m.Status, Media: m.MediaStatus, People: handles(merge(people))}
	if m.StartTime != nil {
		shown.Start = m.StartTime.UnixMilli()
	}
	return shown
}
