package main

import (
	"context"
	"fmt"
	"os/signal"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/spf13/cobra"

	"rollcall/cmd/rollcall/config"
	"rollcall/cmd/rollcall/forward"
	"rollcall/internal/natsconn"
)

const forwardHelp = `Forward tells chat groups and webhooks what happens in meetings, as the section
"forward" of the configuration says. It reads the events from NATS and needs
nothing else of it: a file with "nats" and "forward" is enough. Several may run;
one of them works each route, and another takes over where it dies.

A route that was never worked before begins with what happens from now on, or
with --since with what happened in the last minutes or hours.

The configuration is read again every 30 s and at SIGHUP: changed targets and routes
take effect at once, and go on where they were. One with mistakes changes nothing.

"rollcall run --with-forwarder" does the same in the worker's process.`

func forwardCommand(p *program) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "forward",
		Short: "Tell chat groups and webhooks what happens in meetings",
		Long:  forwardHelp,
		Example: `  rollcall forward --config rollcall.yaml
  rollcall forward --config rollcall.yaml --since 10m`,
		Args: cobra.NoArgs,
	}
	var f remoteFlags
	forwardFlags(cmd, &f)
	since := cmd.Flags().Duration("since", 0, "begin new routes with the events of the last `10m`, 2h …")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		from, err := sinceFlag(*since, false)
		if err != nil {
			return err
		}
		return p.forward(cmd, f, from)
	}
	cmd.AddCommand(forwardTestCommand(p), forwardStatusCommand(p), forwardResendCommand(p), forwardPreviewCommand(p))
	return cmd
}

func forwardFlags(cmd *cobra.Command, f *remoteFlags) {
	addConfigFlag(cmd)
	cmd.Flags().StringVar(&f.nats, "nats", "", "the `URL` of NATS (default: the configuration's)")
}

// sinceFlag reads --since.
func sinceFlag(since time.Duration, required bool) (time.Time, error) {
	switch {
	case since < 0:
		return time.Time{}, usageErrorf("--since %s lies in the future; give a duration such as 10m", since)
	case since == 0 && required:
		return time.Time{}, usageErrorf("since when? Give --since a duration such as 2h")
	case since == 0:
		return time.Time{}, nil
	}
	return time.Now().Add(-since), nil
}

// forwardConfig reads a configuration that says whom to tell.
func (p *program) forwardConfig(cmd *cobra.Command, f remoteFlags) (config.Config, error) {
	cfg, err := p.configured(cmd, f)
	if err == nil && len(cfg.Forward.Targets) == 0 {
		err = usageErrorf("the configuration names nobody to tell: give it forward.targets and forward.routes, and its file to --config")
	}
	return cfg, err
}

func (p *program) forward(cmd *cobra.Command, flags remoteFlags, since time.Time) error {
	hung := hangups()
	defer signal.Stop(hung)
	cfg, err := p.forwardConfig(cmd, flags)
	if err != nil {
		return err
	}
	log, level, err := newLeveledLogger(p.stderr, cfg.Log)
	if err != nil {
		return err
	}
	asked := make(chan struct{}, 1)
	defer onHangup(hung, func() {
		select {
		case asked <- struct{}{}:
		default: // it is about to be read
		}
	})()
	f := forward.Forwarding{Config: cfg, Since: since, Log: log, Registry: prometheus.NewRegistry(), Asked: asked, Level: &level}
	f.Reload = func(context.Context) (config.Config, error) { return p.configured(cmd, flags) }
	if err := f.Prepare(); err != nil {
		return err
	}
	f.Conn, err = natsconn.Connect(operating(cfg.NATS).Client(), log)
	if err != nil {
		return err
	}
	defer f.Conn.Close()
	return f.Serve(cmd.Context())
}

// operating is how to connect to change something: to the server that a worker
// embeds by the operator's token, where there is one.
func operating(n config.NATS) config.NATS {
	if token := n.Embedded.OperatorTokenFile; n.URL == "" && token != "" {
		n.TokenFile, n.User, n.PasswordFile = token, "", ""
	}
	return n
}

// forwarding connects, for a command that looks at what a forwarder does, or does it once.
func (p *program) forwarding(cmd *cobra.Command, f remoteFlags, do func(ctx context.Context, f *forward.Forwarding) error) error {
	cfg, err := p.forwardConfig(cmd, f)
	if err != nil {
		return err
	}
	cfg.NATS = operating(cfg.NATS)
	log, err := newLogger(p.stderr, config.Log{Level: "warn", Format: "console"})
	if err != nil {
		return err
	}
	once := &forward.Forwarding{Config: cfg, Log: log}
	if err := once.Prepare(); err != nil {
		return err
	}
	if once.Conn, err = p.connect(cmd.Context(), cfg); err != nil {
		return err
	}
	defer once.Conn.Close()
	if err := do(cmd.Context(), once); err != nil {
		return fmt.Errorf("%s: %w", cmd.Name(), err)
	}
	return nil
}
