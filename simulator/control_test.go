package simulator

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"rollcall"
	"rollcall/internal/fulltest"
)

func TestEveryVerbMakesItsFacts(t *testing.T) {
	s := newStill(t, Config{Meetings: 1, Empty: true})
	c := &caller{t: t, handler: s.Handler()}
	const id = "my-meeting"
	seen := map[string]bool{}
	for _, step := range []struct {
		act   string
		facts string
	}{
		{`{"act":"create","title":"Mine"`, "meeting.initialized"},
		{`{"act":"rename","title":"Yours"`, "meeting.title_changed"},
		{`{"act":"reschedule","startTime":"2026-08-03T10:00:00+08:00"`, "meeting.start_time_changed"},
		{`{"act":"start"`, "meeting.started"},
		{`{"act":"invite","userId":"a","nick":"A"`, "participant.invited"},
		{`{"act":"withdraw","userId":"a"`, "participant.invitation_lapsed"},
		{`{"act":"call","userId":"a"`, "participant.joining"},
		{`{"act":"fail","userId":"a"`, "participant.join_failed"},
		{`{"act":"delist","userId":"a"`, "participant.delisted"},
		{`{"act":"invite","userId":"a"`, "participant.invited"},
		{`{"act":"decline","userId":"a","rejectDescription":"no"`, "participant.declined"},
		{`{"act":"join","userId":"a"`, "participant.joined"},
		{`{"act":"join","userId":"a","device":2`, "participant.joined"},
		{`{"act":"host","userId":"a"`, "participant.role_changed"},
		{`{"act":"mic_on","userId":"a"`, "participant.mic_opened"},
		{`{"act":"mic_off","userId":"a"`, "participant.mic_closed"},
		{`{"act":"camera_on","userId":"a"`, "participant.camera_opened"},
		{`{"act":"camera_off","userId":"a"`, "participant.camera_closed"},
		{`{"act":"rename_user","userId":"a","nick":"B"`, "participant.renamed participant.renamed"},
		{`{"act":"mic_on","userId":"a"`, "participant.mic_opened"},
		{`{"act":"mic_on","userId":"a"`, "participant.mic_opened"},
		{`{"act":"mute_all"`, "meeting.mute_all_enforced participant.mic_closed participant.mic_closed"},
		{`{"act":"unmute_all"`, "meeting.mute_all_lifted"},
		{`{"act":"camera_on","userId":"a","device":2`, "participant.camera_opened"},
		{`{"act":"close_cameras"`, "meeting.camera_closed participant.camera_closed"},
		{`{"act":"reopen_cameras"`, "meeting.camera_opened"},
		{`{"act":"mute_mics"`, "meeting.mic_muted"},
		{`{"act":"unmute_mics"`, "meeting.mic_unmuted"},
		{`{"act":"mic_on","userId":"a"`, "participant.mic_opened"},
		{`{"act":"leave","userId":"a","drop":true`, "participant.mic_closed participant.left"},
		{`{"act":"kick","userId":"a"`, "participant.kicked_out"},
		{`{"act":"join","nick":"Guest"`, "participant.joined"},
		{`{"act":"call","nick":"Guest","device":2`, "participant.joining"},
		{`{"act":"end","endStyle":"omitted"`, "participant.left participant.invitation_lapsed meeting.ended"},
		{`{"act":"start"`, "meeting.started"},
	} {
		got := c.call("POST", "/_sim/act", step.act+`,"conferenceId":"`+id+`"}`)
		var answer actAnswer
		if err := json.Unmarshal(got.raw, &answer); err != nil || got.status != 200 {
			t.Fatalf("%s: %d %s", step.act, got.status, got.raw)
		}
		var kinds []string
		for _, f := range answer.Facts {
			kinds = append(kinds, string(f.Type))
		}
		if strings.Join(kinds, " ") != step.facts {
			t.Errorf("%s makes %v, want %s", step.act, kinds, step.facts)
		}
		var act Act
		_ = json.Unmarshal([]byte(step.act+"}"), &act)
		seen[act.Verb] = true
	}
	for name := range verbTable() {
		if !seen[name] {
			t.Errorf("%s is not tried", name)
		}
	}
	facts := s.Happened()
	if last := facts[len(facts)-1]; last.Reason != rollcall.ReasonReopened {
		t.Errorf("a meeting that starts again has reason %q", last.Reason)
	}
}

func TestEveryFieldOfAnEntryIsViewed(t *testing.T) {
	full := Fact{Line: Line{Number: 1, Listed: true, Entry: fulltest.Entry()}}
	for f := range reflect.TypeFor[rollcall.Entry]().Fields() {
		without := full
		reflect.ValueOf(&without.Line.Entry).Elem().FieldByIndex(f.Index).SetZero()
		if *viewFact(full).Person == *viewFact(without).Person {
			t.Errorf("/_sim/ does not show %s: viewFact (view.go) has to, and PERSON (doc.go) to name it", f.Name)
		}
	}
}

func TestImpossibleActsAreRefused(t *testing.T) {
	s, id := staged(t, Config{})
	if _, err := s.Act(Act{Verb: "end", ConferenceID: s.ConferenceIDs()[1]}); err != nil {
		t.Fatal(err)
	}
	c := &caller{t: t, handler: s.Handler()}
	before := len(s.Happened())
	over := s.ConferenceIDs()[1]
	for _, bad := range []struct {
		status int
		act    string
		names  string
	}{
		{400, ``, "JSON object"},
		{400, `[]`, "JSON object"},
		{400, `{"act":"join"} {}`, "follows"},
		{400, `{"act":"dance"}`, "mic_on"},
		{400, `{"act":"join","userID2":"x"}`, "rejectDescription"},
		{400, `{"act":"join","userId":"x"}`, "conferenceId is missing"},
		{400, `{"act":"join","conferenceId":"` + id + `"}`, "userId and nick are missing"},
		{400, `{"act":"rename","conferenceId":"` + id + `"}`, "title is missing"},
		{400, `{"act":"reschedule","conferenceId":"` + id + `"}`, "startTime is missing"},
		{409, `{"act":"reschedule","startTime":"2026-08-03T10:00:00Z","conferenceId":"` + id + `"}`, "started already"},
		{400, `{"act":"rename_user","conferenceId":"` + id + `","userId":"u1"}`, "both are needed"},
		{400, `{"act":"end","conferenceId":"` + id + `","endStyle":"x"}`, "resource_closed"},
		{400, `{"act":"join","conferenceId":"` + id + `","userId":"u","device":-1}`, "device is -1"},
		{400, `{"act":"create","people":9999}`, "people is 9999"},
		{400, `{"act":"create","conferenceId":"` + strings.Repeat("x", 257) + `"}`, "longer"},
		{409, `{"act":"join","conferenceId":"no","userId":"u"}`, "no meeting has that id"},
		{409, `{"act":"create","conferenceId":"` + id + `"}`, "already"},
		{409, `{"act":"rename","conferenceId":"` + id + `","title":"Weekly"}`, "already"},
		{409, `{"act":"start","conferenceId":"` + id + `"}`, "already"},
		{409, `{"act":"end","conferenceId":"` + over + `"}`, "already"},
		{409, `{"act":"join","conferenceId":"` + over + `","userId":"u"}`, "over"},
		{409, `{"act":"mute_all","conferenceId":"` + over + `"}`, "over"},
		{409, `{"act":"unmute_all","conferenceId":"` + id + `"}`, "already"},
		{409, `{"act":"leave","conferenceId":"` + id + `","userId":"x"}`, "nobody of that name"},
		{409, `{"act":"leave","conferenceId":"` + id + `","userId":"u2"}`, "device 1 is failed"},
		{409, `{"act":"leave","conferenceId":"` + id + `","userId":"u1","device":2}`, "device 2"},
		{409, `{"act":"join","conferenceId":"` + id + `","userId":"u1","device":3}`, "device 3"},
		{409, `{"act":"mic_on","conferenceId":"` + id + `","userId":"u1"}`, "microphone open"},
		{409, `{"act":"mic_off","conferenceId":"` + id + `","userId":"u2"}`, "failed"},
		{409, `{"act":"rename_user","conferenceId":"` + id + `","userId":"u1","nick":"Ann"}`, "another nick"},
	} {
		got := c.call("POST", "/_sim/act", bad.act)
		if message, _ := got.body["error"].(string); got.status != bad.status || !strings.Contains(message, bad.names) {
			t.Errorf("%s: %d %s, want %d and %q", bad.act, got.status, got.raw, bad.status, bad.names)
		}
	}
	if after := len(s.Happened()); after != before {
		t.Errorf("refused acts made %d facts", after-before)
	}
}

func TestAMeetingIsFullAtFiveHundred(t *testing.T) {
	s, id := staged(t, Config{})
	for n := 3; n < maxListed; n++ {
		if _, err := s.Act(Act{Verb: "join", ConferenceID: id, UserID: fmt.Sprint("x", n)}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Act(Act{Verb: "join", ConferenceID: id, UserID: "one more"}); err == nil {
		t.Error("the 501st is let in")
	}
}

func TestCreatedMeetingsComeAlive(t *testing.T) {
	s := newStill(t, Config{Meetings: -1, Rate: 10})
	if facts := s.StepFacts(3); len(facts) != 0 {
		t.Errorf("%d facts without a meeting", len(facts))
	}
	s.StepTo(epoch.Add(time.Hour))
	if _, err := s.Act(Act{Verb: "create", ConferenceID: "new", People: 5}); err != nil {
		t.Fatal(err)
	}
	if n := len(s.StepTo(epoch.Add(time.Hour + 10*time.Second))); n < 50 || n > 200 {
		t.Errorf("%d facts in 10 s, want about 100", n)
	}
}

func readLines(t *testing.T, raw []byte) []map[string]any {
	t.Helper()
	var found []map[string]any
	scanner := bufio.NewScanner(bytes.NewReader(raw))
	for scanner.Scan() {
		var line map[string]any
		if err := json.Unmarshal(scanner.Bytes(), &line); err != nil {
			t.Fatal(err)
		}
		found = append(found, line)
	}
	return found
}

func TestControlTellsTheWorld(t *testing.T) {
	s, id := staged(t, Config{})
	c := newCaller(t, s)
	c.query(id)
	facts := readLines(t, c.call("GET", "/_sim/facts", nil).raw)
	if len(facts) != len(s.Happened()) || facts[3]["type"] != "participant.invited" || facts[3]["person"].(map[string]any)["userId"] != "u1" {
		t.Errorf("facts are %v", facts)
	}
	if later := readLines(t, c.call("GET", "/_sim/facts?since=10", nil).raw); len(later) != len(facts)-10 || later[0]["number"] != 11.0 {
		t.Errorf("facts after 10 are %v", later)
	}
	served := readLines(t, c.call("GET", "/_sim/served?since=1", nil).raw)
	if len(served) != 1 || served[0]["operation"] != "query" || first(served[0]["shown"]).(map[string]any)["conferenceId"] != id {
		t.Errorf("served is %v", served)
	}
	var meetings []map[string]any
	if err := json.Unmarshal(c.call("GET", "/_sim/meetings", nil).raw, &meetings); err != nil || len(meetings) != 2 {
		t.Fatal(meetings, err)
	}
	if m := meetings[0]; m["conferenceId"] != id || m["title"] != "Weekly" || m["status"] != "started" || len(m["people"].([]any)) != 3 {
		t.Errorf("the meeting is %v", m)
	}
	for path, status := range map[string]int{"/_sim/facts?since=x": 400, "/_sim/served?since=-1": 400, "/_sim/none": 404, "/_sim/act": 404} {
		if got := c.call("GET", path, nil); got.status != status || got.body["error"] == nil {
			t.Errorf("%s: %d %s", path, got.status, got.raw)
		}
	}
	help := c.call("GET", "/_sim/", nil).body
	if len(help["acts"].([]any)) != len(verbTable()) || len(help["faults"].([]any)) != len(FaultNames()) {
		t.Errorf("help is %v", help)
	}
}

func TestControlArmsFaultsAndRevokes(t *testing.T) {
	s, id := staged(t, Config{})
	c := newCaller(t, s)
	got := c.call("POST", "/_sim/fault", `{"fault":"waterLimitError","operation":"query","times":2,"for":"10s","retryAfter":"1m","capitals":true}`)
	want := Fault{Name: "waterLimitError", Operation: OpQuery, Times: 2, For: 10 * time.Second, RetryAfter: time.Minute, Capitals: true}
	if armed := s.Armed(); got.status != 200 || len(armed) != 1 || armed[0] != want {
		t.Fatalf("%d %s: %+v", got.status, got.raw, armed)
	}
	if c.query(id).body["Code"] != "waterLimitError" {
		t.Error("the fault does not strike")
	}
	if left := first(c.call("GET", "/_sim/fault", nil).body["faults"]).(map[string]any); left["times"] != 1.0 || left["for"] != "10s" {
		t.Errorf("left is %v", left)
	}
	c.call("DELETE", "/_sim/fault", nil)
	if got := c.query(id); got.status != 200 {
		t.Errorf("a cleared fault strikes: %s", got.raw)
	}
	for body, names := range map[string]string{
		`{"fault":"nonsense"}`:              "waterLimitError",
		`{"fault":"html","for":"10"}`:       "number with a unit",
		`{"fault":"html","operation":"x"}`:  "members",
		`{"fault":"html","probabilty":1}`:   "probability",
		`{"fault":"html","probability":2}`:  "0 to 1",
		`{"fault":"html","status":1000}`:    "200 to 599",
		`{"fault":"html","times":-1}`:       "negative",
		strings.Repeat(" ", maxBody) + `{}`: "at most",
	} {
		got := c.call("POST", "/_sim/fault", body)
		if message, _ := got.body["error"].(string); got.status != 400 || !strings.Contains(message, names) {
			t.Errorf("%.60s: %d %s", body, got.status, got.raw)
		}
	}
	c.call("POST", "/_sim/revoke", nil)
	c.query(id).wants(t, 400, "InvalidAuthentication")
}

func TestManyAtOnce(t *testing.T) {
	s := newStill(t, Config{Seed: 8, Meetings: 6, Rate: 100, Keep: 50, ShuffleInfos: true, Lifetime: time.Second})
	c := newCaller(t, s)
	ids := s.ConferenceIDs()
	var everybody sync.WaitGroup
	for worker := range 4 {
		everybody.Go(func() {
			for i := range 50 {
				s.StepTo(epoch.Add(time.Duration(i) * 100 * time.Millisecond))
				c.query(ids...)
				c.call("GET", "/_sim/facts?since=10", nil)
				c.call("GET", "/_sim/meetings", nil)
				c.call("POST", "/_sim/act", fmt.Sprintf(`{"act":"join","conferenceId":%q,"userId":"w%d-%d"}`, ids[i%6], worker, i))
				_ = s.Arm(Fault{Name: "systemError", Times: 1, Operation: OpUser})
				c.call("GET", "/v1.0/conference/users/lists?unionId=w0-1", nil)
			}
		})
	}
	everybody.Wait()
	l := newLaws()
	facts := s.Happened()
	l.last = Fact{Number: facts[0].Number - 1}
	for _, f := range facts {
		if f.Number != l.last.Number+1 || f.At.Before(l.last.At) {
			t.Fatalf("fact %d follows %d", f.Number, l.last.Number)
		}
		l.last = f
	}
}

// FuzzControl throws bytes at what reads bodies. Whatever comes, the answer is
// JSON with an expected status, and the world keeps its laws.
func FuzzControl(f *testing.F) {
	f.Add("/_sim/act", `{"act":"join","conferenceId":"m","userId":"a"}`)
	f.Add("/_sim/act", `{"act":"create","conferenceId":"\u0000","title":"\ud800","people":3}`)
	f.Add("/_sim/fault", `{"fault":"waterLimitError","times":1,"probability":0.5}`)
	f.Add(query, `{"conferenceIdList":["m","m","\u202e"]}`)
	f.Add("/v1.0/oauth2/accessToken", `{"appKey":1}`)
	f.Fuzz(func(t *testing.T, path, body string) {
		if !slices.Contains([]string{"/_sim/act", "/_sim/fault", query, "/v1.0/oauth2/accessToken", "/v1.0/oauth2/corpAccessToken"}, path) {
			t.Skip()
		}
		s := newStill(t, Config{Meetings: 1, People: 4, Rate: 10})
		if _, err := s.Act(Act{Verb: "create", ConferenceID: "m"}); err != nil {
			t.Fatal(err)
		}
		c := newCaller(t, s)
		got := c.call("POST", path, body)
		if !json.Valid(got.raw) || !slices.Contains([]int{200, 400, 409}, got.status) {
			t.Fatalf("%s %q: %d %s", path, body, got.status, got.raw)
		}
		s.Disarm()
		s.StepFacts(50)
		l := newLaws()
		for _, fact := range s.Happened() {
			if err := l.check(fact); err != nil {
				t.Fatal(err)
			}
		}
		if got := c.query("m", s.ConferenceIDs()[0]); got.status != 200 || !json.Valid(got.raw) {
			t.Fatalf("%d %s", got.status, got.raw)
		}
	})
}
