package main

import (
	"cmp"
	"math"
	"slices"

	"github.com/spf13/cobra"

	"rollcall/cmd/rollcall/config"
	"rollcall/cmd/rollcall/cost"
	"rollcall/poller"
)

// planFlags are the month that somebody wants a forecast of.
type planFlags struct {
	wanted                bool
	schedule, find        string
	meetings, batch, days int
	waiting, ends, people int
	members               string
	calls                 int64
	hours                 float64
}

// addTo returns a command the flags.
func (f *planFlags) addTo(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.BoolVar(&f.wanted, "plan", false, "forecast a month, without NATS")
	flags.StringVar(&f.schedule, "schedule", "", "with --plan: the `SCHEDULE` to ask on (default: the configuration's, @every 15s)")
	flags.IntVar(&f.meetings, "meetings", 0, "with --plan: how many go on at a time (default: those of track.conferences, 1)")
	flags.IntVar(&f.batch, "batch-size", 0, "with --plan: meetings a call (default: the configuration's, 100)")
	flags.Int64Var(&f.calls, "calls", 0, "with --plan: the calls that may be spent, 0 for unlimited (default: the configuration's monthly_calls)")
	flags.StringVar(&f.find, "find", "", "with --plan: the `SCHEDULE` on which the organization's list is read to find meetings (default: the configuration's)")
	flags.IntVar(&f.waiting, "waiting", 0, "with --plan: how many more are tracked at a time that have not begun: each is looked up by itself, every 5 minutes at most")
	flags.IntVar(&f.ends, "ends", 0, "with --plan: how many meetings end in the month: each is looked up once, and the list of its members is read")
	flags.IntVar(&f.people, "people", cost.DefaultPeople, "with --plan: how many people come to each of these")
	flags.StringVar(&f.members, "members", "", "with --plan: when lists of members are read: on_change, on_end or off (default: the configuration's)")
	flags.Float64Var(&f.hours, "hours-per-day", cost.OfficeHours, "with --plan: hours in which meetings go on, on each of --days")
	flags.IntVar(&f.days, "days", cost.OfficeDays, "with --plan: days in the month on which meetings go on")
}

// check refuses what cannot be; its errors are usage errors.
func (f *planFlags) check(cmd *cobra.Command) error {
	other, complaint := []string{"schedule", "meetings", "batch-size", "calls", "find", "waiting", "ends", "people", "members", "hours-per-day", "days"}, "--%s goes with --plan"
	if f.wanted {
		other, complaint = []string{"nats", "stream", "month"}, "--%s does not go with --plan, which asks nobody"
	}
	given := cmd.Flags().Changed
	for _, flag := range other {
		if given(flag) {
			return usageErrorf(complaint, flag)
		}
	}
	switch {
	case given("meetings") && (f.meetings < 1 || f.meetings > 1_000_000):
		return usageErrorf("--meetings is %d; a number from 1 to 1000000 is allowed", f.meetings)
	case given("batch-size") && (f.batch < 1 || f.batch > 1000):
		return usageErrorf("--batch-size is %d; a number from 1 to 1000 is allowed", f.batch)
	case f.waiting < 0 || f.waiting > 1_000_000:
		return usageErrorf("--waiting is %d; a number from 0 to 1000000 is allowed", f.waiting)
	case f.ends < 0 || f.ends > 1_000_000_000:
		return usageErrorf("--ends is %d; a number from 0 to 1000000000 is allowed", f.ends)
	case f.people < 1 || f.people > 1_000_000:
		return usageErrorf("--people is %d; a number from 1 to 1000000 is allowed", f.people)
	case given("members") && !slices.Contains([]string{config.MembersOnChange, config.MembersOnEnd, config.MembersOff}, f.members):
		return usageErrorf("--members is %q; on_change, on_end or off is allowed", f.members)
	case f.calls < 0:
		return usageErrorf("--calls is %d; a number of calls is allowed, 0 for unlimited", f.calls)
	case f.hours <= 0 || f.hours > 24 || math.IsNaN(f.hours):
		return usageErrorf("--hours-per-day is %g; a number above 0, at most 24, is allowed", f.hours)
	case f.days < 1 || f.days > 31:
		return usageErrorf("--days is %d; a number from 1 to 31 is allowed", f.days)
	}
	return nil
}

// plan forecasts a month for each tenant of the configuration, or for the
// flags alone.
func (p *program) plan(cmd *cobra.Command, remote remoteFlags, f planFlags) error {
	cfg, err := p.configured(cmd, remote)
	if err != nil {
		return err
	}
	tenants, err := planned(cfg.Tenants, remote.tenant)
	if err != nil {
		return err
	}
	var all []forecast
	for _, t := range tenants {
		plan, err := f.apply(cmd, t)
		if err != nil {
			return err
		}
		one, err := forecastOf(cmd.Context(), t.Name, plan)
		if err != nil {
			return err
		}
		all = append(all, one)
	}
	if remote.asJSON {
		return writeJSON(p.stdout, all)
	}
	for i, one := range all {
		if err := one.write(p.stdout, i == 0); err != nil {
			return err
		}
	}
	return nil
}

// planned returns the tenants to plan for; where there is none, the defaults.
func planned(tenants []config.Tenant, only string) ([]config.Tenant, error) {
	for _, t := range tenants {
		if t.Name == only {
			return []config.Tenant{t}, nil
		}
	}
	switch {
	case only != "":
		return nil, usageErrorf("--tenant %s: the configuration has no such tenant", only)
	case len(tenants) == 0:
		usual := config.TenantDefaults()
		usual.Members = "" // as the calls allow
		return []config.Tenant{usual}, nil
	}
	return tenants, nil
}

// apply puts the flags that were given over the plan of a tenant.
func (f *planFlags) apply(cmd *cobra.Command, t config.Tenant) (cost.Plan, error) {
	given := cmd.Flags().Changed
	if given("schedule") {
		t.Poll.Schedule = f.schedule
	}
	plan, err := cost.Of(t)
	if err != nil {
		return plan, usageError{err}
	}
	if given("meetings") {
		plan.Meetings = f.meetings
	}
	if given("batch-size") {
		plan.BatchSize = f.batch
	}
	if given("calls") {
		plan.Calls = f.calls
	}
	if given("find") {
		list, err := poller.ParseSchedule(f.find, t.Poll.Timezone)
		if err != nil {
			return plan, usageErrorf("--find: %w", err)
		}
		if list.Continuous() {
			return plan, usageErrorf("--find %s is for asking about meetings; looking for them wants a distance, such as @every 5m", f.find)
		}
		plan.Lists = []poller.Schedule{list}
	}
	plan.Meetings = max(plan.Meetings, 1)
	plan.Waiting, plan.Ends, plan.People = f.waiting, f.ends, f.people
	plan.Members = cmp.Or(f.members, plan.Members, config.MembersFor(plan.Calls == 0))
	plan.Hours, plan.Days = f.hours, f.days
	return plan, nil
}
