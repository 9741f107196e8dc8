package main

import (
	"context"

	"github.com/spf13/cobra"

	"rollcall/cmd/rollcall/control"
)

const trackHelp = `Track lets meetings be watched from now on: DingTalk is asked about each at once,
and its state is told, one line a meeting. What is tracked stays tracked over
restarts, until the meeting ends or is untracked. A meeting that is over already
is asked about once, and not tracked. One of which DingTalk tells nothing is
told as failed; it stays tracked, since it may only begin later. One that DingTalk
does not know is asked about a few times more (poll.missing_after_polls), and then
untracked: its id may be wrong.`

func (p *program) trackCommand() *cobra.Command {
	var flags orderFlags
	cmd := &cobra.Command{
		Use:     "track ID...",
		Short:   "Watch meetings from now on, and tell their state",
		Long:    trackHelp + orderHelp,
		Example: "  rollcall track 6f1a2b\n  rollcall track --tenant acme 6f1a2b 7c3d4e",
		Args:    checkIDs,
	}
	flags.addTo(cmd)
	cmd.RunE = func(cmd *cobra.Command, ids []string) error {
		return p.order(cmd, flags, func(c *control.Client) error {
			return p.each(cmd.Context(), ids, flags.asJSON, func(ctx context.Context, id string) (control.Meeting, error) {
				return c.Track(ctx, id)
			})
		})
	}
	return cmd
}
