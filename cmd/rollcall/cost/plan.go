// Package cost forecasts what asking costs a month, how fresh it keeps what
// subscribers know, and which schedule suffices for a number of calls. The
// pace that a number of calls allows is that of [budget.Outlook].
package cost

import (
	"context"
	"fmt"
	"time"

	"rollcall/cmd/rollcall/config"
	"rollcall/poller"
	"rollcall/poller/budget"
)

// Month is the longest month, which a budget must last.
const Month = 31 * 24 * time.Hour

// StandardCalls are the calls a month of DingTalk's Standard edition.
const StandardCalls = 5000

// The hours of work that are assumed where nobody says other ones.
const (
	OfficeHours = 8.0 // a day
	OfficeDays  = 22  // a month
)

// Plan is what is to be asked, and when.
type Plan struct {
	Schedule  poller.Schedule
	Meetings  int     // that go on at a time; 0 counts as 1
	BatchSize int     // meetings a call
	Shards    int     // of the tenant
	Calls     int64   // that may be spent a month; 0: unlimited
	QPS       float64 // calls a second at most, all that bounds a continuous schedule
	// Lists are read to find meetings, each with one call at each tick of its
	// schedule, whether meetings go on or not.
	Lists []poller.Schedule
	// Waiting are meetings that are tracked before they begin, at a time, or that
	// queries leave out though they go on: each is looked up on its own.
	Waiting int
	Ends    int // meetings that end in the month: each is looked up once
	// Members says when lists of members are read, as [config.Tenant] does, of
	// meetings to which so many People come.
	Members string
	People  int
	// Meetings go on for Hours on each of Days in the month.
	Hours float64
	Days  int
}

// Of returns the plan of a tenant's configuration, with the hours of an office.
func Of(t config.Tenant) (Plan, error) {
	p := Plan{
		Meetings: len(t.Track.Conferences), BatchSize: t.Poll.BatchSize, Shards: t.Poll.Shards, QPS: t.Poll.QPS,
		Hours: OfficeHours, Days: OfficeDays, Members: t.Members, People: DefaultPeople,
	}
	if t.Poll.MonthlyCalls != config.Unlimited {
		p.Calls = int64(t.Poll.MonthlyCalls)
	}
	var err error
	if p.Schedule, err = poller.ParseSchedule(t.Poll.Schedule, t.Poll.Timezone); err != nil {
		return p, fmt.Errorf("poll.schedule: %w", err)
	}
	if t.Track.Organization.Enabled {
		err = p.list("track.organization.schedule", t.Track.Organization.Schedule, t.Poll.Timezone)
	}
	for range t.Track.Users {
		if err == nil {
			err = p.list("track.users_schedule", t.Track.UsersSchedule, t.Poll.Timezone)
		}
	}
	return p, err
}

// list adds one that is read; key is where its schedule stands.
func (p *Plan) list(key, schedule, timezone string) error {
	list, err := poller.ParseSchedule(schedule, timezone)
	if err != nil {
		return fmt.Errorf("%s: %w", key, err)
	}
	p.Lists = append(p.Lists, list)
	return nil
}

// PerTick is how many calls one tick takes: full batches, but at least one for
// each shard that holds a meeting. With none tracked yet it counts for one.
func (p Plan) PerTick() int64 {
	meetings, size := max(p.Meetings, 1), max(p.BatchSize, 1)
	full := (meetings + size - 1) / size
	return int64(max(full, min(p.Shards, meetings)))
}

// Busy is for how long meetings go on in the month.
func (p Plan) Busy() time.Duration {
	return min(time.Duration(p.Hours*float64(time.Hour))*time.Duration(p.Days), Month)
}

// Costs are calls of a month, those of its lists among them.
type Costs struct {
	PerTick int64 // calls about meetings at each tick
	Clock   int64 // where meetings go on around the clock
	Hours   int64 // where they go on in the hours of the plan
	Lists   int64 // of lists, in both
	Lookups int64 // of single meetings, in both
	Members int64 // of lists of members, in both
}

// LookupsEach is how many lookups a month a meeting costs that is [Plan.Waiting]
// and whose start is not known.
const LookupsEach = int64(Month / poller.LookupEvery)

// Costs counts the calls of a month from then on, were the schedule kept. The
// error is that of ctx.
func (p Plan) Costs(ctx context.Context, from time.Time) (Costs, error) {
	c := Costs{PerTick: p.PerTick()}
	for _, list := range p.Lists {
		c.Lists += ticks(ctx, list, from)
	}
	all := ticks(ctx, p.Schedule, from)
	working := min(all, int64(p.Busy()/max(p.Schedule.Pace(), time.Second)))
	c.Clock, c.Hours = all*c.PerTick, working*c.PerTick
	if p.Schedule.Continuous() {
		c.Clock, c.Hours = int64(p.QPS*Month.Seconds()), int64(p.QPS*p.Busy().Seconds())
	}
	c.Lookups, c.Members = p.lookups(all, c.Clock), p.lists()
	beside := c.Lists + c.Lookups + c.Members
	c.Clock, c.Hours = c.Clock+beside, c.Hours+beside
	if ctx.Err() != nil {
		return Costs{}, fmt.Errorf("count the ticks of %s: %w", p.Schedule, context.Cause(ctx))
	}
	return c, nil
}

// lookups counts those of a month with so many passes and queries. Of a budget,
// those that most likely show nothing new take no more than queries.
func (p Plan) lookups(passes, queries int64) int64 {
	n := int64(p.Waiting) * min(LookupsEach, passes)
	if p.Calls > 0 {
		n = min(n, queries)
	}
	return n + int64(p.Ends)
}

// spared is what lookups and lists of members take of the calls that may be spent:
// at most half.
func (p Plan) spared(calls int64) int64 {
	return min(p.lookups(LookupsEach, calls/2)+p.lists(), calls/2)
}

// ticks counts a schedule's instants in a month.
func ticks(ctx context.Context, s poller.Schedule, from time.Time) (n int64) {
	end := from.Add(Month)
	for at := s.Next(from); !at.IsZero() && !at.After(end) && ctx.Err() == nil; at = s.Next(at) {
		n++
	}
	return n
}

// outlook is the budget's month in which meetings go on for so long.
func (p Plan) outlook(busy time.Duration) budget.Outlook {
	return budget.Outlook{Calls: p.Calls - p.spared(p.Calls), Length: Month, Meetings: busy, Finds: len(p.Lists) > 0}
}
