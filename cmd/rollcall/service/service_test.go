package service_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"go.uber.org/goleak"
	"go.uber.org/zap/zaptest"

	"rollcall"
	"rollcall/cmd/rollcall/config"
	"rollcall/cmd/rollcall/service"
	"rollcall/simulator"
	"rollcall/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// simulated starts a simulator in which nothing happens by itself, and gives a
// configuration that watches it.
func simulated(t *testing.T) (*simulator.Simulator, config.Config) {
	t.Helper()
	return simulatedWith(t, simulator.Config{Seed: 1, Meetings: 2})
}

func simulatedWith(t *testing.T, world simulator.Config) (*simulator.Simulator, config.Config) {
	t.Helper()
	sim, err := simulator.New(world)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(sim.Handler())
	t.Cleanup(server.Close)
	dir := t.TempDir()
	secret := filepath.Join(dir, "secret")
	if err := os.WriteFile(secret, []byte(simulator.DefaultAppSecret), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg := config.Defaults()
	cfg.DataDir = filepath.Join(dir, "data")
	cfg.NATS.Embedded.Listen, cfg.HTTP.Listen = "127.0.0.1:0", "127.0.0.1:0"
	tenant := config.TenantDefaults()
	tenant.Name, tenant.Endpoint = "acme", server.URL
	tenant.Auth = config.Auth{Kind: config.AuthInternal, ClientID: simulator.DefaultAppKey, ClientSecretFile: secret}
	tenant.Poll.Schedule, tenant.Poll.MonthlyCalls = "@every 1s", config.Unlimited
	tenant.Track.Conferences = sim.ConferenceIDs()
	cfg.Tenants = []config.Tenant{tenant}
	return sim, cfg
}

func TestServiceTellsWhatHappens(t *testing.T) {
	sim, cfg := simulated(t)
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

	id := sim.ConferenceIDs()[0]
	await(t, got, func(e rollcall.Event) bool { return e.Type == rollcall.MeetingStarted && e.ConferenceID == id })
	if _, err := sim.Act(simulator.Act{Verb: "join", ConferenceID: id, UserID: "newcomer", Nick: "Newcomer"}); err != nil {
		t.Fatal(err)
	}
	e := await(t, got, func(e rollcall.Event) bool {
		return e.Type == rollcall.ParticipantJoined && e.Participant.UserID == "newcomer"
	})
	if e.Provenance != rollcall.ProvenanceObserved || e.Window.After.IsZero() {
		t.Errorf("the event is %+v", e)
	}
	for path, want := range map[string]string{"/livez": "", "/readyz": `"ready": true`, "/metrics": "rollcall_events_total"} {
		if body := page(t, "http://"+s.HTTP().String()+path); !strings.Contains(body, want) {
			t.Errorf("%s does not show %q:\n%s", path, want, body)
		}
	}
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("it stopped with %v", err)
	}
}

func await(t *testing.T, got <-chan rollcall.Event, is func(rollcall.Event) bool) rollcall.Event {
	t.Helper()
	late := time.After(time.Minute)
	for {
		select {
		case e := <-got:
			if is(e) {
				return e
			}
		case <-late:
			t.Fatal("the event did not come")
		}
	}
}

func page(t *testing.T, url string) string {
	t.Helper()
	answer, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	if answer.StatusCode != http.StatusOK {
		t.Errorf("%s answers %s", url, answer.Status)
	}
	http.DefaultClient.CloseIdleConnections()
	return string(body)
}

func TestStartIsRefusedWithTheReason(t *testing.T) {
	_, cfg := simulated(t)
	taken, err := service.New(cfg, "0.0.1", zaptest.NewLogger(t))
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := errors.Join(taken.Close(), taken.Close()); err != nil {
			t.Errorf("closed twice: %v", err)
		}
	}()
	for name, c := range map[string]struct {
		change func(*config.Config)
		want   []string
	}{
		"data dir taken": {func(*config.Config) {}, []string{cfg.DataDir}},
		"port taken": {func(c *config.Config) {
			c.DataDir = t.TempDir()
			c.NATS.Embedded.Listen = strings.TrimPrefix(taken.NATS(), "nats://")
		}, []string{"nats.embedded.listen", strings.TrimPrefix(taken.NATS(), "nats://")}},
		"http taken": {func(c *config.Config) {
			c.DataDir = t.TempDir()
			c.HTTP.Listen = taken.HTTP().String()
		}, []string{"http.listen"}},
		"no secret": {func(c *config.Config) {
			c.Tenants[0].Auth.ClientSecretFile = filepath.Join(t.TempDir(), "absent")
		}, []string{"acme", "client_secret", "absent"}},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := cfg
			cfg.Tenants = append([]config.Tenant(nil), cfg.Tenants...)
			c.change(&cfg)
			s, err := service.New(cfg, "0.0.1", zaptest.NewLogger(t))
			if err == nil {
				_ = s.Close()
				t.Fatal("it started")
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("the error does not name %s: %v", want, err)
				}
			}
		})
	}
}

// What a start has taken before it fails is free for the next one.
func TestAFailedStartGivesEverythingBack(t *testing.T) {
	_, cfg := simulated(t)
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	cfg.HTTP.Listen = taken.Addr().String()
	good := cfg.NATS
	cfg.NATS.Embedded.Listen = taken.Addr().String()
	if err := taken.Close(); err != nil { // the console has it, and NATS wants it too
		t.Fatal(err)
	}
	if _, err := service.New(cfg, "0.0.1", zaptest.NewLogger(t)); err == nil || !strings.Contains(err.Error(), "nats.embedded.listen") {
		t.Fatalf("a port for two: %v", err)
	}
	cfg.NATS = good
	s, err := service.New(cfg, "0.0.1", zaptest.NewLogger(t))
	if err != nil {
		t.Fatalf("after a start that failed: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}
