package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// Nobody writes to the pipe that is to be read; a stop does not wait for it.
func TestAPipeThatIsNeverWrittenStopsNobody(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"run", "--config", pipe},
		{"check", "--config", pipe},
		{"tail", "--config", pipe},
		{"simulate", "--listen", "127.0.0.1:0", "--scenario", pipe},
	} {
		ctx, stop := context.WithCancel(t.Context())
		stop()
		var stderr strings.Builder
		p := program{args: args, stdout: &stderr, stderr: &stderr, env: os.LookupEnv}
		if code := p.run(ctx); code != exitDone {
			t.Errorf("%q: exit code %d: %s", args, code, stderr.String())
		}
		// Whoever still reads goes on when somebody writes.
		if writer, err := os.OpenFile(pipe, os.O_WRONLY|syscall.O_NONBLOCK, 0); err == nil {
			_ = writer.Close()
		}
	}
}
