package simulator_test

import (
	"fmt"
	"io"
	"strings"
	"time"

	"rollcall/simulator"
)

// A scene is acted, DingTalk's API is asked for a token, and what happened is told.
func Example() {
	start := time.Date(2026, 8, 3, 9, 0, 0, 0, time.UTC)
	s, err := simulator.New(simulator.Config{Meetings: -1, Now: func() time.Time { return start }})
	if err != nil {
		fmt.Println(err)
		return
	}
	wire := simulator.NewWire(s.Handler())
	defer wire.Close()

	for second, act := range []simulator.Act{
		{Verb: "create", ConferenceID: "weekly", Title: "Weekly sync"},
		{Verb: "join", ConferenceID: "weekly", UserID: "u1", Nick: "Ann"},
		{Verb: "mic_on", ConferenceID: "weekly", UserID: "u1"},
		{Verb: "kick", ConferenceID: "weekly", UserID: "u1"},
	} {
		s.StepTo(start.Add(time.Duration(second) * time.Second))
		if _, err := s.Act(act); err != nil {
			fmt.Println(err)
		}
	}
	for _, fact := range s.Happened() {
		fmt.Printf("%s %q %s\n", fact.At.Format(time.TimeOnly), fact.Line.Nick, fact.Type)
	}

	resp, err := wire.Client().Post("http://api.dingtalk.test/v1.0/oauth2/accessToken", "application/json",
		strings.NewReader(`{"appKey":"dingsimulator","appSecret":"wrong"}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer resp.Body.Close()
	answer, _ := io.ReadAll(resp.Body)
	fmt.Println(resp.StatusCode, strings.Contains(string(answer), "invalidClientIdOrSecret"))
	// Output:
	// 09:00:00 "" meeting.initialized
	// 09:00:01 "" meeting.started
	// 09:00:01 "Ann" participant.joined
	// 09:00:02 "Ann" participant.mic_opened
	// 09:00:03 "Ann" participant.mic_closed
	// 09:00:03 "Ann" participant.kicked_out
	// 400 true
}
