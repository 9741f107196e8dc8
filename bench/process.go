package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// process is a program under measurement, or one that helps.
type process struct {
	name string
	cmd  *exec.Cmd
	in   io.Closer // its end makes helpers stop
	said *tail
	done chan struct{}
}

// launch starts a program in a directory of its own making.
func launch(name, dir string, environ []string, path string, args ...string) (*process, *bufio.Reader, error) {
	p := &process{name: name, cmd: exec.Command(path, args...), said: &tail{}, done: make(chan struct{})}
	p.cmd.Dir, p.cmd.Stderr, p.cmd.Env = dir, p.said, append(os.Environ(), environ...)
	in, err := p.cmd.StdinPipe()
	if err != nil {
		return nil, nil, fmt.Errorf("start %s: %w", name, err)
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, nil, fmt.Errorf("start %s: %w", name, err)
	}
	if err := p.cmd.Start(); err != nil {
		return nil, nil, fmt.Errorf("start %s: %w", name, err)
	}
	p.in = in
	go func() {
		_ = p.cmd.Wait()
		close(p.done)
	}()
	return p, bufio.NewReader(out), nil
}

// helper starts a sub-command of this program and reads the address it prints.
func helper(dir, command string, args ...string) (*process, string, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, "", fmt.Errorf("find this program: %w", err)
	}
	p, out, err := launch(command, dir, nil, self, append([]string{command}, args...)...)
	if err != nil {
		return nil, "", err
	}
	address, err := out.ReadString('\n')
	if err != nil {
		p.kill()
		return nil, "", fmt.Errorf("start %s: it said nothing of its address: %s", command, p.said)
	}
	return p, strings.TrimSpace(address), nil
}

// serveUntilTold is what helpers do: they print their address and work until
// the process that started them closes their input, or is gone.
func serveUntilTold(address string) {
	fmt.Println(address)
	_, _ = io.Copy(io.Discard, os.Stdin)
}

const patience = time.Minute

// stop ends a program in order.
func (p *process) stop() error {
	_ = p.in.Close()
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-p.done:
		return nil
	case <-timer.C:
		p.kill()
		return fmt.Errorf("stop %s: it did not end within %s: %s", p.name, patience, p.said)
	}
}

func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	<-p.done
}

// file is one of Linux's files about the process.
func (p *process) file(name string) string { return fileOf(p.cmd.Process.Pid, name) }

func fileOf(pid int, name string) string { return "/proc/" + strconv.Itoa(pid) + "/" + name }

// cpu is the CPU time, in user mode and in the kernel, to a hundredth of a second.
func (p *process) cpu() (time.Duration, error) {
	used, err := cpuOf(p.cmd.Process.Pid)
	if err != nil {
		return 0, fmt.Errorf("read the CPU time of %s: %w: %s", p.name, err, p.said)
	}
	return used, nil
}

// ticks is how many parts of a second Linux counts CPU time in, for readers of
// /proc.
const ticks = 100

func cpuOf(pid int) (time.Duration, error) {
	stat, err := os.ReadFile(fileOf(pid, "stat"))
	if err != nil {
		return 0, err
	}
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	if len(fields) < 13 {
		return 0, errors.New("/proc/PID/stat is not as on Linux")
	}
	user, errUser := strconv.ParseInt(string(fields[11]), 10, 64)
	system, errSystem := strconv.ParseInt(string(fields[12]), 10, 64)
	return time.Duration(user+system) * time.Second / ticks, errors.Join(errUser, errSystem)
}

// forgetPeak begins a new measurement of [process.peak].
func (p *process) forgetPeak() (int64, error) {
	if err := os.WriteFile(p.file("clear_refs"), []byte("5"), 0); err != nil {
		return 0, fmt.Errorf("measure the memory of %s anew: %w", p.name, err)
	}
	return 0, nil
}

// peak is the most resident memory since the start or forgetPeak, in bytes.
func (p *process) peak() (int64, error) {
	status, err := os.ReadFile(p.file("status"))
	if err != nil {
		return 0, fmt.Errorf("read the memory of %s: %w", p.name, err)
	}
	_, rest, _ := bytes.Cut(status, []byte("VmHWM:"))
	line, _, _ := bytes.Cut(rest, []byte("\n"))
	var kilobytes int64
	if _, err := fmt.Sscanf(string(line), "%d kB", &kilobytes); err != nil {
		return 0, fmt.Errorf("read the memory of %s: no VmHWM: %w", p.name, err)
	}
	return kilobytes << 10, nil
}

// tail keeps the end of what a program wrote.
type tail struct {
	mu   sync.Mutex
	text []byte
}

func (t *tail) Write(b []byte) (int, error) {
	const most = 4 << 10
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, b...)
	t.text = t.text[max(0, len(t.text)-most):]
	return len(b), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.text)
}

// pause waits for d, or the end of ctx.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
