package check

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"rollcall/cmd/rollcall/config"
	"rollcall/poller"
)

// month is the longest month, which a budget must last.
const month = 31 * 24 * time.Hour

// standardCalls are the calls a month of DingTalk's Standard edition.
const standardCalls = 5000

// budget counts what the schedule costs a month, and holds it against what may
// be spent.
func (t *tenant) budget(ctx context.Context) Result {
	p := t.cfg.Poll
	schedule, err := poller.ParseSchedule(p.Schedule, p.Timezone)
	if err != nil {
		return fail("count the calls of a month", err.Error(), "correct poll.schedule")
	}
	calls := batches(p, len(t.cfg.Track.Conferences))
	ticks := t.ticks(ctx, schedule)
	if ctx.Err() != nil {
		return skip("count the calls of a month", "not done within the time")
	}
	tried := fmt.Sprintf("count the calls of a month (%s, %d a tick)", p.Schedule, calls)
	cost := ticks * calls
	found := fmt.Sprintf("%s in 31 days around the clock%s; monthly_calls is %s", grouped(cost), t.proviso(), spendable(p.MonthlyCalls))
	if p.MonthlyCalls != config.Unlimited && cost > int64(p.MonthlyCalls) {
		return warn(tried, found, fitting(int64(p.MonthlyCalls), calls))
	}
	if p.MonthlyCalls == config.Unlimited && cost > standardCalls {
		found += " (the Standard edition has " + grouped(standardCalls) + ")"
	}
	return ok(tried, "%s", found)
}

// batches is how many calls one tick takes: full batches, but at least one for
// each shard that holds a meeting. With none tracked yet it counts for one.
func batches(p config.Poll, meetings int) int64 {
	meetings = max(meetings, 1)
	full := (meetings + p.BatchSize - 1) / p.BatchSize
	return int64(max(full, min(p.Shards, meetings)))
}

// proviso says what the figure does not hold for.
func (t *tenant) proviso() string {
	if n := len(t.cfg.Track.Conferences); n > 0 {
		return fmt.Sprintf(" for the %d of track.conferences; what is tracked at run time comes on top", n)
	}
	return fmt.Sprintf(" for up to %d meetings, and nothing while none is tracked", t.cfg.Poll.BatchSize)
}

// ticks counts the schedule's instants in a month from now.
func (t *tenant) ticks(ctx context.Context, schedule poller.Schedule) (n int64) {
	now := t.check.Now()
	end := now.Add(month)
	for at := schedule.Next(now); !at.IsZero() && !at.After(end) && ctx.Err() == nil; at = schedule.Next(at) {
		n++
	}
	return n
}

// fitting says which schedule the calls of a month suffice for.
func fitting(monthly, calls int64) string {
	every, taken := slowest(monthly, calls)
	return fmt.Sprintf("rollcall run keeps to monthly_calls and asks less often than the schedule says, most of all while meetings go on; to have it regular set poll.schedule to %q, which takes %s; or to a cron expression that rests at night and on weekends; or raise monthly_calls", every, grouped(taken))
}

// slowest gives the schedule in whole seconds, above a minute in whole
// minutes, that spends the month's calls most evenly, and what it takes of them.
func slowest(monthly, calls int64) (every string, taken int64) {
	all := int64(month / time.Second)
	seconds := (all*calls + monthly - 1) / monthly
	every = fmt.Sprintf("@every %ds", seconds)
	if seconds > 60 {
		seconds = (seconds + 59) / 60 * 60
		every = fmt.Sprintf("@every %dm", seconds/60)
	}
	return every, all / seconds * calls
}

// spendable writes what monthly_calls allows.
func spendable(calls config.Calls) string {
	if calls == config.Unlimited {
		return "unlimited"
	}
	return grouped(int64(calls))
}

// grouped writes a number with commas between its thousands.
func grouped(n int64) string {
	text := strconv.FormatInt(n, 10)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}
