package status

import (
	"errors"
	"strings"
	"testing"
	"time"

	"rollcall/forwarder"
	"rollcall/wire"
	"rollcall/worker/membership"
)

// well is an installation in which nothing is wrong.
func well() Facts {
	at := time.Date(2026, 11, 16, 3, 0, 0, 0, time.UTC)
	return Facts{
		At: at, Stream: Stream{Name: "MEETINGS", Messages: 10, Bytes: 1000},
		Statuses: map[string]wire.Status{
			"acme":    {Tenant: "acme", State: wire.StateOK, LastGoodPoll: at.Add(-10 * time.Second), Pace: 15 * time.Second, Tracked: 3, At: at},
			"removed": {Tenant: "removed", State: wire.StateAway, LastGoodPoll: at.Add(-time.Hour)},
		},
		Workers: []Worker{{ID: "w1", Info: membership.Info{Version: "v1", Knows: []string{"acme"}, Shards: []membership.Held{{Tenant: "acme", Of: 1, Tracked: 3}}}}},
		Budgets: []Budget{{Tenant: "acme", Calls: 5000, Left: 2400, Reserved: 100, MonthBegins: at.AddDate(0, 0, -15), MonthIsOver: at.AddDate(0, 0, 15)}},
	}
}

func TestWhatIsWrongIsSaid(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Facts)
		want   []string // one finding each: its words; none: nothing is wrong
	}{
		"nothing": {func(*Facts) {}, nil},
		"a month that begins, and a day at night": {func(f *Facts) {
			f.Budgets[0].Left, f.Budgets[0].MonthBegins, f.Budgets[0].MonthIsOver = 4990, f.At, f.At.AddDate(0, 1, 0)
		}, nil},
		"no NATS":       {func(f *Facts) { f.Unreachable = errors.New("connection refused") }, []string{"NATS cannot be reached: connection refused"}},
		"no stream":     {func(f *Facts) { f.Stream.Missing, f.Statuses = true, nil }, []string{"the stream MEETINGS is missing"}},
		"a full stream": {func(f *Facts) { f.Stream.MaxBytes = 1050 }, []string{"nearly full: 1,000 of 1,050"}},
		"no worker":     {func(f *Facts) { f.Workers = nil }, []string{"no worker lives"}},
		"two versions": {func(f *Facts) {
			f.Workers = append(f.Workers, Worker{ID: "w2", Info: membership.Info{Version: "v2", Knows: []string{"acme"}}})
		}, []string{"v1, v2"}},
		"unreadable":      {func(f *Facts) { f.Workers = append(f.Workers, Worker{ID: "w2", Err: errors.New("no JSON")}) }, []string{"worker w2"}},
		"wrong secret":    {func(f *Facts) { f.state("acme", wire.StateAuth, time.Second) }, []string{"refuses the credentials"}},
		"no calls":        {func(f *Facts) { f.state("acme", wire.StateQuota, time.Second) }, []string{"used up"}},
		"throttled a bit": {func(f *Facts) { f.state("acme", wire.StateThrottled, time.Second) }, nil},
		"throttled":       {func(f *Facts) { f.state("acme", wire.StateThrottled, time.Hour) }, []string{"slower"}},
		"DingTalk away":   {func(f *Facts) { f.state("acme", wire.StateAway, time.Hour) }, []string{"cannot be reached"}},
		"stuck":           {func(f *Facts) { f.state("acme", wire.StateOK, time.Hour) }, []string{"nothing was answered lately"}},
		"nobody's":        {func(f *Facts) { f.Configured = []string{"acme", "beta"} }, []string{"no worker looks"}},
		"a shard left":    {func(f *Facts) { f.Workers[0].Info.Shards[0].Of = 4 }, []string{"only 1 of 4 shards"}},
		"waiting":         {func(f *Facts) { f.Workers[0].Info.Shards[0].Waiting = 700 }, []string{"700 observations wait"}},
		"set aside":       {func(f *Facts) { s := f.Statuses["acme"]; s.SetAside = 2; f.Statuses["acme"] = s }, []string{"2 meetings are set aside"}},
		"calls run out":   {func(f *Facts) { f.Budgets[0].Left, f.Budgets[0].Reserved = 1000, 0 }, []string{"1,000 of 5,000 calls"}},
		"calls are gone":  {func(f *Facts) { f.Budgets[0].Left, f.Budgets[0].Reserved = 0, 0 }, []string{"poll.monthly_calls) are used up"}},
		"target refused": {func(f *Facts) {
			f.Targets = told(f.At)
			f.Targets[0].Trouble, f.Targets[0].Reason, f.Targets[0].Since = "authError", "the sign is wrong", f.At.Add(-time.Hour)
		}, []string{"target team cannot be told: authError: the sign is wrong"}},
		"target well":         {func(f *Facts) { f.Targets = told(f.At) }, nil},
		"target paused":       {func(f *Facts) { f.Targets = told(f.At); f.Targets[0].PausedUntil = f.At.Add(time.Minute) }, []string{"paused until 2026-11-16T03:01:00Z"}},
		"target over":         {func(f *Facts) { f.Targets = told(f.At); f.Targets[0].Monthly, f.Targets[0].Sent = 1000, 1000 }, []string{"the 1,000 messages of the month of target team are used up"}},
		"target near its end": {func(f *Facts) { f.Targets = told(f.At); f.Targets[0].Monthly, f.Targets[0].Sent = 1000, 950 }, []string{"950 of 1,000 messages"}},
		"forwarder dead":      {func(f *Facts) { f.Targets = told(f.At.Add(-2 * time.Minute)) }, []string{"nobody works the route all to target team"}},
		"no forwarder":        {func(f *Facts) { f.Targets = told(f.At); f.Targets[0].Routes[0].Holder = "" }, []string{"nobody works the route all"}},
		"targets not read":    {func(f *Facts) { f.TargetsUnread = errors.New("not permitted") }, nil},
		"no account":          {func(f *Facts) { f.Budgets[0].NotReadError = "no JSON" }, []string{"cannot be read: no JSON"}},
	} {
		t.Run(name, func(t *testing.T) {
			f := well()
			c.change(&f)
			r := Judge(f)
			if r.OK != (len(c.want) == 0) || len(r.Findings) != len(c.want) {
				t.Fatalf("found are %+v", r.Findings)
			}
			for i, found := range r.Findings {
				if !strings.Contains(found.What, c.want[i]) || found.Lost == "" || found.Do == "" {
					t.Errorf("it says %+v, want %q", found, c.want[i])
				}
			}
		})
	}
}

// told is a target that is told by a route, which was last worked then.
func told(then time.Time) []forwarder.TargetStatus {
	return []forwarder.TargetStatus{{Target: "team", Kind: "dingtalk", Monthly: forwarder.Unlimited, Routes: []forwarder.RouteStatus{{Route: "all", Holder: "a", Seen: then}}}}
}

func (f *Facts) state(tenant, state string, ago time.Duration) {
	s := f.Statuses[tenant]
	s.State, s.LastGoodPoll = state, f.At.Add(-ago)
	f.Statuses[tenant] = s
}

// What is wrong with a tenant is said since its last good answer; a tenant that was
// taken out of the configuration is not missed.
func TestSinceWhenAndWhose(t *testing.T) {
	f := well()
	f.state("acme", wire.StateAuth, 40*time.Minute)
	r := Judge(f)
	if len(r.Findings) != 1 || r.Findings[0].Tenant != "acme" || !r.Findings[0].Since.Equal(f.At.Add(-40*time.Minute)) || len(r.Tenants) != 1 {
		t.Errorf("%+v", r)
	}
}
