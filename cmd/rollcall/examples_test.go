package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/spf13/cobra"
)

// commands are the root and all commands below it.
func commands(of *cobra.Command) []*cobra.Command {
	all := []*cobra.Command{of}
	for _, cmd := range of.Commands() {
		all = append(all, commands(cmd)...)
	}
	return all
}

// examples are the command lines of a command's examples, without comments and
// without what the shell does with their output.
func examples(cmd *cobra.Command) (lines []string) {
	for line := range strings.SplitSeq(cmd.Example, "\n") {
		for _, end := range []string{" #", " | ", " > "} {
			line, _, _ = strings.Cut(line, end)
		}
		lines = append(lines, strings.TrimSpace(line))
	}
	return lines
}

func TestEveryCommandHasAnExample(t *testing.T) {
	all := commands((&program{}).root())
	for _, cmd := range all {
		if cmd.Example == "" {
			t.Errorf("%q has no example", cmd.CommandPath())
		}
		for _, line := range examples(cmd) {
			if !strings.Contains(line+" ", "rollcall ") {
				t.Errorf("%q: an example is %q", cmd.CommandPath(), line)
			}
		}
	}
	if len(all) < 10 {
		t.Errorf("only %d commands were looked at", len(all))
	}
}

// Every command is in the README's table, and refuses arguments that it does not take.
func TestEveryCommandIsListedAndStrict(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(readme), "## Commands")
	table, _, _ = strings.Cut(table, "\n## ")
	for _, cmd := range (&program{}).root().Commands() {
		if slices.Contains([]string{"help", "completion"}, cmd.Name()) {
			continue
		}
		if !regexp.MustCompile("`(rollcall )?" + cmd.Name() + "\\b").MatchString(table) {
			t.Errorf("%q is not in the table of commands in README.md", cmd.CommandPath())
		}
		if cmd.Args == nil {
			t.Errorf("%q says nothing of its arguments; cobra.NoArgs takes none", cmd.CommandPath())
		}
	}
}

// TestEveryExampleStandsInAScript leaves out the orders and workers, whose
// scripts are in testdata/orders.
func TestEveryExampleStandsInAScript(t *testing.T) {
	var scripts strings.Builder
	files, err := filepath.Glob("testdata/examples/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		scripts.Write(text)
	}
	elsewhere := []string{"workers"}
	for _, cmd := range workerCommands(&program{}) {
		elsewhere = append(elsewhere, cmd.Name())
	}
	for _, cmd := range commands((&program{}).root()) {
		if slices.Contains(elsewhere, cmd.Name()) {
			continue
		}
		for _, line := range examples(cmd) {
			if !strings.Contains(scripts.String(), " '"+line+"'") {
				t.Errorf("no script in testdata/examples runs %q", line)
			}
		}
	}
}

// Each script has a worker of its own, as those of the orders.
func TestExampleScripts(t *testing.T) {
	repository, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/examples",
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			env.Vars = append(env.Vars, "REPOSITORY="+repository)
			return startWorld(t, env)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"example": example, "example-until": exampleUntil, "exits": orderedExit, "act": act},
	})
}

// example PATTERN 'LINE' [FLAG…] runs a line of the help to its end, with flags
// after it that make it fit this machine. It must exit with 0 and print what
// matches the pattern.
func example(ts *testscript.TestScript, _ bool, args []string) {
	run(ts, args, func(_ *watched, _ *exec.Cmd, ended chan error) error { return <-ended })
}

// exampleUntil is example for what goes on until it is interrupted, which it
// is once the pattern matches.
func exampleUntil(ts *testscript.TestScript, _ bool, args []string) {
	run(ts, args, func(seen *watched, cmd *exec.Cmd, ended chan error) error {
		select {
		case err := <-ended:
			return err
		case <-seen.met:
		}
		ts.Check(cmd.Process.Signal(os.Interrupt))
		return <-ended
	})
}

func run(ts *testscript.TestScript, args []string, wait func(*watched, *exec.Cmd, chan error) error) {
	seen := &watched{pattern: regexp.MustCompile(args[0]), met: make(chan struct{})}
	cmd := lineOf(ts, args[1], args[2:])
	cmd.Stdout, cmd.Stderr = seen, seen
	ts.Check(cmd.Start())
	limit := time.AfterFunc(time.Minute, func() { _ = cmd.Process.Kill() }) // it may have ended
	defer limit.Stop()
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	if err := wait(seen, cmd, ended); err != nil || !seen.matched() {
		ts.Fatalf("%s: %v; wanted is %q:\n%s", args[1], err, args[0], seen)
	}
}

// lineOf makes the command of a line that may begin with variables.
func lineOf(ts *testscript.TestScript, line string, flags []string) *exec.Cmd {
	fields := regexp.MustCompile(`"[^"]*"|\S+`).FindAllString(line, -1)
	for i := range fields {
		fields[i] = strings.Trim(fields[i], `"`)
	}
	var variables []string
	for strings.Contains(fields[0], "=") {
		variables, fields = append(variables, fields[0]), fields[1:]
	}
	path, err := exec.LookPath(fields[0])
	ts.Check(err)
	cmd := exec.Command(path, append(fields[1:], flags...)...)
	cmd.Dir = ts.Getenv("WORK")
	for _, name := range []string{"PATH", "HOME", "TMPDIR", "GOCOVERDIR", "ROLLCALL_CONFIG"} {
		if value := ts.Getenv(name); value != "" {
			cmd.Env = append(cmd.Env, name+"="+value)
		}
	}
	cmd.Env = append(cmd.Env, variables...)
	return cmd
}

// watched is output that is waited for.
type watched struct {
	pattern *regexp.Regexp
	mu      sync.Mutex // guards what follows
	text    bytes.Buffer
	met     chan struct{} // closed once the text matches
	closed  bool
}

// Write adds to the text.
func (w *watched) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.text.Write(p)
	if !w.closed && w.pattern.Match(w.text.Bytes()) {
		w.closed = true
		close(w.met)
	}
	return len(p), nil
}

func (w *watched) matched() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.closed
}

// String is all that was written.
func (w *watched) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.String()
}
