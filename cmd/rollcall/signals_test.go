package main

import (
	"bufio"
	"context"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

// process starts a command of [TestMain] and gives what it prints.
func process(t *testing.T, name string, args ...string) (*exec.Cmd, *bufio.Reader) {
	t.Helper()
	cmd := exec.Command(name, args...)
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	return cmd, bufio.NewReader(stdout)
}

// await reads lines until one holds text.
func await(t *testing.T, out *bufio.Reader, text string) string {
	t.Helper()
	for {
		line, err := out.ReadString('\n')
		if strings.Contains(line, text) {
			return line
		}
		if err != nil {
			t.Fatalf("it ended (%v) before it said %q", err, text)
		}
	}
}

func TestFirstSignalEndsInOrder(t *testing.T) {
	for name, signal := range map[string]syscall.Signal{"INT": syscall.SIGINT, "TERM": syscall.SIGTERM} {
		t.Run(name, func(t *testing.T) {
			cmd, out := process(t, "rollcall", "simulate", "--listen", "127.0.0.1:0")
			await(t, out, "rollcall run --config")
			if err := cmd.Process.Signal(signal); err != nil {
				t.Fatal(err)
			}
			if err := cmd.Wait(); err != nil {
				t.Errorf("it ended with %v, want exit code 0", err)
			}
		})
	}
}

func TestSecondSignalLeavesAtOnce(t *testing.T) {
	for name, signal := range map[string]syscall.Signal{"INT": syscall.SIGINT, "TERM": syscall.SIGTERM} {
		t.Run(name, func(t *testing.T) {
			cmd, out := process(t, "stubborn")
			for _, said := range []string{"waiting", "not stopping"} {
				await(t, out, said)
				if err := cmd.Process.Signal(signal); err != nil {
					t.Fatal(err)
				}
			}
			_ = cmd.Wait()
			if code := cmd.ProcessState.ExitCode(); code != exitFailed {
				t.Errorf("exit code %d, want %d", code, exitFailed)
			}
		})
	}
}

// A command that is done was not interrupted: it must not say that it stops.
func TestReleaseIsNoSignal(t *testing.T) {
	for range 1000 {
		var notes strings.Builder
		_, release := interruptible(context.Background(), &notes, func() { t.Error("left") })
		release()
		if notes.Len() > 0 {
			t.Fatalf("no signal came, and it said %q", notes.String())
		}
	}
}
