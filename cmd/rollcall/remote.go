package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"rollcall"
	"rollcall/cmd/rollcall/config"
	"rollcall/cmd/rollcall/control"
	"rollcall/internal/safetext"
)

// remoteHelp stands below the help of the commands that talk to the workers.
const remoteHelp = `

The running workers are asked over NATS: that of --nats or of the configuration,
without either the one that a "rollcall run" on this machine brings. --tenant
may be left out where they serve only one. Exit code 1: it failed, of one
meeting at least.`

// remoteFlags say where a command reads, about which tenant, and how it shows
// what it has read.
type remoteFlags struct {
	nats, stream, prefix, tenant string
	asJSON                       bool
}

// workerCommands are the commands that talk to the running workers.
func workerCommands(p *program) []*cobra.Command {
	return []*cobra.Command{trackCommand(p), untrackCommand(p), listCommand(p), showCommand(p), forgetCommand(p)}
}

// addTo adds the flags to a command.
func (f *remoteFlags) addTo(cmd *cobra.Command) {
	addConfigFlag(cmd)
	flags := cmd.Flags()
	flags.StringVar(&f.nats, "nats", "", "the `URL` of NATS (default: the configuration's)")
	flags.StringVar(&f.stream, "stream", "", "the stream's `name` (default: the configuration's, MEETINGS)")
	flags.StringVar(&f.tenant, "tenant", "", "the tenant's `name` (default: the only one there is)")
	flags.BoolVar(&f.asJSON, "json", false, "the workers' answer in JSON, one line each")
}

// addToReader adds them to a command that reads the stream; asJSON says what --json writes.
func (f *remoteFlags) addToReader(cmd *cobra.Command, asJSON string) {
	f.addTo(cmd)
	cmd.Flags().StringVar(&f.prefix, "prefix", "", "what its subjects begin with (default: the configuration's, meetings)")
	cmd.Flags().Lookup("json").Usage = asJSON
}

// apply puts the flags over the configuration; its errors are usage errors.
func (f *remoteFlags) apply(cfg config.Config) (config.Config, error) {
	if f.nats != "" {
		if err := config.CheckURL(f.nats); err != nil {
			return cfg, usageErrorf("--nats %w", err)
		}
		cfg.NATS.URL = f.nats
	}
	cfg.Stream.Name = cmp.Or(f.stream, cfg.Stream.Name)
	cfg.Stream.Prefix = cmp.Or(f.prefix, cfg.Stream.Prefix)
	if err := cfg.Stream.Check(); err != nil {
		return cfg, usageErrorf("--stream, --prefix: %w", err)
	}
	if f.tenant != "" && !rollcall.ValidTenant(f.tenant) {
		return cfg, usageErrorf("--tenant %q cannot name a tenant; a name has 1 to 32 of a-z, 0-9 and -", f.tenant)
	}
	return cfg, nil
}

// configured reads the configuration and puts the flags over it.
func (p *program) configured(cmd *cobra.Command, f remoteFlags) (config.Config, error) {
	cfg, err := p.loadConfig(cmd)
	if err != nil {
		return cfg, err
	}
	return f.apply(cfg)
}

// askWorkers connects and lets do talk to the workers of the tenant.
func (p *program) askWorkers(cmd *cobra.Command, f remoteFlags, do func(*control.Client) error) error {
	cfg, err := p.configured(cmd, f)
	if err != nil {
		return err
	}
	if token := cfg.NATS.Embedded.OperatorTokenFile; cfg.NATS.URL == "" && token != "" {
		cfg.NATS.TokenFile, cfg.NATS.User, cfg.NATS.PasswordFile = token, "", ""
	}
	conn, err := p.connect(cmd.Context(), cfg)
	if err != nil {
		return err
	}
	defer conn.Close()
	client := &control.Client{Conn: conn, Tenant: f.tenant, Names: cfg.Stream.Names()}
	if client.Tenant == "" {
		if client.Tenant, err = onlyTenant(cmd.Context(), client); err != nil {
			return err
		}
	}
	return do(client)
}

// onlyTenant finds the tenant where there is no choice.
func onlyTenant(ctx context.Context, c *control.Client) (string, error) {
	tenants, err := control.Tenants(ctx, c.Conn, c.Names)
	switch {
	case err != nil:
		return "", err
	case len(tenants) == 0:
		return "", fmt.Errorf("no worker of stream %s is found on %s: is \"rollcall run\" running there? "+
			"Where discovery ($SRV.INFO) is not permitted, --tenant makes do without", c.Names.Stream, c.Conn.ConnectedUrlRedacted())
	case len(tenants) > 1:
		return "", usageErrorf("there are several tenants: %s; name one with --tenant", strings.Join(tenants, ", "))
	}
	return tenants[0], nil
}

// checkIDs refuses ids before anything is asked; its errors are usage errors.
func checkIDs(_ *cobra.Command, ids []string) error {
	if len(ids) == 0 {
		return usageErrorf("which meeting? Give its id")
	}
	for _, id := range ids {
		if err := control.CheckID(id); err != nil {
			return usageErrorf("%q: %w", safetext.Field(id, 60), err)
		}
	}
	return nil
}

// forEachID asks about one meeting after the other, and reports in the end how
// many failed; each reason is written at once.
func (p *program) forEachID(ctx context.Context, ids []string, asJSON bool, ask func(context.Context, string) (control.Meeting, error)) error {
	failed := 0
	for _, id := range ids {
		answer, err := ask(ctx, id)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err == nil {
			err = p.tell(answer, asJSON)
		}
		if err != nil && len(ids) == 1 {
			return err
		}
		if err != nil {
			failed++
			p.complain(err.Error())
		}
	}
	if failed > 0 {
		return fmt.Errorf("%d of %d meetings failed", failed, len(ids))
	}
	return nil
}

// tell prints one line about a meeting.
func (p *program) tell(m control.Meeting, asJSON bool) error {
	if asJSON {
		return writeJSON(p.stdout, m)
	}
	_, err := fmt.Fprintf(p.stdout, "%s  %s  %s\n", safetext.Line(m.ConferenceID), safetext.Field(titleOf(m.State), titleWidth), standing(m.State))
	return err
}

// writeJSON writes an answer on one line, with what does not show escaped.
func writeJSON(w io.Writer, answer any) error {
	text, err := json.Marshal(answer)
	if err != nil {
		return fmt.Errorf("write the answer: %w", err)
	}
	_, err = io.WriteString(w, string(safetext.JSON(text))+"\n")
	return err
}
