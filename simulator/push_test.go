package simulator

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// TestATicketIsGoodOnceAndFor90Seconds wants a connection refused that comes with
// no ticket, with a used one, or late.
func TestATicketIsGoodOnceAndFor90Seconds(t *testing.T) {
	now := epoch
	s := newStill(t, Config{Now: func() time.Time { return now }})
	server := httptest.NewServer(s.Handler())
	defer server.Close()
	ticket := func() string {
		body := `{"clientId":"` + DefaultAppKey + `","clientSecret":"` + DefaultAppSecret + `","subscriptions":[{"type":"EVENT","topic":"*"}]}`
		resp, err := http.Post(server.URL+"/v1.0/gateway/connections/open", "application/json", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		var got struct{ Endpoint, Ticket string }
		if err := json.NewDecoder(resp.Body).Decode(&got); err != nil || !strings.HasPrefix(got.Endpoint, "ws://127.0.0.1:") {
			t.Fatalf("%+v, %v", got, err)
		}
		return got.Ticket
	}
	status := func(ticket string) int {
		resp, err := http.Get(server.URL + connectPath + "?ticket=" + ticket)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		_, _ = io.Copy(io.Discard, resp.Body)
		return resp.StatusCode
	}
	good := ticket()
	for _, c := range []struct {
		ticket string
		want   int
	}{{"", 401}, {"made-up", 401}, {good, http.StatusUpgradeRequired}, {good, 401}} {
		if got := status(c.ticket); got != c.want {
			t.Errorf("the ticket %q is answered %d, want %d", c.ticket, got, c.want)
		}
	}
	late := ticket()
	now = now.Add(ticketLife + time.Second)
	if got := status(late); got != 401 {
		t.Errorf("a late ticket is answered %d", got)
	}
}

func TestTheGatewayWantsTheSecret(t *testing.T) {
	c := newCaller(t, newStill(t, Config{}))
	c.call("POST", "/v1.0/gateway/connections/open", map[string]any{
		"clientId": DefaultAppKey, "clientSecret": "wrong", "subscriptions": []map[string]string{{"type": "EVENT", "topic": "*"}},
	}).wants(t, 400, "invalidClientIdOrSecret")
}

// TestFaultsOfPushesAreTheirOwn: a fault of calls strikes no push, and the other
// way round.
func TestFaultsOfPushesAreTheirOwn(t *testing.T) {
	s := newStill(t, Config{})
	for _, f := range []Fault{{Name: FaultDrop}, {Name: FaultDouble, Operation: OpQuery}, {Name: FaultX5, Operation: OpPush}} {
		if s.Arm(f) == nil {
			t.Errorf("%+v is accepted", f)
		}
	}
	for _, f := range []Fault{{Name: FaultX5}, {Name: FaultDrop, Operation: OpPush}} {
		if err := s.Arm(f); err != nil {
			t.Error(err)
		}
	}
	if got := s.armed.strike(OpPush).Name; got != FaultDrop {
		t.Errorf("a push is struck by %q", got)
	}
	if got := s.armed.strike(OpQuery).Name; got != FaultX5 {
		t.Errorf("a call is struck by %q", got)
	}
}
