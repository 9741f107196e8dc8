package check

import (
	"fmt"
	"testing"

	"rollcall/cmd/rollcall/config"
)

func TestBudget(t *testing.T) {
	for _, c := range []struct {
		schedule string
		meetings int
		shards   int
		monthly  config.Calls
		verdict  Verdict
		words    []string
	}{
		{"@every 15s", 1, 1, config.Unlimited, OK, []string{"178,560", "the Standard edition has 5,000"}},
		{"@every 15s", 1, 1, 178_560, OK, []string{"monthly_calls is 178,560"}},
		{"@every 15s", 1, 1, 5000, Warn, []string{"monthly_calls is 5,000", `"@every 9m", which takes 4,960, fits around the clock; with meetings 8 hours a working day about "@every 2m30s" does`}},
		{"@every 15s", 100, 1, 200_000, OK, []string{"1 a tick", "the 100 of track.conferences"}},
		{"@every 15s", 101, 1, 200_000, Warn, []string{"2 a tick", "357,120", `"@every 27s", which takes 198,400`}},
		{"@every 15s", 3, 8, 200_000, Warn, []string{"3 a tick"}},
		{"@every 15s", 0, 8, 200_000, OK, []string{"1 a tick", "up to 100 meetings, and nothing while none is tracked"}},
		{"*/10 9-17 * * 1-5", 1, 1, 5000, OK, []string{"1,242"}}, // 23 weekdays of 54
		{"@continuous", 1, 1, config.Unlimited, OK, []string{"up to 53,568,000", "20 a second", "the Standard edition has 5,000"}},
		{"@continuous", 101, 1, 5000, Warn, []string{"up to 53,568,000", "monthly_calls is 5,000", `"@every 18m"`}},
		{"@every 1s", 1, 1, 1, Warn, []string{`"@every 44640m", which takes 1`}},
	} {
		t.Run(fmt.Sprint(c.schedule, c.meetings, c.monthly), func(t *testing.T) {
			w := newWorld(t)
			p := &w.tenant().Poll
			p.Schedule, p.Shards, p.MonthlyCalls = c.schedule, c.shards, c.monthly
			w.tenant().Track.Conferences = nil
			for i := range c.meetings {
				w.tenant().Track.Conferences = append(w.tenant().Track.Conferences, fmt.Sprint(i))
			}
			check := w.check()
			check.NoCall = true
			run(t, check).says(t, "dingtalk budget", c.verdict, c.words...)
		})
	}
}
