package main

import (
	"context"
	"fmt"
	"net"

	"github.com/nats-io/nats.go"
	"github.com/spf13/cobra"

	"rollcall/cmd/rollcall/config"
	"rollcall/cmd/rollcall/page"
	"rollcall/console"
)

const consoleHelp = `Console serves the live page in a process of its own: which meetings go on, who
is in them, and how old that is, of all workers on the NATS that --nats or the
configuration names. It needs a reader's rights. The worker serves the same page at
http.listen; a process of its own reads all the time, so that its charts have a past.

Beyond loopback it wants http.page.token_file or http.page.proxies in the configuration.`

func consoleCommand(p *program) *cobra.Command {
	var flags remoteFlags
	cmd := &cobra.Command{
		Use:     "console",
		Short:   "Serve the live page, beside any number of workers",
		Long:    consoleHelp,
		Example: "  rollcall console\n  rollcall console --nats nats://127.0.0.1:4222 --listen 127.0.0.1:8090",
		Args:    cobra.NoArgs,
	}
	addConfigFlag(cmd)
	cmd.Flags().StringVar(&flags.nats, "nats", "", "the `URL` of NATS (default: the configuration's)")
	cmd.Flags().StringVar(&flags.stream, "stream", "", "the stream's `name` (default: the configuration's, MEETINGS)")
	cmd.Flags().StringVar(&flags.prefix, "prefix", "", "what its subjects begin with (default: the configuration's, meetings)")
	listen := cmd.Flags().String("listen", "127.0.0.1:8090", "the `ADDRESS` at which the page is served")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		cfg, err := p.configured(cmd, flags)
		if err != nil {
			return err
		}
		if cfg.HTTP.Listen = *listen; !cfg.HTTP.Page.Served(*listen) {
			return usageErrorf("--listen %s lets other machines look, and nobody is asked for anything: set http.page.token_file or http.page.proxies in the configuration, or listen on loopback", *listen)
		}
		return p.serveConsole(cmd.Context(), cfg)
	}
	return cmd
}

// serveConsole serves the page until ctx ends.
func (p *program) serveConsole(ctx context.Context, cfg config.Config) error {
	server, err := console.Listen(cfg.HTTP.Listen)
	if err != nil {
		return err
	}
	defer func() { _ = server.Close() }() // it has ended, or was never begun
	conn, err := p.connect(ctx, cfg)
	if err != nil {
		return err
	}
	defer conn.Close()
	log, err := newLogger(p.stderr, config.Log{Level: "warn", Format: "console"})
	if err != nil {
		return err
	}
	server.Hosts, server.Health, server.Logger = cfg.HTTP.Hosts, reaching{conn}, log
	if server.Page, err = page.New(cfg, conn, true, log); err != nil {
		return err
	}
	if _, err := fmt.Fprintf(p.stdout, "the live page is at %s; Ctrl-C ends it\n", pageURL(server.Addr())); err != nil {
		return err
	}
	return server.Run(ctx)
}

// reaching says how the console does: whether it reaches NATS.
type reaching struct{ conn *nats.Conn }

// Health is asked at each request of /readyz.
func (r reaching) Health() []console.Check {
	return []console.Check{{Name: "nats", OK: r.conn.IsConnected(), Detail: "connection to NATS: " + r.conn.Status().String()}}
}

// pageURL is what one types to see the page.
func pageURL(at net.Addr) string { return "http://" + at.String() + "/" }
