package forward

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"rollcall/cmd/rollcall/config"
	"rollcall/console"
	"rollcall/internal/natstest"
)

// A forwarder follows its configuration from the start on, also while NATS is away.
func TestAForwarderFollowsItsConfiguration(t *testing.T) {
	file := filepath.Join(t.TempDir(), "robot")
	if err := os.WriteFile(file, []byte("https://oapi.dingtalk.com/robot/send?access_token=x"), 0o600); err != nil {
		t.Fatal(err)
	}
	team, route := config.TargetDefaults(), config.RouteDefaults()
	team.Name, team.Kind, team.URLFile = "team", "dingtalk", file
	route.Name, route.Targets = "all", []string{"team"}
	cfg := config.Defaults()
	cfg.Forward = config.Forward{Targets: []config.ForwardTarget{team}, Routes: []config.ForwardRoute{route}}
	conn, err := nats.Connect("nats://127.0.0.1:1", nats.RetryOnFailedConnect(true))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()

	level, registry := zap.NewAtomicLevel(), prometheus.NewRegistry()
	asked, answers := make(chan struct{}), make(chan func(*config.Config) error)
	f := &Forwarding{Config: cfg, Log: zap.NewNop(), Registry: registry, Conn: conn, Asked: asked, Level: &level}
	f.Reload = func(context.Context) (next config.Config, err error) {
		next = cfg
		err = (<-answers)(&next)
		return next, err
	}
	if err := f.Prepare(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error)
	go func() { served <- f.Serve(ctx) }()
	hash := 0.0
	for _, c := range []struct {
		what            string
		change          func(*config.Config) error
		changes         bool // the hash
		reload, restart float64
	}{
		{"nothing", func(*config.Config) error { return nil }, false, 1, 0},
		{"a mistake", func(*config.Config) error { return errors.New("line 3") }, false, 0, 0},
		{"a route", func(c *config.Config) error {
			other := route
			other.Name = "other"
			c.Forward.Routes = []config.ForwardRoute{route, other}
			return nil
		}, true, 1, 0},
		{"templates that are not there", func(c *config.Config) error {
			other := team
			other.Templates = filepath.Join(t.TempDir(), "absent")
			c.Forward.Targets = []config.ForwardTarget{other}
			return nil
		}, false, 0, 0},
		{"where it listens, and NATS", func(c *config.Config) error {
			c.NATS.URL, c.Forward.Listen = "nats://elsewhere:4222", "127.0.0.1:0"
			return nil
		}, true, 1, 1}, // the route has gone again
		{"what a worker alone reads", func(c *config.Config) error {
			c.DataDir, c.Tenants = "/elsewhere", []config.Tenant{config.TenantDefaults()}
			return nil
		}, false, 1, 0},
		{"the level", func(c *config.Config) error { c.Log.Level = "debug"; return nil }, true, 1, 0},
		{"nobody is to be told", func(c *config.Config) error { c.Forward = config.Forward{}; return nil }, true, 1, 0},
	} {
		asked <- struct{}{}
		answers <- c.change
		asked <- struct{}{} // so what was asked before is done
		got := gathered(t, registry)
		answers <- c.change
		if c.what == "nothing" {
			hash = got["rollcall_config_hash"]
		}
		if got["rollcall_config_last_reload_successful"] != c.reload || got["rollcall_config_restart_needed"] != c.restart || (got["rollcall_config_hash"] != hash) != c.changes {
			t.Errorf("%s: %v, the hash was %v", c.what, got, hash)
		}
		hash = got["rollcall_config_hash"]
	}
	if level.Level() != zapcore.InfoLevel { // the last one has the level of before
		t.Errorf("the level is %s", level)
	}
	cancel()
	select {
	case err := <-served:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(time.Minute):
		t.Fatal("it does not stop")
	}
}

func gathered(t *testing.T, r *prometheus.Registry) map[string]float64 {
	t.Helper()
	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]float64{}
	for _, f := range families {
		all[f.GetName()] = f.GetMetric()[0].GetGauge().GetValue()
	}
	return all
}

// A forwarder that has found nothing to keep its place in is not ready: a rollout must
// not put it in the place of one that works.
func TestAForwarderIsReadyWhenItCanKeepWhatItTold(t *testing.T) {
	server := natstest.Start(t)
	js := server.JetStream(t)
	f := &Forwarding{Config: config.Defaults(), Log: zap.NewNop(), Conn: natstest.Connect(t, server.URL())}
	if err := errors.Join(f.Prepare(), f.Begin()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ran := make(chan error, 1)
	go func() { ran <- f.Run(ctx) }()
	ready := func() bool {
		return !slices.ContainsFunc(f.Health(), func(c console.Check) bool { return !c.OK })
	}
	if ready() {
		t.Error("it is ready before there is a stream")
	}
	if _, err := js.CreateStream(ctx, jetstream.StreamConfig{Name: "MEETINGS", Subjects: []string{"meetings.>"}}); err != nil {
		t.Fatal(err)
	}
	for tick, began := time.Tick(10*time.Millisecond), time.Now(); !ready(); <-tick {
		if time.Since(began) > time.Minute {
			t.Fatalf("it is never ready: %+v", f.Health())
		}
	}
	cancel()
	if err := <-ran; err != nil {
		t.Error(err)
	}
}
