//go:build unix

package main

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func hangUp(t *testing.T) {
	t.Helper()
	if err := syscall.Kill(os.Getpid(), syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
}

func TestHangupsAreHeededUntilReleased(t *testing.T) {
	heard := make(chan bool)
	hung := hangups()
	hangUp(t)
	release := onHangup(hung, func() { heard <- true })
	<-heard
	hangUp(t)
	<-heard
	release()
}

// A SIGHUP does not end a process that still reads its configuration.
func TestAHangupWaitsForTheStart(t *testing.T) {
	for _, command := range []string{"run", "forward"} {
		t.Run(command, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "rollcall.yaml")
			if err := syscall.Mkfifo(path, 0o600); err != nil {
				t.Fatal(err)
			}
			var said strings.Builder
			p := program{args: []string{command, "--config", path}, stdout: io.Discard, stderr: &said, env: func(string) (string, bool) { return "", false }}
			code := make(chan int)
			go func() { code <- p.run(t.Context()) }()
			file, err := os.OpenFile(path, os.O_WRONLY, 0) // waits for the reader
			if err != nil {
				t.Fatal(err)
			}
			hangUp(t)
			_, err = file.WriteString("nobody: knows\n")
			if err := file.Close(); err != nil {
				t.Fatal(err)
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := <-code; got != exitMisused || !strings.Contains(said.String(), "nobody: no such key") {
				t.Errorf("exit code %d: %s", got, said.String())
			}
		})
	}
}
