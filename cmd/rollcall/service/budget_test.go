package service_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap/zaptest"

	"rollcall"
	"rollcall/cmd/rollcall/service"
	"rollcall/poller/budget"
	"rollcall/store"
	"rollcall/wire"
)

// TestANumberOfCallsIsKept runs the whole service with a budget.
func TestANumberOfCallsIsKept(t *testing.T) {
	sim, cfg := simulated(t)
	cfg.Tenants[0].Poll.MonthlyCalls = 40_000_000 // a call in 67 ms: the schedule's second is slower
	s, err := service.New(cfg, "0.0.1", zaptest.NewLogger(t))
	if err != nil {
		t.Fatal(err)
	}
	conn, err := nats.Connect(s.NATS())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	got := make(chan rollcall.Event, 1000)
	if _, err := conn.Subscribe("meetings.event.>", func(m *nats.Msg) {
		if e, err := wire.DecodeEvent(m.Data); err == nil {
			got <- e
		}
	}); err != nil {
		t.Fatal(err)
	}
	if err := conn.Flush(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	for _, id := range sim.ConferenceIDs() {
		await(t, got, func(e rollcall.Event) bool { return e.Type == rollcall.MeetingStarted && e.ConferenceID == id })
	}
	body := page(t, "http://"+s.HTTP().String()+"/metrics")
	for _, want := range []string{"rollcall_budget_calls_left{", `rollcall_budget_calls{tenant="acme"} 4e+07`} {
		if !strings.Contains(body, want) {
			t.Errorf("the metrics do not show %q", want)
		}
	}
	js, err := jetstream.New(conn)
	if err != nil {
		t.Fatal(err)
	}
	// A reader sees the account, and cannot write it.
	ledger := store.Attach(js, s.Names())
	month := string(budget.MonthOf(time.Now()))
	data, revision, _, err := ledger.ReadBudget(t.Context(), "acme", month)
	if err != nil || !strings.Contains(string(data), `"granted"`) {
		t.Errorf("the account is %q, %v", data, err)
	}
	short, done := context.WithTimeout(t.Context(), time.Second)
	defer done()
	if _, err := ledger.WriteBudget(short, "acme", month, []byte("{}"), revision); err == nil {
		t.Error("a reader has written the account")
	}
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("it stopped with %v", err)
	}
}
