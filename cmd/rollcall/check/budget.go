package check

import (
	"context"
	"fmt"

	"rollcall/cmd/rollcall/config"
	"rollcall/cmd/rollcall/cost"
)

// budget counts what the schedule costs a month, and holds it against what may
// be spent.
func (t *tenant) budget(ctx context.Context) Result {
	plan, err := cost.Of(t.cfg)
	if err != nil {
		return fail("count the calls of a month", err.Error(), "correct the schedule")
	}
	plan.QPS = min(plan.QPS, t.check.Config.EgressQPS)
	costs, err := plan.Costs(ctx, t.check.Now())
	if err != nil {
		return skip("count the calls of a month", "not done within the time")
	}
	tried := fmt.Sprintf("count the calls of a month (%s, %d a tick)", plan.Schedule, costs.PerTick)
	found := fmt.Sprintf("%s in 31 days around the clock%s; monthly_calls is %s",
		cost.Grouped(costs.Clock), t.proviso(costs), spendable(t.cfg.Poll.MonthlyCalls))
	if plan.Schedule.Continuous() {
		found = fmt.Sprintf("up to %s in 31 days around the clock, bounded by qps and egress_qps (%v a second) and by how fast DingTalk and NATS answer, and nothing while no meeting is tracked; monthly_calls is %s",
			cost.Grouped(costs.Clock), plan.QPS, spendable(t.cfg.Poll.MonthlyCalls))
	}
	if !plan.Fits(costs) {
		return warn(tried, found, fitting(plan, costs))
	}
	if plan.Calls == 0 && costs.Clock > cost.StandardCalls {
		found += " (the Standard edition has " + cost.Grouped(cost.StandardCalls) + ")"
	}
	return ok(tried, "%s", found)
}

// proviso says what the figure does not hold for.
func (t *tenant) proviso(c cost.Costs) string {
	lists := ""
	if c.Lists > 0 {
		lists = fmt.Sprintf(", %s of them to find meetings,", cost.Grouped(c.Lists))
	}
	if n := len(t.cfg.Track.Conferences); n > 0 {
		return fmt.Sprintf("%s for the %d of track.conferences; what is tracked at run time comes on top%s", lists, n, lookups(t.cfg.Members))
	}
	return fmt.Sprintf("%s for up to %d meetings, and nothing while none is tracked%s", lists, t.cfg.Poll.BatchSize, lookups(t.cfg.Members))
}

// lookups says what single meetings cost.
func lookups(members string) string {
	ends := "does one call for each that ends"
	switch members {
	case config.MembersOnEnd:
		ends = "do two calls for each that ends (a long list of its members takes more)"
	case config.MembersOnChange:
		ends = "do two calls for each that ends (a long list of its members takes more), up to one a minute for each that people join"
	}
	return fmt.Sprintf(", and so %s, and up to %s for each that has not begun or that queries leave out", ends, cost.Grouped(cost.LookupsEach))
}

// fitting says which schedule the calls of a month suffice for.
func fitting(p cost.Plan, c cost.Costs) string {
	return "rollcall run keeps to monthly_calls and asks less often than the schedule says, most of all while meetings go on: " +
		p.Fitting(c) + "; to have it regular set poll.schedule, also to a cron expression that rests at night and on weekends, or raise monthly_calls"
}

// spendable writes what monthly_calls allows.
func spendable(calls config.Calls) string {
	if calls == config.Unlimited {
		return "unlimited"
	}
	return cost.Grouped(int64(calls))
}
