package main

import (
	"context"

	"github.com/spf13/cobra"

	"rollcall/cmd/rollcall/control"
)

const untrackHelp = `Untrack takes meetings off the tracked set: nobody asks about them any more. Of a
meeting that goes on the event meeting.untracked is published, and its last
state is shown, one line a meeting. One that the configuration names comes back
with the next start: take it out there.`

func untrackCommand(p *program) *cobra.Command {
	var flags remoteFlags
	cmd := &cobra.Command{
		Use:     "untrack ID...",
		Short:   "Watch meetings no longer",
		Long:    untrackHelp + remoteHelp,
		Example: "  rollcall untrack 7c3d4e\n  rollcall untrack --tenant acme 6f1a2b",
		Args:    checkIDs,
	}
	flags.addTo(cmd)
	cmd.RunE = func(cmd *cobra.Command, ids []string) error {
		return p.askWorkers(cmd, flags, func(c *control.Client) error {
			return p.forEachID(cmd.Context(), ids, flags.asJSON, func(ctx context.Context, id string) (control.Meeting, error) {
				return c.Untrack(ctx, id)
			})
		})
	}
	return cmd
}
