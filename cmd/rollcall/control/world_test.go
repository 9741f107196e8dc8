package control_test

import (
	"context"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"go.uber.org/zap/zaptest"

	"rollcall/cmd/rollcall/config"
	"rollcall/cmd/rollcall/control"
	"rollcall/cmd/rollcall/service"
	"rollcall/internal/natstest"
	"rollcall/simulator"
)

// world is a simulated DingTalk in which nothing happens by itself, with four
// meetings of which Rollcall is told nothing.
type world struct {
	*simulator.Simulator
	endpoint string
	secret   string
}

func newWorld(t *testing.T) world {
	t.Helper()
	sim, err := simulator.New(simulator.Config{Seed: 1, Meetings: 4})
	if err != nil {
		t.Fatal(err)
	}
	api := httptest.NewServer(sim.Handler())
	t.Cleanup(api.Close)
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte(simulator.DefaultAppSecret), 0o600); err != nil {
		t.Fatal(err)
	}
	return world{sim, api.URL, secret}
}

// run runs what `rollcall run` does until the test ends; url is that of NATS,
// "" for the embedded one.
func (w world) run(t *testing.T, url string, shards int) *service.Service {
	t.Helper()
	cfg := config.Defaults()
	cfg.DataDir = t.TempDir()
	cfg.NATS.URL = url
	cfg.NATS.Embedded.Listen, cfg.HTTP.Listen = "127.0.0.1:0", "127.0.0.1:0"
	tenant := config.TenantDefaults()
	tenant.Name, tenant.Endpoint = "acme", w.endpoint
	tenant.Auth = config.Auth{Kind: config.AuthInternal, ClientID: simulator.DefaultAppKey, ClientSecretFile: w.secret}
	tenant.Poll.Schedule, tenant.Poll.MonthlyCalls, tenant.Poll.Shards = "@every 1s", config.Unlimited, shards
	cfg.Tenants = []config.Tenant{tenant}
	s, err := service.New(cfg, "0.0.1", zaptest.NewLogger(t))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		if err := s.Run(ctx); err != nil {
			t.Errorf("it stopped with %v", err)
		}
	})
	t.Cleanup(func() { cancel(); running.Wait() })
	select {
	case <-s.Ready():
	case <-time.After(time.Minute):
		t.Fatal("the worker does not begin to work")
	}
	if err := s.Conn().Flush(); err != nil {
		t.Fatal(err)
	}
	return s
}

func (w world) act(t *testing.T, act simulator.Act) {
	t.Helper()
	if _, err := w.Act(act); err != nil {
		t.Fatal(err)
	}
}

func TestAReaderOfTheEmbeddedServerTracks(t *testing.T) {
	w := newWorld(t)
	s := w.run(t, "", 1)
	conn, err := nats.Connect(s.NATS())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	c, ctx := &control.Client{Conn: conn, Names: s.Names(), Tenant: "acme"}, t.Context()
	if tenants, err := control.Tenants(ctx, conn, s.Names()); err != nil || len(tenants) != 1 || tenants[0] != "acme" {
		t.Errorf("tenants: %v, %v", tenants, err)
	}
	id, over := w.ConferenceIDs()[0], w.ConferenceIDs()[1]
	w.act(t, simulator.Act{Verb: "join", ConferenceID: id, UserID: "u1", Nick: "Eve\x1b[2J\u202e"})

	got, err := c.Track(ctx, id)
	if err != nil || !got.Tracked || got.Record == nil || got.Record.Meeting.Status != "started" || got.Record.Meeting.Present == 0 || got.AskedAt.IsZero() {
		t.Fatalf("track: %+v, %v", got, err)
	}
	found := false
	for _, p := range got.Record.Roster {
		found = found || p.UserID == "u1" && p.Nick == "Eve\x1b[2J\u202e" && p.Attendance == "present"
	}
	if !found {
		t.Errorf("the roster is %+v", got.Record.Roster)
	}

	w.act(t, simulator.Act{Verb: "end", ConferenceID: over})
	got, err = c.Track(ctx, over)
	if err != nil || got.Tracked || got.Record == nil || got.Record.Meeting.Status != "ended" {
		t.Errorf("track of what is over: %+v, %v", got, err)
	}

	_, err = c.Track(ctx, "no such meeting \x1b[2J")
	if codeOf(err) != control.NotAnswered || !strings.Contains(err.Error(), "stays tracked") || strings.Contains(err.Error(), "\x1b") {
		t.Errorf("track of nonsense: %v", err)
	}
	list, err := c.List(ctx)
	if err != nil || list.Incomplete || len(list.Meetings) < 2 {
		t.Errorf("list: %+v, %v", list, err)
	}
	if got, err = c.Untrack(ctx, id); err != nil || got.Tracked || len(got.Record.Roster) != 0 {
		t.Errorf("untrack: %+v, %v", got, err)
	}
	if got, err = c.Show(ctx, id); err != nil || got.Tracked {
		t.Errorf("show of what was untracked: %+v, %v", got, err)
	}
	if _, err = c.Show(ctx, "unheard-of"); codeOf(err) != control.NotTracked {
		t.Errorf("show of what nobody tracked: %v", err)
	}
}

// A reader may neither listen to the requests of others nor answer them.
func TestReadersOfTheEmbeddedServerMayNotPretend(t *testing.T) {
	w := newWorld(t)
	s := w.run(t, "", 1)
	violations := make(chan error, 10)
	conn, err := nats.Connect(s.NATS(), nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { violations <- err }))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	if _, err := conn.SubscribeSync(s.Names().API("acme", "track")); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-violations:
		if !strings.Contains(err.Error(), s.Names().API("acme", "track")) {
			t.Errorf("refused: %v", err)
		}
	case <-time.After(time.Minute):
		t.Error("a reader may answer in the worker's place")
	}
}

func TestTwoWorkersShareTheMeetings(t *testing.T) {
	w := newWorld(t)
	broker := natstest.Start(t)
	const shards = 16 // so many that chance hardly gives all of them to one
	first := w.run(t, broker.URL(), shards)
	second := w.run(t, broker.URL(), shards)
	// Until both hold something, the test says nothing about passing on.
	await(t, "the shards to be shared", func() bool {
		_, one, err1 := first.Worker().List(t.Context(), "acme")
		_, two, err2 := second.Worker().List(t.Context(), "acme")
		return err1 == nil && err2 == nil && len(one) > 0 && len(two) > 0 && len(one)+len(two) == shards
	})
	c := client(t, broker)
	for _, id := range w.ConferenceIDs() {
		if got, err := c.Track(t.Context(), id); err != nil || !got.Tracked || got.Record == nil {
			t.Errorf("track %s: %+v, %v", id, got, err)
		}
	}
	for range 8 { // whoever is asked
		list, err := c.List(t.Context())
		if err != nil || list.Incomplete || len(list.Meetings) != 4 {
			t.Errorf("list: %+v, %v", list, err)
		}
		for _, id := range w.ConferenceIDs() {
			if got, err := c.Show(t.Context(), id); err != nil || got.Record == nil || got.ConferenceID != id {
				t.Errorf("show %s: %+v, %v", id, got, err)
			}
		}
	}
}
