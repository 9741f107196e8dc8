package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/spf13/cobra"
)

// The test binary is also the program, and one that will not stop.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"rollcall": main, "stubborn": stubborn})
}

// stubborn is the program with a command that does not end when it should.
func stubborn() {
	wait := &cobra.Command{Use: "wait", RunE: func(cmd *cobra.Command, _ []string) error {
		fmt.Println("waiting")
		<-cmd.Context().Done()
		fmt.Println("not stopping")
		select {}
	}}
	p := program{args: []string{"wait"}, stdout: os.Stdout, stderr: os.Stderr, env: os.LookupEnv, more: []*cobra.Command{wait}}
	ctx, release := interruptible(context.Background(), os.Stderr, func() { os.Exit(exitFailed) })
	defer release()
	os.Exit(p.run(ctx))
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		Cmds:                map[string]func(*testscript.TestScript, bool, []string){"exits": exits},
	})
}

// exits CODE COMMAND… runs a command that must exit with the code; unlike
// "! exec" it tells failing from misusing.
func exits(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	exit, _ := errors.AsType[*exec.ExitError](err)
	if exit == nil || exit.ExitCode() != want {
		ts.Fatalf("%v exits with %v, want exit status %d", args[1:], err, want)
	}
}

func TestErrorsAreTranslated(t *testing.T) {
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	for name, c := range map[string]struct {
		ctx  context.Context
		err  error
		code int
	}{
		"done":                 {t.Context(), nil, exitDone},
		"failed":               {t.Context(), errors.New("broken"), exitFailed},
		"misused":              {t.Context(), fmt.Errorf("read: %w", usageErrorf("bad")), exitMisused},
		"stopped":              {canceled, context.Canceled, exitDone},
		"failed while stopped": {canceled, errors.New("broken"), exitFailed},
		"canceled by itself":   {t.Context(), context.Canceled, exitFailed},
	} {
		t.Run(name, func(t *testing.T) {
			cmd := &cobra.Command{Use: "act", RunE: func(*cobra.Command, []string) error { return c.err }}
			p := program{args: []string{"act"}, stdout: io.Discard, stderr: io.Discard, more: []*cobra.Command{cmd}}
			if got := p.run(c.ctx); got != c.code {
				t.Errorf("exit code %d, want %d", got, c.code)
			}
		})
	}
}
