package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"rollcall/cmd/rollcall/verify"
	"rollcall/internal/safetext"
)

const verifyHelp = `Verify-consumer holds a program, in any language, to the rules for consumers. It
starts COMMAND, writes events to its standard input, each a CloudEvent in JSON
on a line, as "rollcall tail --json" does, and asks it who is where. Two more
kinds of line come between them:

  {"ask":"rosters"}   answer in one line on standard output, and flush it:
    {"rosters": {"acme/6f1a": [{"key": "u42", "attendance": "present"}]},
     "gaps": [], "joined": {"acme/6f1a": 1}}
  {"record":{…}}      the record of a meeting, as it is stored; it takes the
                      place of what is known of the meeting, and fills a gap

Meetings are named tenant/conferenceId. "rosters" has those who are invited,
joining or present; userId, nick, mic, camera and session are compared where
they are given. "gaps" names the meetings of which an event is missing, until
their record or another epoch comes. "joined" is how many people have joined,
without those who were there at the first look and without repetitions.

When every rule is kept the scenarios are played, with repetitions, gaps, new
epochs, exchanged polls, unknown types and newer schemas. What COMMAND has to
say besides belongs on its standard error. Exit code 1: a rule is broken.`

func verifyCommand(p *program) *cobra.Command {
	var timeout time.Duration
	cmd := &cobra.Command{
		Use:     "verify-consumer -- COMMAND [ARGUMENT…]",
		Short:   "Hold a program that consumes events to the rules, and name what it breaks",
		Long:    verifyHelp,
		Example: `  rollcall verify-consumer -- python3 consumer.py`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usageErrorf("name the program behind --: rollcall verify-consumer -- python3 consumer.py")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if timeout <= 0 {
				return usageErrorf("--timeout %s leaves no time; give a duration such as 30s", timeout)
			}
			return p.verify(cmd, verify.Consumer{Command: args, Timeout: timeout})
		},
	}
	cmd.Flags().DurationVar(&timeout, "timeout", 30*time.Second, "how long an answer may take: `30s`, 1m …")
	return cmd
}

// verify prints a line for each rule; the error counts those that are broken.
func (p *program) verify(cmd *cobra.Command, consumer verify.Consumer) error {
	var unwritten error
	kept := 0
	broken, err := consumer.Verify(cmd.Context(), func(v verify.Verdict) {
		line := "ok      " + v.Right
		if kept++; v.Breach != "" {
			line, kept = "FAILED  "+v.Fault+": "+safetext.Line(v.Breach), kept-1
		}
		if _, err := fmt.Fprintln(p.stdout, line); unwritten == nil {
			unwritten = err
		}
	})
	switch {
	case err != nil:
		return err
	case unwritten != nil:
		return unwritten
	case broken > 0:
		return fmt.Errorf("the consumer breaks rules: %d of %d; docs/consumers.md has them", broken, broken+kept)
	}
	return nil
}
