package cost_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"rollcall/cmd/rollcall/config"
	"rollcall/cmd/rollcall/cost"
	"rollcall/poller"
)

// monday is one on which a month begins that has 23 weekdays in 31 days.
func monday() time.Time { return time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC) }

func schedule(t *testing.T, expression string) poller.Schedule {
	t.Helper()
	s, err := poller.ParseSchedule(expression, "UTC")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func plan(t *testing.T, expression string, meetings int, calls int64) cost.Plan {
	return cost.Plan{
		Schedule: schedule(t, expression), Meetings: meetings, BatchSize: 100, Shards: 1, Calls: calls,
		Hours: cost.OfficeHours, Days: cost.OfficeDays,
	}
}

func TestCosts(t *testing.T) {
	for _, c := range []struct {
		schedule string
		meetings int
		lists    []string
		want     cost.Costs
	}{
		{"@every 15s", 0, nil, cost.Costs{PerTick: 1, Clock: 178_560, Hours: 42_240}},
		{"@every 15s", 40, nil, cost.Costs{PerTick: 1, Clock: 178_560, Hours: 42_240}},
		{"@every 15s", 101, nil, cost.Costs{PerTick: 2, Clock: 357_120, Hours: 84_480}},
		{"@every 15s", 40, []string{"@every 5m", "@every 5m"}, cost.Costs{PerTick: 1, Clock: 196_416, Hours: 60_096, Lists: 17_856}},
		{"0,30 9-16 * * 1-5", 1, nil, cost.Costs{PerTick: 1, Clock: 368, Hours: 352}},
		{"0 9 1 * *", 1, nil, cost.Costs{PerTick: 1, Clock: 1, Hours: 0}},
	} {
		p := plan(t, c.schedule, c.meetings, 0)
		for _, list := range c.lists {
			p.Lists = append(p.Lists, schedule(t, list))
		}
		if c.want.Hours == 0 {
			c.want.Hours = min(int64(p.Busy()/p.Schedule.Pace()), c.want.Clock)
		}
		got, err := p.Costs(t.Context(), monday())
		if err != nil || got != c.want {
			t.Errorf("%s, %d meetings: %+v, %v; want %+v", c.schedule, c.meetings, got, err, c.want)
		}
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := plan(t, "@every 15s", 1, 0).Costs(gone, monday()); !errors.Is(err, context.Canceled) {
		t.Errorf("an interrupted count gives %v", err)
	}
}

// TestTheScheduleThatFitsFits holds what is recommended against what it is for.
func TestTheScheduleThatFitsFits(t *testing.T) {
	for _, calls := range []int64{1, 59, 5000, 10_000, 44_640, 44_641, 200_000, 2_678_400} {
		for _, meetings := range []int{1, 101, 700, 3100} {
			for _, lists := range []int{0, 1} {
				p := plan(t, "@every 1s", meetings, calls)
				for range lists {
					p.Lists = append(p.Lists, schedule(t, "@every 5m"))
				}
				costs := cost.Costs{PerTick: p.PerTick(), Lists: int64(lists) * 8928}
				every, taken := p.Slowest(costs)
				if suffices := p.PerTick() < calls*7/10; suffices && every == "" {
					t.Errorf("%d calls, %d meetings, %d lists: no schedule fits", calls, meetings, lists)
				}
				if taken > calls {
					t.Errorf("%d calls, %d meetings, %d lists: %s takes %d", calls, meetings, lists, every, taken)
				}
				if lists == 0 && calls >= 5000 && calls > 100*costs.PerTick && taken < calls*4/5 {
					t.Errorf("%d calls, %d meetings: %s takes only %d", calls, meetings, every, taken)
				}
			}
		}
	}
}

func TestFitting(t *testing.T) {
	for _, c := range []struct {
		schedule string
		meetings int
		calls    int64
		fits     bool
		words    string
	}{
		{"@every 15s", 40, 0, true, ""},
		{"@every 15s", 40, 178_560, true, ""},
		{"@every 15s", 40, 5000, false, `"@every 9m", which takes 4,960, fits around the clock; with meetings 8 hours a working day about "@every 2m30s" does`},
		{"@every 15s", 140, 5000, false, `"@every 18m", which takes 4,960, fits around the clock; with meetings 8 hours a working day about "@every 5m" does`},
		{"@every 15s", 201, 2, false, "no schedule fits, since one tick takes 3 calls"},
		{"@every 15s", 40, 100_000, false, `with meetings 8 hours a working day the schedule itself does`},
		{"@every 15s", 40, 42_500, false, `about "@every 18s" does`}, // some calls are for ends, and for odd hours
	} {
		p := plan(t, c.schedule, c.meetings, c.calls)
		costs, err := p.Costs(t.Context(), monday())
		if err != nil {
			t.Fatal(err)
		}
		if got := p.Fits(costs); got != c.fits {
			t.Errorf("%s, %d calls: it fits is %v", c.schedule, c.calls, got)
		}
		if text := p.Fitting(costs); !c.fits && !strings.Contains(text, c.words) {
			t.Errorf("%s, %d calls: %q, want %q", c.schedule, c.calls, text, c.words)
		}
	}
	odd := plan(t, "@every 15s", 1, 5000)
	odd.Hours, odd.Days = 2.5, 10
	if text := odd.Fitting(cost.Costs{PerTick: 1}); !strings.Contains(text, "2.5 hours on 10 days of the month") {
		t.Errorf("other hours are told as %q", text)
	}
}

func TestFresh(t *testing.T) {
	if got, want := plan(t, "@every 15s", 1, 0).Kept(), (cost.Fresh{Every: 15 * time.Second, Median: 7500 * time.Millisecond, Worst: 15 * time.Second}); got != want {
		t.Errorf("a schedule that is kept gives %+v", got)
	}
	p := plan(t, "@every 15s", 140, 5000)
	between, fresh := p.Paced()
	if fresh.Every != 2*between || fresh.Median != between || fresh.Worst < fresh.Every || fresh.Worst >= fresh.Every+15*time.Second || fresh.Worst%(15*time.Second) != 0 {
		t.Errorf("two calls a tick, one every %s, give %+v", between, fresh)
	}
	if slow, _ := p.Unlearned(); slow < 3*between {
		t.Errorf("before the hours are learned there is a call every %s, after that every %s", slow, between)
	}
	// What was measured in a simulated month: 104 s to 109 s, and 198 s to 221 s.
	p = plan(t, "@every 15s", 40, 5000)
	p.Lists = []poller.Schedule{schedule(t, "@every 5m")}
	if _, fresh := p.Paced(); fresh.Median < 95*time.Second || fresh.Median > 115*time.Second {
		t.Errorf("5000 calls with lists give %+v", fresh)
	}
	if _, fresh := plan(t, "@every 15s", 40, 200_000).Paced(); fresh != plan(t, "@every 15s", 40, 0).Kept() {
		t.Errorf("calls enough for the schedule give %+v", fresh)
	}
}

func TestOfAConfiguration(t *testing.T) {
	cfg := config.TenantDefaults()
	cfg.Poll.MonthlyCalls, cfg.Poll.Shards = 5000, 3
	cfg.Track.Conferences = []string{"a", "b"}
	cfg.Track.Users, cfg.Track.Organization.Enabled = []string{"u", "v"}, true
	p, err := cost.Of(cfg)
	if err != nil || p.Calls != 5000 || p.Meetings != 2 || p.PerTick() != 2 || len(p.Lists) != 3 || p.Schedule.Pace() != 15*time.Second || p.Busy() != 176*time.Hour {
		t.Errorf("%+v, %v", p, err)
	}
	cfg.Poll.MonthlyCalls = config.Unlimited
	if p, err := cost.Of(cfg); err != nil || p.Calls != 0 {
		t.Errorf("unlimited: %+v, %v", p, err)
	}
	cfg.Track.UsersSchedule = "@every 1m"
	if p, err := cost.Of(cfg); err != nil || p.Lists[0].Pace() != 5*time.Minute || p.Lists[2].Pace() != time.Minute {
		t.Errorf("the lists of users have a schedule of their own: %+v, %v", p, err)
	}
	cfg.Poll.Schedule = poller.Continuous
	if p, err := cost.Of(cfg); err != nil || p.QPS != cfg.Poll.QPS {
		t.Errorf("what bounds a schedule without a distance: %+v, %v", p, err)
	} else if costs, err := p.Costs(t.Context(), monday()); err != nil || costs.Clock-costs.Lists != int64(p.QPS*cost.Month.Seconds()) {
		t.Errorf("it costs %+v, %v", costs, err)
	}
	cfg.Track.Organization.Schedule = "often"
	if _, err := cost.Of(cfg); err == nil || !strings.Contains(err.Error(), "track.organization.schedule") {
		t.Errorf("a wrong schedule of the list: %v", err)
	}
	cfg.Poll.Schedule = "often"
	if _, err := cost.Of(cfg); err == nil || !strings.Contains(err.Error(), "poll.schedule") {
		t.Errorf("a wrong schedule: %v", err)
	}
}

func TestRoughAndGrouped(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0s", 1500 * time.Millisecond: "2s", time.Minute: "1m", 61 * time.Second: "1m10s", 146 * time.Second: "2m30s",
		594 * time.Second: "10m", 601 * time.Second: "11m", 3 * time.Hour: "180m",
	} {
		if got := cost.Rough(d); got != want {
			t.Errorf("%s: %q, want %q", d, got, want)
		}
	}
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", 1339200: "1,339,200"} {
		if got := cost.Grouped(n); got != want {
			t.Errorf("%d: %s", n, got)
		}
	}
}

// TestLookupsAreCounted has meetings tracked before they begin, and ends.
func TestLookupsAreCounted(t *testing.T) {
	p := plan(t, "@every 15s", 40, 0)
	p.Waiting, p.Ends = 10, 500
	costs, err := p.Costs(t.Context(), monday())
	if want := int64(10*8928 + 500); err != nil || costs.Lookups != want || costs.Clock != 178_560+want || costs.Hours != 42_240+want {
		t.Errorf("%+v, %v", costs, err)
	}
	p = plan(t, "@every 10m", 40, 0)
	p.Waiting = 10
	if costs, err := p.Costs(t.Context(), monday()); err != nil || costs.Lookups != 10*4464 {
		t.Errorf("with passes 10 minutes apart: %+v, %v", costs, err)
	}
	p = plan(t, "@every 15s", 40, 5000)
	p.Waiting, p.Ends = 10, 500
	if costs, err := p.Costs(t.Context(), monday()); err != nil || p.Fits(costs) {
		t.Errorf("they fit: %+v, %v", costs, err)
	} else if every, taken := p.Slowest(costs); every != "@every 18m" || taken > 5000 {
		t.Errorf("fitting is %s, which takes %d", every, taken)
	}
	between, _ := p.Paced()
	if alone, _ := plan(t, "@every 15s", 40, 5000).Paced(); between < 2*alone*9/10 {
		t.Errorf("a call every %s, without lookups every %s", between, alone)
	}
}

// TestListsOfMembersAreCounted has meetings end, to which people have come.
func TestListsOfMembersAreCounted(t *testing.T) {
	for _, c := range []struct {
		members        string
		ends, people   int
		calls, lists   int64
		meetings, days int
	}{
		{config.MembersOff, 500, 10, 0, 0, 40, 22},
		{config.MembersOnEnd, 500, 10, 0, 500, 40, 22},
		{config.MembersOnEnd, 500, 128, 0, 500, 40, 22},
		{config.MembersOnEnd, 500, 129, 5000, 1000, 40, 22},
		{config.MembersOnChange, 500, 10, 0, 500 + 5000, 40, 22},
		{config.MembersOnChange, 500, 10, 0, 500 + 480, 1, 1},            // a reading a minute
		{config.MembersOnChange, 500, 10, 5000, 1500, 40, 22},            // a fifth of the calls is for roles
		{config.MembersOnChange, 500, 10, 50_000, 5500, 40, 22},          // which they do not need
		{config.MembersOnChange, 500, 300, 0, 3 * (500 + 40*480), 40, 1}, // of 3 pages
		{config.MembersOnChange, 0, 300, 5000, 0, 40, 22},                // nobody says how many end
		{config.MembersOnEnd, 10_000, 10, 5000, 10_000, 40, 22},          // more than there are
	} {
		p := plan(t, "@every 15s", c.meetings, c.calls)
		p.Members, p.Ends, p.People, p.Days = c.members, c.ends, c.people, c.days
		costs, err := p.Costs(t.Context(), monday())
		if err != nil || costs.Members != c.lists || costs.Lookups != int64(c.ends) || costs.Clock != 178_560+c.lists+int64(c.ends) {
			t.Errorf("%+v: %+v, %v", c, costs, err)
		}
		if every, taken := p.Slowest(costs); c.calls > 0 && (every == "" || taken > c.calls) {
			t.Errorf("%+v: fitting is %q, which takes %d", c, every, taken)
		}
	}
}

// TestLongMonth of worker has 880 meetings end in a month: with a list of members for
// each, and 5,000 calls, what is known is 2m17s old, without them 1m49s.
func TestTheForecastAgreesWithASimulatedMonth(t *testing.T) {
	for members, measured := range map[string]time.Duration{config.MembersOff: 109 * time.Second, config.MembersOnEnd: 137 * time.Second} {
		p := plan(t, "@every 15s", 40, 5000)
		p.Lists, p.Ends, p.Members, p.People = []poller.Schedule{schedule(t, "@every 5m")}, 880, members, 5
		if _, fresh := p.Paced(); fresh.Median < measured || fresh.Median > measured*5/4 {
			t.Errorf("members %s: %s, measured %s", members, fresh.Median, measured)
		}
	}
}
