//go:build unix

package browser_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"rollcall/internal/natsproxy"
	"rollcall/internal/natstest"
	"rollcall/simulator"
)

// scene is a simulated DingTalk, NATS, a worker and a console, the latter two
// in processes of their own. The console reaches NATS through the wire.
type scene struct {
	t       testing.TB
	sim     *simulator.Simulator
	nats    *natstest.Server
	wire    *natsproxy.Proxy
	config  string
	worker  *process
	console *process
	url     string // of the page
}

// play starts a scene with a world in which time goes on.
func play(t testing.TB, world simulator.Config) *scene {
	t.Helper()
	sim, err := simulator.New(world)
	if err != nil {
		t.Fatal(err)
	}
	s := stage(t, sim.Handler(), sim.ConferenceIDs(), func(ctx context.Context) { _ = sim.Run(ctx) })
	s.sim = sim
	return s
}

// stage starts everything around a simulated DingTalk.
func stage(t testing.TB, dingtalk http.Handler, ids []string, run func(context.Context)) *scene {
	t.Helper()
	api := httptest.NewServer(dingtalk)
	t.Cleanup(api.Close)
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { run(ctx) })
	t.Cleanup(func() { stop(); running.Wait() })
	s := &scene{t: t, nats: natstest.Start(t)}
	s.wire = natsproxy.Start(t, s.nats.Addr())
	s.config = configure(t, api.URL, s.nats.URL(), ids)
	s.work()
	s.serve("127.0.0.1:0")
	return s
}

// serve starts a console there.
func (s *scene) serve(address string) {
	s.console = launch(s.t, "console", "console", "--nats", s.wire.URL(), "--listen", address)
	s.url = s.console.says(`the live page is at (\S+);`)
}

// address is where the console listens.
func (s *scene) address() string { return strings.Trim(strings.TrimPrefix(s.url, "http://"), "/") }

// work starts a worker.
func (s *scene) work() { s.worker = launch(s.t, "worker", "run", "--config", s.config) }

// act lets something happen in the first meeting.
func (s *scene) act(act simulator.Act) {
	s.t.Helper()
	if act.ConferenceID == "" {
		act.ConferenceID = s.sim.ConferenceIDs()[0]
	}
	if _, err := s.sim.Act(act); err != nil {
		s.t.Fatal(err)
	}
}

func configure(t testing.TB, dingtalk, nats string, ids []string) string {
	t.Helper()
	dir := t.TempDir()
	secret := filepath.Join(dir, "secret")
	list, err := json.Marshal(ids)
	if err == nil {
		err = os.WriteFile(secret, []byte(simulator.DefaultAppSecret), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "rollcall.yaml")
	if err := os.WriteFile(path, fmt.Appendf(nil, `
data_dir: %q
nats: {url: %q}
tenants:
  - name: acme
    endpoint: %s
    auth: {kind: internal, client_id: %s, client_secret_file: %q}
    poll: {schedule: "@every 1s", monthly_calls: unlimited, qps: 100}
    track: {conferences: %s}
http: {listen: "127.0.0.1:0"}
`, filepath.Join(dir, "data"), nats, dingtalk, simulator.DefaultAppKey, secret, list), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// binary builds rollcall, once.
var binary = sync.OnceValues(func() (string, error) {
	path := filepath.Join(os.TempDir(), fmt.Sprintf("rollcall-browser-%d", os.Getpid()))
	out, err := exec.Command("go", "build", "-o", path, "..").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build rollcall: %w\n%s", err, out)
	}
	return path, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	_ = os.Remove(filepath.Join(os.TempDir(), fmt.Sprintf("rollcall-browser-%d", os.Getpid())))
	os.Exit(code)
}

// process is rollcall, running.
type process struct {
	t    testing.TB
	cmd  *exec.Cmd
	done chan struct{}

	mu   sync.Mutex
	text strings.Builder // all that it wrote
}

// launch starts rollcall; it is gone, at the latest, when the test ends.
func launch(t testing.TB, name string, args ...string) *process {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	p := &process{t: t, cmd: exec.Command(path, args...), done: make(chan struct{})}
	p.cmd.Dir, p.cmd.Stdout, p.cmd.Stderr = t.TempDir(), p, p
	p.cmd.Env = append(os.Environ(), "TMPDIR="+p.cmd.Dir) // a demo that is killed leaves its folder
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = p.cmd.Wait()
		close(p.done)
	}()
	t.Cleanup(func() {
		p.kill()
		if t.Failed() {
			t.Logf("what the %s wrote:\n%s", name, p)
		}
	})
	return p
}

// Write keeps what the process writes.
func (p *process) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.Write(b)
}

func (p *process) String() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.String()
}

// says waits until the process has written what matches, and returns the group.
func (p *process) says(pattern string) string {
	p.t.Helper()
	deadline, tick := time.NewTimer(patience), time.NewTicker(20*time.Millisecond)
	defer deadline.Stop()
	defer tick.Stop()
	for {
		if found := regexp.MustCompile(pattern).FindStringSubmatch(p.String()); found != nil {
			return found[1]
		}
		select {
		case <-tick.C:
		case <-p.done:
			p.t.Fatalf("%q was never said:\n%s", pattern, p)
		case <-deadline.C:
			p.t.Fatalf("%q was not said within %s:\n%s", pattern, patience, p)
		}
	}
}

func (p *process) signal(s syscall.Signal) { _ = p.cmd.Process.Signal(s) }

// kill is kill -9; it comes back when the process is gone.
func (p *process) kill() {
	p.signal(syscall.SIGKILL)
	<-p.done
}
