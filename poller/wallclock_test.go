package poller

import (
	"archive/zip"
	"fmt"
	"go/build"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// zones are all of the time zone database that Go brings along.
func zones(t *testing.T) (all []*time.Location) {
	t.Helper()
	file, err := zip.OpenReader(filepath.Join(build.Default.GOROOT, "lib", "time", "zoneinfo.zip"))
	if err != nil {
		t.Skipf("the time zone database of Go is not where it should be: %v", err)
	}
	defer func() { _ = file.Close() }() // it was read only
	for _, f := range file.File {
		if zone, err := time.LoadLocation(f.Name); err == nil && !strings.HasSuffix(f.Name, "/") {
			all = append(all, zone)
		}
	}
	if len(all) < 400 {
		t.Fatalf("only %d zones were found", len(all))
	}
	return all
}

// changes are the instants between two years at which a zone's clock is set.
func changes(zone *time.Location, from, to int) (all []time.Time) {
	at, end := time.Date(from, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(to, 1, 1, 0, 0, 0, 0, time.UTC)
	for at.Before(end) {
		_, next := at.In(zone).ZoneBounds()
		if next.IsZero() {
			break
		}
		if !next.After(at) { // as package time says on the last day of a leap year
			at = at.Add(time.Hour)
			continue
		}
		_, before := next.Add(-time.Second).In(zone).Zone()
		if _, after := next.In(zone).Zone(); after != before {
			all = append(all, next)
		}
		at = next
	}
	return all
}

// wanted holds what the fields of an expression allow, read without a parser of cron.
type wanted struct {
	allowed  [6][64]bool
	anyDay   bool // day or weekday is *
	schedule Schedule
}

func wantedOf(t *testing.T, zone *time.Location, expressions ...string) (all []wanted) {
	t.Helper()
	for _, expression := range expressions {
		all = append(all, oneWanted(t, expression, zone))
	}
	return all
}

func oneWanted(t *testing.T, expression string, zone *time.Location) wanted {
	t.Helper()
	s, err := ParseSchedule(expression, zone.String())
	if err != nil {
		t.Fatal(err)
	}
	w := wanted{schedule: s}
	fields := strings.Fields(expression)
	if len(fields) == 5 {
		fields = append([]string{"0"}, fields...)
	}
	w.anyDay = fields[3] == "*" || fields[5] == "*"
	for i, limits := range [6][2]int{{0, 59}, {0, 59}, {0, 23}, {1, 31}, {1, 12}, {0, 6}} {
		for item := range strings.SplitSeq(fields[i], ",") {
			span, stride, _ := strings.Cut(item, "/")
			first, last := limits[0], limits[1]
			if low, high, isRange := strings.Cut(span, "-"); span != "*" {
				first = number(low)
				if last = first; isRange {
					last = number(high)
				}
			}
			for n := first; n <= last; n += max(1, number(stride)) {
				w.allowed[i][n] = true
			}
		}
	}
	return w
}

func number(text string) int {
	n, _ := strconv.Atoi(text) // "" is 0
	return n
}

// shown is what a clock shows at an instant.
type shown struct {
	unix   int64
	fields [6]int // second, minute, hour, day, month, weekday
}

func (w *wanted) takes(s shown) bool {
	a := &w.allowed
	for _, i := range []int{0, 1, 2, 4} {
		if !a[i][s.fields[i]] {
			return false
		}
	}
	day, weekday := a[3][s.fields[3]], a[5][s.fields[5]]
	if w.anyDay {
		return day && weekday
	}
	return day || weekday
}

// around reads the clock around a change, step by step.
func around(zone *time.Location, change time.Time, reach time.Duration, step int64) (all []shown) {
	for at := change.Add(-reach).Unix(); at < change.Add(reach).Unix(); at += step {
		here := time.Unix(at, 0).In(zone)
		_, month, day := here.Date()
		hour, minute, second := here.Clock()
		all = append(all, shown{at, [6]int{second, minute, hour, day, int(month), int(here.Weekday())}})
	}
	return all
}

// compare holds the ticks of a schedule around a change against every instant
// that there is, and tells the first difference.
func compare(t *testing.T, w wanted, zone *time.Location, all []shown) {
	t.Helper()
	at := time.Unix(all[0].unix-1, 0)
	for _, s := range all {
		if !w.takes(s) {
			continue
		}
		next := w.schedule.Next(at)
		if next.Unix() != s.unix {
			t.Errorf("%q in %s: after %v it ticks at %v, and not at %v", w.schedule, zone, at.In(zone), next.In(zone), time.Unix(s.unix, 0).In(zone))
			return
		}
		at = next
	}
	if next := w.schedule.Next(at); next.Unix() <= all[len(all)-1].unix {
		t.Errorf("%q in %s: after %v it ticks at %v", w.schedule, zone, at.In(zone), next.In(zone))
	}
}

func expressions(r *rand.Rand, n int) []string {
	all := []string{
		"*/10 * * * *", "0 0 * * *", "30 0 * * *", "30 2 * * *", "0 */2 * * *", "15,45 1-3 * * *", "0 0 1 * *", "0 12 29 * 1", "59 23 * * 0,6", "0 0 29 2 *",
	}
	for range n {
		all = append(all, fmt.Sprintf("%d,%d %d-%d * * *", r.IntN(60), r.IntN(60), r.IntN(3), 3+r.IntN(5)))
	}
	return all
}

// TestTicksAreWhatTheWallShows tries the changes of all zones' clocks in
// two years, one of which left out a day of Apia, minute by minute.
func TestTicksAreWhatTheWallShows(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	tried, known := 0, map[string]bool{}
	for _, zone := range zones(t) {
		moments := slices.Concat(changes(zone, 2011, 2012), changes(zone, 2026, 2027))
		// Zones that go together are tried once.
		key := fmt.Sprint(moments, time.Unix(1.8e9, 0).In(zone).Format("-0700"))
		if known[key] {
			continue
		}
		known[key] = true
		all := wantedOf(t, zone, expressions(r, 1)...)
		for _, change := range moments {
			instants := around(zone, change, 27*time.Hour, 60)
			for _, w := range all {
				tried++
				compare(t, w, zone, instants)
			}
		}
	}
	t.Logf("%d rows of ticks were compared", tried)
}

// TestTicksAreWhatTheWallShowsToTheSecond tries those changes that are no
// whole hours, or at midnight, and expressions of seconds.
func TestTicksAreWhatTheWallShowsToTheSecond(t *testing.T) {
	for name, change := range map[string]string{
		"Australia/Lord_Howe": "2026-04-04T15:00:00Z", "Africa/Cairo": "2026-04-23T22:00:00Z", "Asia/Beirut": "2026-03-28T22:00:00Z",
		"Pacific/Apia": "2011-12-30T10:00:00Z", "America/New_York": "2026-11-01T06:00:00Z",
		// The local time before there were zones is not even in whole minutes.
		"Europe/Amsterdam": "1937-06-30T22:40:28Z",
	} {
		zone, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		instants := around(zone, instant(change), 5*time.Hour, 1)
		for _, w := range wantedOf(t, zone, "*/20 * * * * *", "30 30 0-2 * * *", "10-50/13 59 * * * *", "0 0 0 * * *") {
			compare(t, w, zone, instants)
		}
	}
}

// TestTicksOfAllChangesLong tries every change of every zone's clock since 1880.
func TestTicksOfAllChangesLong(t *testing.T) {
	if os.Getenv("ROLLCALL_LONG") == "" {
		t.Skip("long: run with ROLLCALL_LONG=1, or .ci/run")
	}
	r := rand.New(rand.NewPCG(3, 4))
	for _, zone := range zones(t) {
		minutes := wantedOf(t, zone, expressions(r, 3)...)
		seconds := wantedOf(t, zone, "*/20 * * * * *", "30 30 2 * * *", "0 0 0 * * *")
		for _, change := range changes(zone, 1880, 2060) {
			instants := around(zone, change, time.Hour, 1)
			for _, w := range slices.Concat(minutes, seconds) {
				compare(t, w, zone, instants)
			}
			_, before := change.Add(-time.Second).In(zone).Zone()
			if _, after := change.In(zone).Zone(); before%60 != 0 || after%60 != 0 {
				continue // the minutes of before are none of after
			}
			instants = around(zone, change, 27*time.Hour, 60)
			for _, w := range minutes {
				compare(t, w, zone, instants)
			}
		}
	}
}

// TestTicksAtTheEndOfAYear tries the days around the new year, where package time
// is wrong about until when the clock is not set.
func TestTicksAtTheEndOfAYear(t *testing.T) {
	for _, name := range []string{"America/New_York", "Australia/Lord_Howe", "Asia/Shanghai", "Pacific/Auckland", "UTC"} {
		zone, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		for year := 2039; year < 2042; year++ {
			instants := around(zone, time.Date(year, 12, 31, 12, 0, 0, 0, time.UTC), 40*time.Hour, 60)
			for _, w := range wantedOf(t, zone, "*/5 * * * *", "0 12 * * *", "0 0 31 12 *", "59 23 * * *") {
				compare(t, w, zone, instants)
			}
		}
	}
}

func TestAScheduleLooksFarEnough(t *testing.T) {
	for _, c := range []struct{ expression, after, want string }{
		{"0 0 29 2 *", "2096-03-01T00:00:00Z", "2104-02-29T00:00:00Z"},
		{"59 59 23 31 12 *", "9999-12-31T23:59:58Z", "9999-12-31T23:59:59Z"},
		{"0 0 1 1 *", "0000-12-31T23:59:59.5Z", "0001-01-01T00:00:00Z"},
		{"0 0 1 1 *", "1969-12-31T23:59:59.999999999Z", "1970-01-01T00:00:00Z"},
	} {
		s, err := ParseSchedule(c.expression, "")
		if err != nil {
			t.Fatal(err)
		}
		if got := s.Next(instant(c.after)); !got.Equal(instant(c.want)) {
			t.Errorf("%s after %s: %v", c.expression, c.after, got)
		}
	}
}
