package main

import (
	"context"
	"errors"
	"fmt"
	"os/signal"

	"github.com/spf13/cobra"

	"rollcall/cmd/rollcall/config"
	"rollcall/cmd/rollcall/service"
)

const runHelp = `Run is the worker: it asks DingTalk about the tracked meetings on each tenant's
schedule and publishes what changed to NATS. Without nats.url in the
configuration it brings its own NATS server, whose data is in data_dir.

The first SIGINT or SIGTERM stops it in order: nothing more is asked, and what
was answered is stored, within five seconds; what is left waits in data_dir. A second
signal exits immediately.

The configuration is read again every 30 s and at SIGHUP: changed tenants, targets,
routes and the log's level take effect at once, other keys at the next start. One with
mistakes changes nothing, and the log says so. SIGHUP also lets it call DingTalk again where
a refusal keeps it waiting, such as a quota that was used up until somebody bought
more. A restart does, too.

With OTEL_EXPORTER_OTLP_ENDPOINT it sends traces: docs/operations.md.`

func runCommand(p *program) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "run",
		Short:   "Watch the tracked meetings and publish what changes in them",
		Long:    runHelp,
		Example: "  rollcall run --config rollcall.yaml\n  ROLLCALL_CONFIG=rollcall.yaml rollcall run",
		Args:    cobra.NoArgs,
	}
	addConfigFlag(cmd)
	withForwarder := cmd.Flags().Bool("with-forwarder", false, "tell chat groups and webhooks, too, as \"rollcall forward\" does")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		hung := hangups()
		defer signal.Stop(hung)
		source, err := p.configSource(cmd)
		if err != nil {
			return err
		}
		loaded, err := p.readConfig(cmd.Context(), source)
		if err != nil {
			return err
		}
		log, level, err := newLeveledLogger(p.stderr, loaded.Config.Log)
		if err != nil {
			return err
		}
		s, err := service.New(loaded.Config, thisBuild().Version, log)
		if err != nil {
			return fmt.Errorf("start: %w", err)
		}
		if *withForwarder {
			if err := s.Forward(); err != nil {
				return errors.Join(fmt.Errorf("start the forwarder: %w", err), s.Close())
			}
		}
		s.Level, s.Commit = &level, thisBuild().Commit
		s.Reload = func(ctx context.Context) (config.Config, error) {
			loaded, err := p.readConfig(ctx, source)
			return loaded.Config, err
		}
		end, err := traced(cmd.Context(), p.env, log)
		if err != nil {
			return errors.Join(err, s.Close())
		}
		defer end()
		defer onHangup(hung, s.Hangup)()
		defer ballast()()
		return s.Run(cmd.Context())
	}
	return cmd
}
