//go:build unix

package endtoend_test

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience is the longest that anything is waited for. It is no measure of how
// fast anything is.
const patience = 2 * time.Minute

func TestMain(m *testing.M) {
	if dir := os.Getenv(brokerVariable); dir != "" {
		os.Exit(beBroker(dir, os.Getenv(brokerVariable+"_ADDR")))
	}
	if orders := os.Getenv(attackerVariable); orders != "" {
		os.Exit(beAttacker(orders))
	}
	code := m.Run()
	if built := builtIn.Load(); built != nil {
		_ = os.RemoveAll(*built)
	}
	os.Exit(code)
}

// long skips what takes more than a few seconds, unless it was asked for.
func long(t *testing.T) {
	t.Helper()
	if os.Getenv("ROLLCALL_LONG") == "" {
		t.Skip("long: run with ROLLCALL_LONG=1, or .ci/run")
	}
}

// binary builds rollcall, once, and gives its path.
func binary(t testing.TB) string {
	t.Helper()
	path, err := build()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// process is rollcall, or a broker, running.
type process struct {
	t        testing.TB
	name     string
	cmd      *exec.Cmd
	in       io.Closer
	out, err *transcript
	done     chan struct{}
}

// launch starts a process that is gone, at the latest, when the test ends.
func launch(t testing.TB, name, path string, env []string, args ...string) *process {
	t.Helper()
	p := &process{t: t, name: name, out: newTranscript(), err: newTranscript(), done: make(chan struct{})}
	p.cmd = exec.Command(path, args...)
	p.cmd.Env = append(os.Environ(), env...)
	p.cmd.Dir = t.TempDir()
	p.cmd.Stdout, p.cmd.Stderr = p.out, p.err
	in, err := p.cmd.StdinPipe()
	if err != nil {
		t.Fatalf("start %s: %v", name, err)
	}
	p.in = in
	if err := p.cmd.Start(); err != nil {
		t.Fatalf("start %s: %v", name, err)
	}
	go func() {
		_ = p.cmd.Wait()
		close(p.done)
	}()
	t.Cleanup(p.cleanUp)
	return p
}

func (p *process) cleanUp() {
	p.signal(syscall.SIGKILL)
	<-p.done
	if p.t.Failed() {
		p.t.Logf("the end of what %s wrote:\n%s", p.name, p.err.tail(6000))
	}
}

// signal does nothing to a process that is gone.
func (p *process) signal(s syscall.Signal) { _ = p.cmd.Process.Signal(s) }

// kill is kill -9; it comes back when the process is gone.
func (p *process) kill() {
	p.signal(syscall.SIGKILL)
	<-p.done
}

func (p *process) alive() bool {
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// exit waits for the end and gives the exit code; -1 after a signal.
func (p *process) exit() int {
	p.t.Helper()
	select {
	case <-p.done:
	case <-time.After(patience):
		p.t.Fatalf("%s did not end within %s", p.name, patience)
	}
	return p.cmd.ProcessState.ExitCode()
}

// stop ends a process in order and demands the exit code 0.
func (p *process) stop() {
	p.t.Helper()
	p.signal(syscall.SIGTERM)
	if code := p.exit(); code != 0 {
		p.t.Errorf("%s: exit code %d after SIGTERM, want 0; it wrote\n%s", p.name, code, p.err.tail(2000))
	}
}

// transcript keeps everything that was written, for whoever waits for a line
// and for whoever looks for secrets in it.
type transcript struct {
	mu    sync.Mutex
	bytes bytes.Buffer
}

func newTranscript() *transcript { return &transcript{} }

func (t *transcript) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.bytes.Write(b)
}

func (t *transcript) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.bytes.String()
}

func (t *transcript) has(text string) bool { return strings.Contains(t.String(), text) }

func (t *transcript) tail(n int) string {
	s := t.String()
	return s[max(0, len(s)-n):]
}

// eventually waits until the condition holds.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	deadline, tick := time.NewTimer(patience), time.NewTicker(20*time.Millisecond)
	defer deadline.Stop()
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-deadline.C:
			t.Fatalf("waited %s in vain: %s", patience, what)
		}
	}
}

func write(t testing.TB, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func contents(t testing.TB, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
