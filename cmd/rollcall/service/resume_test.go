package service_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/nats-io/nats.go"
	"go.uber.org/zap/zaptest"

	"rollcall"
	"rollcall/cmd/rollcall/service"
	"rollcall/simulator"
	"rollcall/wire"
)

// TestResumeCallsAgain uses the month's calls up, and has an operator buy more.
func TestResumeCallsAgain(t *testing.T) {
	sim, cfg := simulated(t)
	if err := sim.Arm(simulator.Fault{Name: "Forbidden.AccessDenied.ApiCountLimitForOrg", Operation: simulator.OpQuery, Times: 1}); err != nil {
		t.Fatal(err)
	}
	s, err := service.New(cfg, "0.0.1", zaptest.NewLogger(t))
	if err != nil {
		t.Fatal(err)
	}
	conn, err := nats.Connect(s.NATS())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	told := make(chan wire.Status, 1000)
	events := make(chan rollcall.Event, 1000)
	for subject, heard := range map[string]nats.MsgHandler{
		"meetings.status.acme": func(m *nats.Msg) {
			var status wire.Status
			if status.UnmarshalJSON(m.Data) == nil {
				told <- status
			}
		},
		"meetings.event.>": func(m *nats.Msg) {
			if e, err := wire.DecodeEvent(m.Data); err == nil {
				events <- e
			}
		},
	} {
		if _, err := conn.Subscribe(subject, heard); err != nil {
			t.Fatal(err)
		}
	}
	if err := conn.Flush(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()

	for range 3 { // passes, which ask nothing after the first
		if status := <-told; status.State != "quota" {
			t.Fatalf("the status is %+v", status)
		}
	}
	s.Resume()
	await(t, events, func(e rollcall.Event) bool { return e.Type == rollcall.MeetingStarted })
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("it stopped with %v", err)
	}
	http.DefaultClient.CloseIdleConnections()
}
