package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"rollcall/internal/ledger"
	"rollcall/poller/budget"
	"rollcall/store"
)

const budgetHelp = `Budget shows where the calls of the month go, one line a tenant: how many
poll.monthly_calls allows, how many are spent and on what, how many workers have
reserved to spend them (they tell what they spent when they reserve more, and
when they stop), how many are left, and how far apart calls about meetings may
be now if any go on. A month is one of China (UTC+8), as DingTalk counts.

MEDIAN and 95% say how fresh it is: how old what was known of meetings was, half
of the time and 95 % of the time, in the last 60 minutes in which meetings went
on while the present workers ran.

PUSHES, where DingTalk pushes what happens (push.enabled), is how many of the month
are used, and how many may be.

The calls of a tenant with "unlimited" are not counted in NATS; /metrics of its
workers has them as rollcall_calls_total.

With --plan it asks nobody, and forecasts a month: what a schedule takes for so
many meetings at a time, how old what is known gets, and what --calls allow
instead. Meetings are taken to go on for --hours-per-day on --days, which a
worker learns within a week or two; before that it keeps the pace of "around the
clock". --waiting and --ends add what lookups of single meetings take: one every
5 minutes at most for each that is tracked before it begins (its start time, where
DingTalk tells it, is waited for), and one for each that ends. --members,
--ends and --people add the lists of members that are read. With --config it plans
for the tenants of the configuration; flags override it.`

func budgetCommand(p *program) *cobra.Command {
	var flags remoteFlags
	var plan planFlags
	cmd := &cobra.Command{
		Use:   "budget",
		Short: "Show where the calls of the month go, or plan a month",
		Long:  budgetHelp,
		Example: `  rollcall budget
  rollcall budget --tenant acme --month 2026-11 --json
  rollcall budget --plan --schedule "@every 15s" --meetings 40 --calls 5000
  rollcall budget --plan --config rollcall.yaml --meetings 40 --hours-per-day 8 --days 22`,
		Args: cobra.NoArgs,
	}
	flags.addTo(cmd)
	cmd.Flags().Lookup("tenant").Usage = "the `name` of one tenant (default: all)"
	cmd.Flags().Lookup("json").Usage = "a list in JSON on one line"
	month := cmd.Flags().String("month", "", "the `MONTH` to show, such as 2026-11 (default: this one)")
	plan.addTo(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := plan.check(cmd); err != nil {
			return err
		}
		if plan.wanted {
			return p.plan(cmd, flags, plan)
		}
		now := time.Now()
		m := budget.MonthOf(now)
		if *month != "" {
			if m = budget.Month(*month); m.Start().IsZero() {
				return usageErrorf("--month %q is no month; write for example %s", *month, budget.MonthOf(now))
			}
		}
		return p.showBudgets(cmd, flags, m, now)
	}
	return cmd
}

// showBudgets shows how the tenants' month stands.
func (p *program) showBudgets(cmd *cobra.Command, f remoteFlags, m budget.Month, now time.Time) error {
	books, err := p.readBooks(cmd, f, m)
	if err != nil {
		return err
	}
	all := books.spendings(m, f.tenant, now)
	switch {
	case f.asJSON:
		return writeJSON(p.stdout, all)
	case len(all) == 0:
		_, err := fmt.Fprintln(p.stdout, "nothing is known: no worker lives, and none has reserved calls in that month")
		return err
	}
	return writeTable(p.stdout, spendingRows(all))
}

// books are what is stored of the tenants' budgets, and what their workers say.
type books struct {
	accounts, hours map[string][]byte // by tenant
	pushes          map[string][]byte // the same
	members         []ledger.Member
	configured      map[string]int64 // the calls a month by the configuration; 0: unlimited
}

func (p *program) readBooks(cmd *cobra.Command, f remoteFlags, m budget.Month) (books, error) {
	s, err := p.open(cmd, f)
	if err != nil {
		return books{}, err
	}
	defer s.conn.Close()
	b := books{configured: make(map[string]int64)}
	for _, t := range s.cfg.Tenants {
		b.configured[t.Name] = max(0, int64(t.Poll.MonthlyCalls))
	}
	err = retryRead(cmd.Context(), func(ctx context.Context) error { return b.read(ctx, s.ledger(), m) })
	return b, err
}

func (b *books) read(ctx context.Context, from *store.JetStream, m budget.Month) (err error) {
	if b.members, err = from.Members(ctx); err != nil {
		return err
	}
	if b.accounts, err = from.Budgets(ctx, string(m)); err != nil {
		return err
	}
	if b.hours, err = from.Budgets(ctx, budget.HoursKey); err != nil {
		return err
	}
	b.pushes, err = from.Budgets(ctx, budget.PushesKey(m))
	return err
}
