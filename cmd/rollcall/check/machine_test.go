package check

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/zap"

	"rollcall/console"
	"rollcall/internal/embedded"
)

// startEmbedded runs the NATS of a rollcall with the world's configuration.
func startEmbedded(t *testing.T, w *world) *embedded.Server {
	t.Helper()
	s, err := embedded.Start(embedded.Config{DataDir: w.cfg.DataDir, Listen: "127.0.0.1:0", Names: names()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// reading lets the world's check read at an address.
func (w *world) reading(url string) Check {
	w.cfg.NATS.Embedded.Listen = strings.TrimPrefix(url, "nats://")
	c := w.check()
	c.Broker.URL = url
	return c
}

func TestNextToARunningRollcall(t *testing.T) {
	w := newWorld(t)
	s := startEmbedded(t, w)
	server, err := console.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server.Health, server.Logger = healthy(true), zap.NewNop()
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- server.Run(ctx) }()
	t.Cleanup(func() { stop(); <-ended })
	w.cfg.HTTP.Listen = server.Addr().String()
	r := run(t, w.reading(s.URL()))
	r.says(t, "local embedded", OK, "a running rollcall, whose NATS is of version 2.")
	r.says(t, "local http", OK, "a running rollcall, which is ready")
	r.says(t, "local data_dir", OK, "the running rollcall has it", "in use by process")
	r.says(t, "nats login", OK)
	r.says(t, "nats stream", OK, "neither is there yet")
	r.says(t, "nats downstream", OK)
	if r.count[Fail]+r.count[Skip]+r.count[Warn] > 0 {
		t.Errorf("not all is fine:\n%s", r.text)
	}
}

type healthy bool

// Health has one check.
func (h healthy) Health() []console.Check {
	return []console.Check{{Name: "nats", OK: bool(h), Detail: "gone \x1b[2J"}}
}

func TestPortsOfOthers(t *testing.T) {
	w := newWorld(t)
	nats := startNATS(t, nil)
	web := httptest.NewServer(http.NotFoundHandler())
	defer web.Close()
	w.cfg.HTTP.Listen = strings.TrimPrefix(web.URL, "http://")
	r := run(t, w.reading(nats.URL()))
	r.says(t, "local embedded", Fail, "another NATS server, nats-1", "nats.embedded.listen", "set nats.url")
	r.says(t, "local http", Fail, "no rollcall", "http.listen")
	w.cfg.NATS.Embedded.Listen = greeter(t, "SSH-2.0\r\n")
	w.cfg.HTTP.Listen = "192.0.2.1:8080"
	r = run(t, w.check())
	r.says(t, "local embedded", Fail, "something that is no NATS")
	r.says(t, "local http", Fail, "192.0.2.1", "address of this machine")
	w.cfg.NATS.Embedded.Listen = "192.0.2.1:4222"
	run(t, w.check()).says(t, "local embedded", Fail, "address of this machine")
}

func TestARollcallThatIsNotReady(t *testing.T) {
	w := newWorld(t)
	server := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, _ *http.Request) {
		out.WriteHeader(http.StatusServiceUnavailable)
		_, _ = out.Write([]byte(`{"ready":false,"reasons":["poll acme: too old\u001b[2J"],"checks":[{"name":"poll acme"}]}`))
	}))
	defer server.Close()
	w.cfg.HTTP.Listen = strings.TrimPrefix(server.URL, "http://")
	r := run(t, w.check())
	r.says(t, "local http", Warn, "not ready: poll acme: too old", "see its log")
	if strings.Contains(r.text, "\x1b") {
		t.Errorf("a control character shows:\n%q", r.text)
	}
}

func TestDataDir(t *testing.T) {
	w := newWorld(t)
	w.cfg.DataDir = filepath.Join(w.dir, "a", "b")
	run(t, w.check()).says(t, "local data_dir", OK, "nobody has it")
	if left, err := os.ReadDir(w.dir); err != nil || len(left) != 1 { // the secret
		t.Errorf("the check left %v, %v", left, err)
	}

	lock, err := embedded.LockDir(w.cfg.DataDir)
	if err != nil {
		t.Fatal(err)
	}
	run(t, w.check()).says(t, "local data_dir", Fail, "in use by process", "a data_dir of its own")
	run(t, w.on("nats://127.0.0.1:1").check()).says(t, "local data_dir", Warn, "in use by process", "fine if that is the running rollcall")
	lock.Release()
	run(t, w.check()).says(t, "local data_dir", OK)
	again, err := embedded.LockDir(w.cfg.DataDir)
	if err != nil {
		t.Fatalf("the check kept the lock: %v", err)
	}
	again.Release()

	w = newWorld(t)
	w.cfg.DataDir = w.file(t, "file", "")
	run(t, w.check()).says(t, "local data_dir", Fail, "is no directory", "set data_dir")
	w.cfg.DataDir = filepath.Join(w.cfg.DataDir, "below")
	run(t, w.on("nats://127.0.0.1:1").check()).says(t, "local data_dir", Warn, "is no directory", "in memory alone")
}

func TestWithoutTenants(t *testing.T) {
	w := newWorld(t).on(startNATS(t, nil).URL()).as(t, "w")
	w.cfg.Tenants = nil
	r := run(t, w.check())
	r.says(t, "local config", Warn, "no tenant")
	r.says(t, "nats publish", OK)
}
