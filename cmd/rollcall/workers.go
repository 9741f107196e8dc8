package main

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"rollcall/internal/ledger"
	"rollcall/wire"
	"rollcall/worker/membership"
)

const workersHelp = `Workers shows who asks about what: the workers that live, the shards that each
holds, under which term, how many meetings are in them, and how long ago the
tenant's last pass was answered. A worker without a shard stands by.`

func workersCommand(p *program) *cobra.Command {
	var flags remoteFlags
	cmd := &cobra.Command{
		Use:     "workers",
		Short:   "Show which worker asks about what",
		Long:    workersHelp,
		Example: "  rollcall workers\n  rollcall workers --nats nats://127.0.0.1:4222 --json",
		Args:    cobra.NoArgs,
	}
	flags.addTo(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		s, err := p.open(cmd, flags)
		if err != nil {
			return err
		}
		defer s.conn.Close()
		var members []ledger.Member
		if err := retryRead(cmd.Context(), func(ctx context.Context) (err error) {
			members, err = s.ledger().Members(ctx)
			return err
		}); err != nil {
			return err
		}
		all := ownersOf(members, flags.tenant)
		if flags.asJSON {
			return writeJSON(p.stdout, all)
		}
		if len(all) == 0 {
			_, err := fmt.Fprintln(p.stdout, "no worker lives; \"rollcall run\" starts one")
			return err
		}
		return writeTable(p.stdout, workerRows(all, time.Now()))
	}
	return cmd
}

// owners is a worker as it is shown.
type owners struct {
	Worker  string            `json:"worker"`
	Shards  []membership.Held `json:"shards"`
	Version string            `json:"version,omitempty"` // of its program
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
		one.Version = info.Version
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
