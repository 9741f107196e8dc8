package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"rollcall/cmd/rollcall/service"
)

const runHelp = `Run is the worker: it asks DingTalk about the tracked meetings on each tenant's
schedule and publishes what changed to NATS. Without nats.url in the
configuration it brings its own NATS server, whose data is in data_dir.

The first SIGINT or SIGTERM stops it in order: nothing more is asked, and what
was answered is stored, for at most ten seconds. A second signal exits immediately.

SIGHUP lets it call DingTalk again where a refusal keeps it waiting, such as a
quota that was used up until somebody bought more. A restart does, too.`

func runCommand(p *program) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "run",
		Short:   "Watch the tracked meetings and publish what changes in them",
		Long:    runHelp,
		Example: "  rollcall run --config rollcall.yaml\n  ROLLCALL_CONFIG=rollcall.yaml rollcall run",
		Args:    cobra.NoArgs,
	}
	addConfigFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		cfg, err := p.loadConfig(cmd)
		if err != nil {
			return err
		}
		log, err := newLogger(p.stderr, cfg.Log)
		if err != nil {
			return err
		}
		s, err := service.New(cfg, thisBuild().Version, log)
		if err != nil {
			return fmt.Errorf("start: %w", err)
		}
		defer onHangup(s.Resume)()
		defer ballast()()
		return s.Run(cmd.Context())
	}
	return cmd
}
