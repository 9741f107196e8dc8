package main

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"rollcall/internal/ledger"
	"rollcall/internal/natsconn"
	"rollcall/store"
	"rollcall/wire"
	"rollcall/worker/membership"
)

const workersHelp = `Workers shows who asks about what: the workers that live, the shards that each
holds, under which term, how many meetings are in them, and how long ago the
tenant's last pass was answered. A worker without a shard stands by.`

func (p *program) workersCommand() *cobra.Command {
	var flags orderFlags
	cmd := &cobra.Command{
		Use:     "workers",
		Short:   "Show which worker asks about what",
		Long:    workersHelp,
		Example: "  rollcall workers\n  rollcall workers --nats nats://127.0.0.1:4222 --json",
		Args:    cobra.NoArgs,
	}
	flags.addTo(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		members, err := p.members(cmd, flags)
		if err != nil {
			return err
		}
		all := ownersOf(members, flags.tenant)
		if flags.asJSON {
			return p.writeJSON(all)
		}
		if len(all) == 0 {
			_, err := fmt.Fprintln(p.stdout, "no worker lives; \"rollcall run\" starts one")
			return err
		}
		return writeTable(p.stdout, workerRows(all, time.Now()))
	}
	return cmd
}

// members reads the workers that live.
func (p *program) members(cmd *cobra.Command, f orderFlags) (all []ledger.Member, err error) {
	cfg, err := p.loadConfig(cmd)
	if err != nil {
		return nil, err
	}
	if cfg, err = f.over(cfg); err != nil {
		return nil, err
	}
	conn, err := p.reach(cmd.Context(), cfg)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	js, err := natsconn.JetStream(conn, cfg.NATS.Domain, cfg.NATS.JSPrefix)
	if err != nil {
		return nil, err
	}
	names := cfg.Stream.Names()
	if err := known(cmd.Context(), js, names, f.tenant); err != nil {
		return nil, err
	}
	return all, insist(cmd.Context(), func(ctx context.Context) (err error) {
		all, err = store.Attach(js, names).Members(ctx)
		return err
	})
}

// owners is a worker as it is shown.
type owners struct {
	Worker string            `json:"worker"`
	Shards []membership.Held `json:"shards"`
	// Trouble says why nothing is known of the worker beside its id.
	Trouble string `json:"trouble,omitempty"`
}

// ownersOf reads what the members say; a tenant leaves out the shards of others.
func ownersOf(members []ledger.Member, tenant string) []owners {
	all := make([]owners, 0, len(members))
	for _, m := range members {
		one := owners{Worker: m.ID, Shards: []membership.Held{}}
		info, err := membership.ParseInfo(m.Info)
		if err != nil {
			one.Trouble = err.Error()
		}
		for _, held := range info.Shards {
			if tenant == "" || held.Tenant == tenant {
				one.Shards = append(one.Shards, held)
			}
		}
		all = append(all, one)
	}
	return all
}

func workerRows(all []owners, now time.Time) [][]string {
	rows := [][]string{{"WORKER", "TENANT", "SHARD", "TERM", "TRACKED", "ANSWERED", "TROUBLE"}}
	for _, one := range all {
		if len(one.Shards) == 0 {
			rows = append(rows, []string{one.Worker, "-", "-", "-", "-", "-", one.Trouble})
		}
		for _, h := range one.Shards {
			rows = append(rows, []string{
				one.Worker, h.Tenant, strconv.Itoa(h.Shard), strconv.FormatUint(h.Term, 10),
				strconv.Itoa(h.Tracked), ago(wire.Time{Time: h.LastGood}, now), "",
			})
		}
	}
	return rows
}
