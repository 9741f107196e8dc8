package deploy_test

import (
	"context"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"rollcall/cmd/rollcall/forward"
	"rollcall/internal/natsconn"
	"rollcall/simulator/chat"
)

// The overlay's forwarder tells a group with the rights that permissions.conf has for
// it, where it finds neither the bucket nor the stream that it writes.
func TestTheForwarderOfTheOverlayTells(t *testing.T) {
	t.Run("on the overlay's NATS", func(t *testing.T) { forwards(t, broker(t)) })
	t.Run("in an account that demands sizes", func(t *testing.T) { forwards(t, accounts(t)) })
}

func forwards(t *testing.T, url string) {
	t.Helper()
	endpoint := simulated(t)
	worker(t, url, endpoint)
	arrived := make(chan chat.Message, 100)
	groups, err := chat.New(chat.Config{Arrived: func(m chat.Message) {
		select {
		case arrived <- m:
		default:
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	services := httptest.NewServer(groups.Handler())
	t.Cleanup(services.Close)

	cfg := load(t, "kubernetes/overlays/with-forwarder/forward.yaml")
	cfg.NATS.URL, cfg.NATS.PasswordFile, cfg.Forward.Listen = url, secret(t, password("forwarder")), "127.0.0.1:0"
	team, route := &cfg.Forward.Targets[0], &cfg.Forward.Routes[0]
	for _, robot := range groups.Robots() {
		if robot.Service == team.Kind {
			team.URLFile, team.SecretFile = secret(t, services.URL+robot.Path()), secret(t, robot.Secret)
		}
	}
	route.GroupWait = time.Second
	core, logs := observer.New(zapcore.InfoLevel)
	f := forward.Forwarding{Config: cfg, Since: time.Now().Add(-time.Hour), Log: zap.New(core), Registry: prometheus.NewRegistry()}
	if err := f.Prepare(); err != nil {
		t.Fatal(err)
	}
	if f.Conn, err = natsconn.Connect(cfg.NATS.Client(), f.Log); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.Conn.Close)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- f.Serve(ctx) }()
	select {
	case m := <-arrived:
		if m.Service != team.Kind || strings.TrimSpace(m.Text) == "" {
			t.Errorf("the group is told %+v", m)
		}
	case err := <-ended:
		t.Fatalf("the forwarder ended with %v: %v", err, logs.All())
	case <-time.After(time.Minute):
		t.Errorf("the group is told nothing: %v", logs.All())
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	quiet(t, logs.All())
}
