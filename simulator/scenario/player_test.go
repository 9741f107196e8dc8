package scenario_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"rollcall/simulator"
	"rollcall/simulator/scenario"
)

// stage is a player whose questions a test asks itself.
type stage struct {
	*scenario.Player
	t       *testing.T
	handler http.Handler
	token   string
	told    []string
	played  chan error
	stop    context.CancelFunc
}

func staged(t *testing.T, file string, speed float64, patience time.Duration) *stage {
	t.Helper()
	s, err := scenario.Load([]byte(file))
	if err != nil {
		t.Fatal(err)
	}
	st := &stage{t: t, played: make(chan error, 1)}
	if st.Player, err = scenario.NewPlayer(s, speed, simulator.Config{}); err != nil {
		t.Fatal(err)
	}
	st.Patience = patience
	st.Tell = func(line string) { st.told = append(st.told, line) }
	st.handler = st.Handler()
	token := st.call("POST", "/v1.0/oauth2/accessToken", map[string]string{"appKey": simulator.DefaultAppKey, "appSecret": simulator.DefaultAppSecret})
	st.token, _ = token["accessToken"].(string)
	ctx, cancel := context.WithCancel(t.Context())
	st.stop = cancel
	go func() { st.played <- st.Run(ctx) }()
	return st
}

func (st *stage) call(method, path string, body any) map[string]any {
	st.t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		st.t.Fatal(err)
	}
	r := httptest.NewRequestWithContext(st.t.Context(), method, path, strings.NewReader(string(text)))
	r.Header.Set("x-acs-dingtalk-access-token", st.token)
	w := httptest.NewRecorder()
	st.handler.ServeHTTP(w, r)
	var answer map[string]any
	_ = json.Unmarshal(w.Body.Bytes(), &answer) // what is no JSON has no fields
	return answer
}

func (st *stage) query(ids ...string) {
	st.t.Helper()
	st.call("POST", "/v1.0/conference/videoConferences/query", map[string]any{"conferenceIdList": ids})
}

// after lets time pass, and tells the state then.
func (st *stage) after(d time.Duration) scenario.State {
	time.Sleep(d)
	synctest.Wait()
	return st.Progress().State
}

func (st *stage) wants(state scenario.State, d time.Duration) {
	st.t.Helper()
	if got := st.after(d); got != state {
		st.t.Errorf("it is %s, want %s", got, state)
	}
}

const brief = `name: brief
meetings: [{conferenceId: a, people: [ann]}, {conferenceId: b, people: [ben]}]
steps:
  - {at: 20s, act: mic_on, conferenceId: a, userId: ann}
  - {at: 40s, act: end, conferenceId: b, endStyle: omitted}
expect:
  a: [meeting.started]
`

func TestTheClockStartsOnceEveryMeetingWasAskedAbout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := staged(t, brief, 10, 0)
		st.wants(scenario.Waiting, time.Minute)
		st.query("a")
		st.wants(scenario.Waiting, time.Minute)
		st.query("b")
		st.wants(scenario.Playing, time.Second)
		if n := len(st.World().Happened()); n != 6 {
			t.Errorf("%d facts before the first step, want the 6 of the beginning", n)
		}
		st.wants(scenario.Playing, 1500*time.Millisecond)
		if n := len(st.World().Happened()); n != 7 {
			t.Errorf("%d facts after the first step, want 7", n)
		}
		st.wants(scenario.Over, 1500*time.Millisecond+time.Minute)
		st.call("GET", "/v1.0/conference/videoConferences/a", nil)
		st.call("GET", "/v1.0/conference/videoConferences/b", nil)
		st.wants(scenario.Over, time.Minute) // a look at a by itself does not show its people
		st.stop()
		<-st.played
		st = staged(t, brief, 10, 0)
		st.query("a", "b")
		st.wants(scenario.Over, time.Minute)
		st.query("a", "b")
		st.wants(scenario.Over, time.Minute) // b was left out of the answer: that is not to see its end
		st.call("GET", "/v1.0/conference/videoConferences/b", nil)
		if err := <-st.played; err != nil {
			t.Error(err)
		}
		st.wants(scenario.Done, 0)
		want := []string{
			"waiting until Rollcall asks about a, b", "brief begins, at speed 10",
			"   20s  a: mic_on ann", "   40s  b: end",
			"everything has happened; waiting until Rollcall has seen it", "done: everything was seen",
		}
		if !slices.Equal(st.told, want) {
			t.Errorf("told\n%s\nwant\n%s", strings.Join(st.told, "\n"), strings.Join(want, "\n"))
		}
	})
}

func TestFaultsComeBeforeTheActsOfTheirInstant(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fault := "\n  - {at: 20s, fault: reset, times: 1}"
		st := staged(t, strings.Replace(brief, "userId: ann}", "userId: ann}"+fault, 1), 1, 0)
		st.query("a", "b")
		st.wants(scenario.Playing, 30*time.Second)
		if len(st.told) < 4 || !strings.Contains(st.told[2], "reset befalls every call 1 times") || !strings.Contains(st.told[3], "mic_on") {
			t.Errorf("told\n%s", strings.Join(st.told, "\n"))
		}
		st.stop()
		<-st.played
	})
}

func TestPatienceEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := staged(t, brief, 10, time.Minute)
		st.query("a")
		if err := <-st.played; err == nil || !strings.Contains(err.Error(), "for 1m0s nobody asked about b: is Rollcall running") {
			t.Errorf("nobody asks about b, and it ends with %v", err)
		}
		st = staged(t, brief, 10, time.Minute)
		st.query("a", "b")
		st.wants(scenario.Playing, 2*time.Second) // longer than patience would be at this speed
		if err := <-st.played; err == nil || !strings.Contains(err.Error(), "see the end of scenario brief: for 1m0s nobody asked about a, b") {
			t.Errorf("nobody asks at the end, and it ends with %v", err)
		}
	})
}

func TestAPlayerCanBeStoppedAtAnyTime(t *testing.T) {
	for _, at := range []time.Duration{0, time.Second, 3 * time.Second, time.Minute} {
		synctest.Test(t, func(t *testing.T) {
			st := staged(t, brief, 10, 0)
			if at > 0 {
				st.query("a", "b")
			}
			st.after(at)
			st.stop()
			if err := <-st.played; !errors.Is(err, context.Canceled) {
				t.Errorf("stopped at %s it ends with %v", at, err)
			}
		})
	}
}

func TestWhoMeddlesIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := staged(t, brief, 1, 0)
		st.query("a", "b")
		st.wants(scenario.Playing, time.Second)
		st.call("POST", "/_sim/act", map[string]string{"act": "leave", "conferenceId": "a", "userId": "ann"})
		if err := <-st.played; err == nil || !strings.Contains(err.Error(), "did somebody else act") {
			t.Errorf("ann has left before she speaks, and it ends with %v", err)
		}
	})
}

func TestFaultsLastAsLongAsTheSpeedSays(t *testing.T) {
	const file = `name: faults
meetings: [{conferenceId: a}]
steps:
  - {at: 20s, fault: systemError, operation: query, for: 100s, delay: 10s, retryAfter: 20s}
`
	synctest.Test(t, func(t *testing.T) {
		st := staged(t, file, 10, 0)
		st.query("a")
		st.wants(scenario.Playing, 2*time.Second+time.Millisecond)
		armed := st.World().Armed()
		if len(armed) != 1 || armed[0].For != 10*time.Second || armed[0].Delay != time.Second || armed[0].RetryAfter != 2*time.Second {
			t.Errorf("armed is %+v", armed)
		}
		st.wants(scenario.Over, 10*time.Second)
		if armed := st.World().Armed(); len(armed) != 0 {
			t.Errorf("after its time the fault is armed still: %+v", armed)
		}
		st.query("a")
		if err := <-st.played; err != nil {
			t.Error(err)
		}
	})
}

func TestProgressCanBeAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := staged(t, brief, 10, 0)
		st.query("a", "b")
		st.wants(scenario.Playing, 3*time.Second)
		got := st.call("GET", "/_sim/scenario", nil)
		expect, _ := got["expect"].(map[string]any)
		if got["name"] != "brief" || got["state"] != "playing" || got["at"] != "20s" || got["length"] != "40s" || expect["a"].([]any)[0] != "meeting.started" {
			t.Errorf("/_sim/scenario answers %v", got)
		}
		st.stop()
		<-st.played
	})
}

func TestImpossibleSpeedsAreRefused(t *testing.T) {
	s, err := scenario.Load([]byte(brief))
	if err != nil {
		t.Fatal(err)
	}
	for _, speed := range []float64{0, -1, 1e9} {
		if _, err := scenario.NewPlayer(s, speed, simulator.Config{}); err == nil {
			t.Errorf("speed %g was accepted", speed)
		}
	}
}
