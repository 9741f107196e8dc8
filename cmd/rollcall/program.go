package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"rollcall/internal/safetext"
)

// The exit codes.
const (
	exitDone    = 0
	exitFailed  = 1
	exitMisused = 2
)

// program is what the commands have of the world.
type program struct {
	args           []string
	stdin          io.Reader // nil: nobody can be asked
	stdout, stderr io.Writer
	env            func(string) (string, bool)
	// more are commands beside the ones that are always there.
	more []*cobra.Command
}

// run runs the command that args name, until ctx is over, and returns the exit code.
func (p *program) run(ctx context.Context) int {
	// What goes wrong before a command begins is the caller's mistake.
	begun := false
	root := p.root()
	root.PersistentPreRun = func(*cobra.Command, []string) { begun = true }
	cmd, err := root.ExecuteContextC(ctx)
	switch {
	case err == nil, ctx.Err() != nil && errors.Is(err, context.Canceled):
		return exitDone
	case errors.Is(err, syscall.EPIPE): // nobody reads on, as after "| head"
		return exitDone
	case begun && !errors.Is(err, errUsage):
		p.complain(err.Error())
		return exitFailed
	}
	p.complain(fmt.Sprintf("%v\nrun %q for usage", err, cmd.CommandPath()+" --help"))
	return exitMisused
}

// complain writes an error, which may quote strangers, line by line.
func (p *program) complain(text string) {
	var b strings.Builder
	front := "rollcall: "
	for line := range strings.SplitSeq(text, "\n") {
		indent := len(line) - len(strings.TrimLeft(line, " \t"))
		b.WriteString(front + strings.Repeat(" ", indent) + safetext.Line(line[indent:]) + "\n")
		front = "  "
	}
	_, _ = io.WriteString(p.stderr, b.String())
}

// errUsage marks the mistakes of the program's caller.
var errUsage = errors.New("usage error")

// usageError is such a mistake; it prints without the mark.
type usageError struct{ error }

// Is makes the mistake match [errUsage].
func (usageError) Is(target error) bool { return target == errUsage }

// Unwrap returns the mistake itself.
func (u usageError) Unwrap() error { return u.error }

// usageErrorf returns the error for a mistake of the program's caller.
func usageErrorf(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }
