package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"rollcall/cmd/rollcall/forward"
	"rollcall/forwarder"
	"rollcall/forwarder/target"
	"rollcall/internal/safetext"
)

func forwardTestCommand(p *program) *cobra.Command {
	var f remoteFlags
	cmd := &cobra.Command{
		Use:   "test TARGET",
		Short: "Send one sample to a target, and explain the answer",
		Long: `Test sends one sample message by each robot of a target, and says what the service
has answered. It keeps to the target's limits, and counts against its messages
of the month. Exit code 1: a sample did not arrive.`,
		Example: "  rollcall forward test team --config rollcall.yaml",
		Args:    cobra.ExactArgs(1),
	}
	forwardFlags(cmd, &f)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return p.forwarding(cmd, f, func(ctx context.Context, f *forward.Forwarding) error {
			failed := 0
			err := f.Test(ctx, args[0], func(robot, robots int, out target.Outcome) {
				if out.Class != target.Delivered {
					failed++
				}
				_, _ = fmt.Fprintf(p.stdout, "%s, robot %d of %d: %s\n", args[0], robot, robots, explained(out))
			})
			if err == nil && failed > 0 {
				err = fmt.Errorf("%d samples did not arrive", failed)
			}
			return err
		})
	}
	return cmd
}

// explained says what became of a message, for people.
func explained(out target.Outcome) string {
	words := map[target.Class]string{
		target.RateLimited: "too many messages (rateLimited)", target.AuthError: "the address, the secret or the keyword is refused (authError)",
		target.ClientError: "the message is refused (clientError)", target.ServerError: "the service has a fault (serverError)",
		target.Unreachable: "no answer (unreachable)", target.Gone: "switched off for good (gone)",
	}[out.Class]
	switch {
	case out.Queued:
		words = "queued (202), which is all that can be known from here: whether it is shown stands in the flow's run history"
	case out.Class == target.Delivered:
		words = "delivered"
	}
	if out.Pause > 0 {
		words += fmt.Sprintf("; the service wants silence for %s", out.Pause)
	}
	return strings.TrimSuffix(words+": "+safetext.Line(out.Detail), ": ")
}

func forwardResendCommand(p *program) *cobra.Command {
	var f remoteFlags
	cmd := &cobra.Command{
		Use:   "resend TARGET",
		Short: "Tell a target again what has happened, as after an outage of the service",
		Long: `Resend tells a target what its routes match of the events of the last hours, whether
it was told before or not: a message for each meeting, or one digest where there are
many; a webhook is sent the events, with the ids that they had. It keeps to the
target's limits, and changes nothing of what is told besides.`,
		Example: "  rollcall forward resend team --since 2h --config rollcall.yaml",
		Args:    cobra.ExactArgs(1),
	}
	forwardFlags(cmd, &f)
	since := cmd.Flags().Duration("since", 0, "the events of the last `2h`, 10m …; required")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		from, err := sinceFlag(*since, true)
		if err != nil {
			return err
		}
		return p.forwarding(cmd, f, func(ctx context.Context, f *forward.Forwarding) error {
			sent := 0
			err := f.Resend(ctx, args[0], from, func(title string, out target.Outcome) {
				sent++
				_, _ = fmt.Fprintf(p.stdout, "%s: %s\n", safetext.Line(title), explained(out))
			})
			if err == nil && sent == 0 {
				_, err = fmt.Fprintln(p.stdout, "nothing has happened since that the routes of "+args[0]+" tell of")
			}
			return err
		})
	}
	return cmd
}

func forwardPreviewCommand(p *program) *cobra.Command {
	var f remoteFlags
	cmd := &cobra.Command{
		Use:   "preview",
		Short: "Show what would have been told, and to whom, without sending it",
		Long: `Preview plays the events of the last hours to the routes, and prints each message
as text, with the time at which it would have been sent, had every message been
taken. Nothing is sent, and nothing is written.`,
		Example: "  rollcall forward preview --since 1h --config rollcall.yaml",
		Args:    cobra.NoArgs,
	}
	forwardFlags(cmd, &f)
	since := cmd.Flags().Duration("since", 0, "the events of the last `1h`, 10m …; required")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		from, err := sinceFlag(*since, true)
		if err != nil {
			return err
		}
		return p.forwarding(cmd, f, func(ctx context.Context, f *forward.Forwarding) error {
			return f.Preview(ctx, from, previewed(p.stdout))
		})
	}
	return cmd
}

// previewed prints messages that would have been sent. Their text is safe for a terminal.
func previewed(w io.Writer) func(forwarder.Previewed) error {
	return func(m forwarder.Previewed) error {
		text := "  " + strings.ReplaceAll(strings.TrimSpace(m.Title+"\n"+m.Text), "\n", "\n  ")
		_, err := fmt.Fprintf(w, "%s  %s → %s  (%s)\n%s\n", m.At.UTC().Format(time.RFC3339), m.Route, m.Target, m.Kind, text)
		return err
	}
}

func forwardStatusCommand(p *program) *cobra.Command {
	var f remoteFlags
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Show what was told to each target, what waits, and what is wrong",
		Long: `Status shows of each target how many messages it was sent and how many events wait
for it, until when it is paused, how many events could not be told (cut, or
undelivered), how many messages of the month are used, and what went wrong last.`,
		Example: "  rollcall forward status --config rollcall.yaml",
		Args:    cobra.NoArgs,
	}
	forwardFlags(cmd, &f)
	cmd.Flags().BoolVar(&f.asJSON, "json", false, "one JSON object a target, one line each")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		return p.forwarding(cmd, f, func(ctx context.Context, once *forward.Forwarding) error {
			all, err := once.Status(ctx)
			if err != nil {
				return err
			}
			return showTargets(p.stdout, all, f.asJSON)
		})
	}
	return cmd
}

func showTargets(w io.Writer, all []forwarder.TargetStatus, asJSON bool) error {
	rows := [][]string{{"TARGET", "KIND", "SENT", "WAITING", "PAUSED UNTIL", "DROPPED", "MONTH", "TROUBLE"}}
	for _, t := range all {
		if asJSON {
			if err := writeJSON(w, t); err != nil {
				return err
			}
			continue
		}
		rows = append(rows, targetRow(t))
	}
	if asJSON {
		return nil
	}
	return writeTable(w, rows)
}

func targetRow(t forwarder.TargetStatus) []string {
	var sent, dropped uint64
	waiting, last := 0, ""
	for _, r := range t.Routes {
		sent, dropped, waiting = sent+r.Messages, dropped+r.Cut+r.Undelivered, waiting+r.Waiting
		last = cmp.Or(last, r.LastError)
	}
	month := fmt.Sprint(t.Sent, " of ", t.Monthly)
	if t.Monthly == forwarder.Unlimited {
		month = "-"
	}
	paused := "-"
	if !t.PausedUntil.IsZero() {
		paused = t.PausedUntil.UTC().Format(time.RFC3339)
	}
	trouble := cmp.Or(t.Trouble, "-")
	if why := cmp.Or(t.Reason, last); why != "" {
		trouble = strings.TrimPrefix(trouble+": "+safetext.Field(why, 100), "-: last ")
	}
	return []string{t.Target, t.Kind, fmt.Sprint(sent), fmt.Sprint(waiting), paused, fmt.Sprint(dropped), month, trouble}
}
