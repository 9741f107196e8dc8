package poller

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestScheduleTicks(t *testing.T) {
	for _, c := range []struct {
		expression, zone, after string
		want                    []string
		pace                    time.Duration
	}{
		{"* * * * *", "", "2026-11-23T09:00:30Z", []string{"2026-11-23T09:01:00Z", "2026-11-23T09:02:00Z"}, time.Minute},
		{"*/20 * * * * *", "UTC", "2026-11-23T09:00:20Z", []string{"2026-11-23T09:00:40Z", "2026-11-23T09:01:00Z"}, 20 * time.Second},
		{" 0 9-17 * * MON-FRI ", "Asia/Shanghai", "2026-11-20T09:00:00Z", []string{"2026-11-23T01:00:00Z", "2026-11-23T02:00:00Z"}, time.Hour},
		{"@hourly", "Asia/Kolkata", "2026-11-23T09:00:00Z", []string{"2026-11-23T09:30:00Z"}, time.Hour},
		{"@daily", "Asia/Shanghai", "2026-11-23T09:00:00Z", []string{"2026-11-23T16:00:00Z"}, 24 * time.Hour},
		{"0 0 29 2 *", "", "2026-11-23T09:00:00Z", []string{"2028-02-29T00:00:00Z"}, 1461 * 24 * time.Hour},
		{"0,50 * * * *", "", "2026-11-23T09:00:00Z", []string{"2026-11-23T09:50:00Z", "2026-11-23T10:00:00Z"}, 10 * time.Minute},
		{"@every 15s", "Asia/Shanghai", "2026-11-23T09:00:07.5Z", []string{"2026-11-23T09:00:15Z", "2026-11-23T09:00:30Z"}, 15 * time.Second},
		{"@every  1m30s", "", "1970-01-01T00:00:00Z", []string{"1970-01-01T00:01:30Z"}, 90 * time.Second},
		{"@every 7s", "", "1969-12-31T23:59:59Z", []string{"1970-01-01T00:00:00Z", "1970-01-01T00:00:07Z"}, 7 * time.Second},
		// New York leaves out 02:30 on the 8th of March and has 01:30 twice on the 1st of November.
		{"30 2 * * *", "America/New_York", "2026-03-07T12:00:00Z", []string{"2026-03-09T06:30:00Z"}, 24 * time.Hour},
		{"30 1 * * *", "America/New_York", "2026-11-01T00:00:00Z", []string{"2026-11-01T05:30:00Z", "2026-11-01T06:30:00Z", "2026-11-02T06:30:00Z"}, time.Hour},
		// Beirut has no midnight on the 29th of March.
		{"@daily", "Asia/Beirut", "2026-03-28T12:00:00Z", []string{"2026-03-29T21:00:00Z"}, 24 * time.Hour},
	} {
		s, err := ParseSchedule(c.expression, c.zone)
		if err != nil {
			t.Errorf("%s: %v", c.expression, err)
			continue
		}
		at := instant(c.after)
		for _, want := range c.want {
			if at = s.Next(at); !at.Equal(instant(want)) {
				t.Errorf("%s in %s: ticks at %v, not %s", c.expression, c.zone, at.UTC(), want)
			}
		}
		if s.Pace() != c.pace || s.String() != strings.TrimSpace(c.expression) {
			t.Errorf("%s: pace %v", s, s.Pace())
		}
	}
}

func TestScheduleRefusals(t *testing.T) {
	for _, c := range []struct{ expression, zone, says string }{
		{"", "", "empty"},
		{"  ", "", "empty"},
		{"TZ=UTC", "", "poll.timezone"},
		{"TZ=UTC * * * * *", "", "poll.timezone"},
		{"CRON_TZ=Asia/Shanghai 0 9 * * *", "", "poll.timezone"},
		{"0 0 30 2 *", "", "never fires"},
		{"0 0 31 4,6,9,11 *", "", "never fires"},
		{"@every 500ms", "", "below one second"},
		{"@every 0s", "", "below one second"},
		{"@every -1m", "", "below one second"},
		{"@every 1500ms", "", "whole seconds"},
		{"@every 15", "", "@every 15s"},
		{"@every", "", "no duration"},
		{"@reboot", "", "@hourly"},
		{"* * * *", "", "five fields"},
		{"* * * * * * *", "", "five fields"},
		{"61 * * * *", "", "61"},
		{"* * * * 7", "", "7"},
		{"*/0 * * * *", "", "step"},
		{"*/90 * * * * *", "", "@every"},
		{"0/90 * * * *", "", "@every"},
		{", * * * *", "", "comma"},
		{"1,,2 * * * *", "", "comma"},
		{"*-5 * * * *", "", "range"},
		{"x * * * *", "", "five fields"},
		{"* * * * *", "Mars/Olympus", "no such zone"},
		{"* * * * *", "../etc", "no such zone"},
		{"* * * * *", "Local", "Asia/Shanghai"},
	} {
		s, err := ParseSchedule(c.expression, c.zone)
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%q in %q: %v", c.expression, c.zone, err)
		}
		if !s.Next(time.Now()).IsZero() || s.Pace() != 0 {
			t.Errorf("%q: a refused schedule ticks", c.expression)
		}
	}
}

// TestScheduleAlwaysAdvances covers zones whose clocks jump at midnight, by half
// an hour, or by a day.
func TestScheduleAlwaysAdvances(t *testing.T) {
	zones := []string{
		"America/New_York", "America/Sao_Paulo", "Asia/Beirut", "Australia/Lord_Howe",
		"Pacific/Apia", "Europe/London", "Africa/Cairo", "Asia/Shanghai",
	}
	expressions := []string{
		"* * * * *", "0 0 * * *", "30 2 * * *", "15 1,2 * * *", "*/7 * * * * *", "0 */2 * * 0", "@monthly", "@every 45s",
	}
	rapid.Check(t, func(rt *rapid.T) {
		zone := rapid.SampledFrom(zones).Draw(rt, "zone")
		expression := rapid.SampledFrom(expressions).Draw(rt, "expression")
		s, err := ParseSchedule(expression, zone)
		if err != nil {
			rt.Fatal(err)
		}
		at := time.Unix(rapid.Int64Range(-3_000_000_000, 4_000_000_000).Draw(rt, "at"), 0)
		for range 20 {
			next := s.Next(at)
			if !next.After(at) {
				rt.Fatalf("after %v comes %v", at, next)
			}
			at = next
		}
	})
}

func TestEveryIsTheSameOnEveryReplica(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		period := rapid.Int64Range(1, 100_000).Draw(rt, "seconds")
		s, err := ParseSchedule("@every "+(time.Duration(period)*time.Second).String(), "")
		if err != nil {
			rt.Fatal(err)
		}
		at := time.Unix(0, rapid.Int64Range(-1e18, 4e18).Draw(rt, "at"))
		next := s.Next(at)
		if next.Unix()%period != 0 || next.Nanosecond() != 0 || !next.After(at) || next.Sub(at) > time.Duration(period)*time.Second {
			rt.Fatalf("after %v comes %v", at, next)
		}
	})
}

func FuzzParseSchedule(f *testing.F) {
	for _, seed := range []string{"TZ=", "*/5 * * * *", "@every 1s", "1-", "-1 * * * *", "? ? ? ? ?", "0 0 1 1/13 *"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, expression string) {
		s, err := ParseSchedule(expression, "UTC")
		if now := time.Now(); err == nil && (s.Pace() < time.Second || !s.Next(now).After(now)) {
			t.Errorf("%q: pace %v, then %v", expression, s.Pace(), s.Next(now))
		}
	})
}
