package control_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"rollcall/cmd/rollcall/control"
	"rollcall/internal/natstest"
)

// everyRequest is each subject on which a worker hears requests.
func everyRequest(t *testing.T, conn *nats.Conn) []string {
	t.Helper()
	all := []string{}
	for _, verb := range []string{"track", "untrack", "show", "list"} {
		all = append(all, names().API("acme", verb), names().Shard("acme", verb))
	}
	all = append(all, names().Shard("acme", "found"))
	var ping micro.Ping
	m, err := conn.Request("$SRV.PING.rollcall", nil, time.Minute)
	if err != nil || json.Unmarshal(m.Data, &ping) != nil {
		t.Fatal(err)
	}
	for _, verb := range []string{"PING", "INFO", "STATS"} {
		all = append(all, "$SRV."+verb, "$SRV."+verb+".rollcall", "$SRV."+verb+".rollcall."+ping.ID)
	}
	return all
}

// TestAnswersGoToInboxesAlone asks everything that can be asked, and wants the
// answer where the worker may write and its askers may not.
func TestAnswersGoToInboxesAlone(t *testing.T) {
	s, f := natstest.Start(t), newFake()
	core, logs := observer.New(zap.WarnLevel)
	conn := s.Connect(t, nats.CustomInboxPrefix("_INBOX_acme"))
	service, err := control.Serve(conn, names(), []control.Tenant{{Name: "acme"}}, f, "v1.2.3", zap.New(core))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(service.Stop)
	if err := conn.Flush(); err != nil {
		t.Fatal(err)
	}
	asker := s.Connect(t)
	ask := func(subject, reply string) {
		t.Helper()
		body := []byte(`{"conferenceId":"c1"}`)
		if strings.HasPrefix(subject, "$SRV") || strings.HasSuffix(subject, ".list") {
			body = nil
		}
		if err := asker.PublishRequest(subject, reply, body); err != nil {
			t.Fatal(err)
		}
	}
	all := everyRequest(t, asker)
	forbidden := []string{
		names().Commit("meetings.state.acme.c1"), names().Commit("meetings.claim.acme.0"), "meetings.event.acme.c1.meeting.ended",
		"$KV.MEETINGS_WORKERS.w", "$KV.MEETINGS_BUDGET.acme.2026-11", "$JS.API.STREAM.DELETE.MEETINGS", names().API("acme", "list"),
		"_INBOX", "_INBOXES.x", "_INBOX_acme", "_INBOX_acm.x", "_R_", "inbox._INBOX.x",
	}
	seen := make(chan *nats.Msg, 1000)
	for _, to := range forbidden {
		if to == names().API("acme", "list") {
			continue // the worker itself would get it, as a request
		}
		if _, err := asker.ChanSubscribe(to, seen); err != nil {
			t.Fatal(err)
		}
	}
	for _, to := range forbidden {
		for _, subject := range all {
			ask(subject, to)
		}
	}
	// What is asked last is answered last, of what is answered at once.
	if _, err := asker.Request("$SRV.PING.rollcall", nil, time.Minute); err != nil {
		t.Fatal(err)
	}
	service.Stop()
	if err := asker.Flush(); err != nil {
		t.Fatal(err)
	}
	if len(seen) > 0 {
		t.Errorf("the worker has written to %s: %s", (<-seen).Subject, (<-seen).Data)
	}
	f.set(func() {
		if len(f.orders) > 0 {
			t.Errorf("the worker has obeyed %q", f.orders)
		}
	})
	if lines := logs.FilterMessageSnippet("no inbox").All(); len(lines) != 1 || lines[0].ContextMap()["reply"] != forbidden[0] {
		t.Errorf("the log says %v", lines)
	}
}

func TestAnswersGoToEveryInbox(t *testing.T) {
	s := natstest.Start(t)
	conn := s.Connect(t, nats.CustomInboxPrefix("_INBOX_acme"))
	service, err := control.Serve(conn, names(), []control.Tenant{{Name: "acme"}}, newFake(), "v1.2.3", zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(service.Stop)
	if err := conn.Flush(); err != nil {
		t.Fatal(err)
	}
	asker := s.Connect(t)
	for _, to := range []string{"_INBOX.x", "_INBOX.a.b", "_INBOX_acme.x"} {
		sub, err := asker.SubscribeSync(to)
		if err != nil {
			t.Fatal(err)
		}
		for _, subject := range []string{names().API("acme", "list"), "$SRV.STATS"} {
			if err := asker.PublishRequest(subject, to, nil); err != nil {
				t.Fatal(err)
			}
			if _, err := sub.NextMsg(time.Minute); err != nil {
				t.Errorf("%s is not answered on %s: %v", subject, to, err)
			}
		}
	}
}

// TestDiscoveryIsThatOfMicro reads the answers strictly as package micro writes them.
func TestDiscoveryIsThatOfMicro(t *testing.T) {
	s := natstest.Start(t)
	serve(t, s, newFake())
	conn, c := s.Connect(t), client(t, s)
	if _, err := c.Track(t.Context(), "c1"); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Show(t.Context(), "unheard of"); err == nil {
		t.Fatal("an unheard-of meeting is shown")
	}
	read := func(subject string, into any) {
		t.Helper()
		m, err := conn.Request(subject, nil, time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		d := json.NewDecoder(bytes.NewReader(m.Data))
		d.DisallowUnknownFields()
		if err := d.Decode(into); err != nil {
			t.Errorf("%s: %v: %s", subject, err, m.Data)
		}
	}
	var ping micro.Ping
	if read("$SRV.PING", &ping); ping.Type != micro.PingResponseType || ping.Name != "rollcall" || ping.Version != "1.2.3" || ping.ID == "" {
		t.Errorf("ping: %+v", ping)
	}
	var info micro.Info
	if read("$SRV.INFO.rollcall."+ping.ID, &info); info.Type != micro.InfoResponseType || info.ID != ping.ID || info.Metadata["stream"] != "MEETINGS" {
		t.Errorf("info: %+v", info)
	}
	var stats micro.Stats
	read("$SRV.STATS.rollcall", &stats)
	counted := map[string][2]int{}
	for _, e := range stats.Endpoints {
		counted[e.Name] = [2]int{e.NumRequests, e.NumErrors}
		if e.Name == "acme-show" && (!strings.HasPrefix(e.LastError, "404:") || e.Subject != names().API("acme", "show") || e.QueueGroup != "q") {
			t.Errorf("stats: %+v", e)
		}
	}
	if stats.Type != micro.StatsResponseType || stats.Started.IsZero() || counted["acme-track"] != [2]int{1, 0} || counted["acme-show"] != [2]int{1, 1} {
		t.Errorf("stats: %+v, %v", stats, counted)
	}
}

// TestOrdersOfATenantAreLimited floods one tenant with orders; what asks only,
// and another tenant, does not feel it.
func TestOrdersOfATenantAreLimited(t *testing.T) {
	s, f := natstest.Start(t), newFake()
	serve(t, s, f, control.Tenant{Name: "acme"}, control.Tenant{Name: "other"})
	conn := s.Connect(t)
	var refused *nats.Msg
	for n := range 10_000 {
		verb := []string{"track", "untrack"}[n%2]
		m := rawTo(t, conn, "acme", verb, `{"conferenceId":"c1"}`)
		if m.Header.Get(micro.ErrorCodeHeader) == "429" {
			refused = m
			break
		}
	}
	if refused == nil || !strings.Contains(string(refused.Data), `"code":"too_many"`) || !strings.Contains(string(refused.Data), "tenant acme") {
		t.Fatalf("the flood is answered %v", refused)
	}
	for _, free := range []*nats.Msg{rawTo(t, conn, "acme", "list", ""), rawTo(t, conn, "other", "track", `{"conferenceId":"c1"}`)} {
		if code := free.Header.Get(micro.ErrorCodeHeader); code != "" {
			t.Errorf("beside the flood: %s", free.Data)
		}
	}
	// A command waits for its turn.
	c := client(t, s)
	for range 8 {
		if _, err := c.Track(t.Context(), "c2"); err != nil {
			t.Errorf("a command in the flood: %v", err)
		}
	}
}

func rawTo(t *testing.T, conn *nats.Conn, tenant, verb, body string) *nats.Msg {
	t.Helper()
	m, err := conn.Request(names().API(tenant, verb), []byte(body), time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	return m
}
