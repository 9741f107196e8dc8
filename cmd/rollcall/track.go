package main

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"rollcall"
	"rollcall/cmd/rollcall/control"
	"rollcall/internal/safetext"
)

const trackHelp = `Track lets meetings be watched from now on: DingTalk is asked about each at once,
and its state is shown, one line a meeting. What is tracked stays tracked over
restarts, until the meeting ends or is untracked. A meeting that is over already
is asked about once, and not tracked. One of which DingTalk tells nothing is
reported as failed; it stays tracked, since it may only begin later. One that DingTalk
does not know is asked about a few times more (poll.missing_after_polls), and then
untracked: its id may be wrong.`

func trackCommand(p *program) *cobra.Command {
	var flags remoteFlags
	var words []string
	cmd := &cobra.Command{
		Use:     "track ID...",
		Short:   "Watch meetings from now on, and tell their state",
		Long:    trackHelp + remoteHelp,
		Example: "  rollcall track 6f1a2b\n  rollcall track --tenant acme 6f1a2b 7c3d4e\n  rollcall track 6f1a2b --label team=blue --label floor=3",
		Args:    checkIDs,
	}
	flags.addTo(cmd)
	cmd.Flags().StringArrayVar(&words, "label", nil, "`KEY=VALUE` for every event of the meeting, in place of the labels that it has; may be repeated, and \"\" takes them away")
	cmd.RunE = func(cmd *cobra.Command, ids []string) error {
		labels, err := labelsOf(words)
		if err != nil {
			return err
		}
		return p.askWorkers(cmd, flags, func(c *control.Client) error {
			return p.forEachID(cmd.Context(), ids, flags.asJSON, func(ctx context.Context, id string) (control.Meeting, error) {
				return c.TrackAs(ctx, id, labels)
			})
		})
	}
	return cmd
}

// labelsOf reads KEY=VALUE words, nil where there are none; its errors are usage errors.
func labelsOf(words []string) (rollcall.Labels, error) {
	if words == nil {
		return nil, nil
	}
	labels := rollcall.Labels{}
	for _, word := range words {
		key, value, said := strings.Cut(word, "=")
		_, twice := labels[key]
		switch {
		case word == "":
			continue
		case !said:
			return nil, usageErrorf("--label %q has no value; write it as KEY=VALUE", safetext.Field(word, 80))
		case twice:
			return nil, usageErrorf("--label %q is given twice", safetext.Field(key, 80))
		}
		if err := rollcall.CheckLabel(key, value); err != nil {
			return nil, usageErrorf("--label: %w", err)
		}
		labels[key] = value
	}
	if err := labels.Check(); err != nil {
		return nil, usageErrorf("--label: %w", err)
	}
	return labels, nil
}
