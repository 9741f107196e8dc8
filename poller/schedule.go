package poller

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/robfig/cron/v3"
)

// Schedule is a sequence of instants, the same on every machine. The zero value has
// none. It is made by [ParseSchedule].
type Schedule struct {
	expression string
	ticks      cron.Schedule
	pace       time.Duration
	continuous bool
}

// Continuous is the schedule without a distance: a pass begins as soon as the
// last one is over. Its instants are those of @every 1s, for a pass that finds
// nothing to ask.
const Continuous = "@continuous"

// ParseSchedule reads a cron expression of five fields (minute, hour, day,
// month, weekday) or six (seconds first), a word such as @hourly, @every with a
// duration of whole seconds, or [Continuous]. The time zone is a name such as
// Asia/Shanghai; "" is UTC.
//
// A cron expression ticks at every second at which a clock on the wall shows
// what it says: an hour, or a day, that a change of the clock leaves out has no
// ticks, an hour that it repeats has them twice. The ticks of @every D are the
// multiples of D since 1970-01-01T00:00:00Z, whatever the zone; see [Schedule.Of].
func ParseSchedule(expression, timezone string) (Schedule, error) {
	zone, err := loadZone(timezone)
	if err != nil {
		return Schedule{}, err
	}
	expression = strings.TrimSpace(expression)
	ticks, err := parseTicks(expression, zone)
	if err != nil {
		return Schedule{}, fmt.Errorf("read schedule %q: %w", expression, err)
	}
	pace := paceOf(ticks)
	if pace == 0 {
		return Schedule{}, fmt.Errorf("read schedule %q: it never fires; there is no such day", expression)
	}
	return Schedule{expression, ticks, pace, expression == Continuous}, nil
}

// Next returns the first instant after t; zero when there is none.
func (s Schedule) Next(t time.Time) time.Time {
	if s.ticks == nil {
		return time.Time{}
	}
	return s.ticks.Next(t)
}

// Of returns the schedule for a tenant: its @every has a phase of its own, so that
// many tenants do not ask, and store, at the same instant. It is the same for every
// worker. Cron expressions keep their instants.
func (s Schedule) Of(tenant string) Schedule {
	if ticks, ok := s.ticks.(every); ok && !s.continuous {
		s.ticks = ticks.of(tenant)
	}
	return s
}

// String returns the expression as it was read.
func (s Schedule) String() string { return s.expression }

// Pace is the shortest distance of two neighbouring instants, judging by some
// hundred of them.
func (s Schedule) Pace() time.Duration { return s.pace }

// Continuous reports whether a pass that has asked is followed by the next one
// at once; the instants then are for those that found nothing to ask.
func (s Schedule) Continuous() bool { return s.continuous }

func loadZone(name string) (*time.Location, error) {
	if name == "Local" {
		return nil, errors.New("load time zone Local: it differs from machine to machine; name one such as Asia/Shanghai")
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return nil, fmt.Errorf("load time zone %q: no such zone; use a name such as Asia/Shanghai or UTC: %w", name, err)
	}
	return zone, nil
}

func parseTicks(expression string, zone *time.Location) (cron.Schedule, error) {
	if expression == Continuous {
		return every{period: time.Second}, nil
	}
	if period, ok := strings.CutPrefix(expression, "@every"); ok {
		return parseEvery(strings.TrimSpace(period))
	}
	if err := refuseMisread(expression); err != nil {
		return nil, err
	}
	ticks, err := parseCron(expression)
	if err != nil {
		return nil, fmt.Errorf("%w; write five fields (minute hour day month weekday), six with seconds first, @hourly, @every 15s, or @continuous", err)
	}
	ticks.Location = zone
	return &wallClock{*ticks}, nil
}

// parseCron survives the parser, which panics on some malformed input.
func parseCron(expression string) (ticks *cron.SpecSchedule, err error) {
	defer func() {
		if problem := recover(); problem != nil {
			err = fmt.Errorf("the cron parser fails on it (%v)", problem)
		}
	}()
	const fields = cron.SecondOptional | cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow
	parsed, err := cron.NewParser(fields | cron.Descriptor).Parse(expression)
	if err != nil {
		return nil, err
	}
	ticks, ok := parsed.(*cron.SpecSchedule)
	if !ok {
		return nil, fmt.Errorf("the cron parser makes a %T of it", parsed)
	}
	return ticks, nil
}

// refuseMisread refuses what the parser would misread.
func refuseMisread(expression string) error {
	if strings.HasPrefix(expression, "TZ=") || strings.HasPrefix(expression, "CRON_TZ=") {
		return errors.New("it names a time zone; set poll.timezone instead")
	}
	if expression == "" {
		return errors.New("it is empty; write for example @every 15s")
	}
	fields := strings.Fields(expression)
	for i, field := range fields {
		for item := range strings.SplitSeq(field, ",") {
			if err := refuseItem(item, 6-len(fields)+i); err != nil {
				return err
			}
		}
	}
	return nil
}

// refuseItem looks at one item of a comma list of the place-th field, counted
// from the seconds.
func refuseItem(item string, place int) error {
	if item == "" {
		return errors.New("a list has an empty item; remove the comma too many")
	}
	if item[0] == '*' || item[0] == '?' {
		if rest := item[1:]; rest != "" && rest[0] != '/' {
			return fmt.Errorf("%q is no range; write *, or a range such as 1-5", item)
		}
	}
	return refuseStep(item, place)
}

func refuseStep(item string, place int) error {
	sizes := [...]int{60, 60, 24, 31, 12, 7}
	_, text, found := strings.Cut(item, "/")
	if !found || place < 0 || place >= len(sizes) {
		return nil
	}
	var step int
	if n, err := fmt.Sscan(text, &step); n == 1 && err == nil && step > sizes[place] {
		return fmt.Errorf("the step of %q is longer than the field's range of %d; use @every for long distances", item, sizes[place])
	}
	return nil
}

// paceOf looks at the first instants of a leap year, where each day exists;
// 0 when there are none.
func paceOf(ticks cron.Schedule) time.Duration {
	if fixed, ok := ticks.(every); ok {
		return fixed.period
	}
	last := ticks.Next(time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC).Add(-time.Second))
	shortest := time.Duration(0)
	for range 400 {
		next := ticks.Next(last)
		if last.IsZero() || next.IsZero() {
			break
		}
		shortest = min(cmp.Or(shortest, next.Sub(last)), next.Sub(last))
		last = next
	}
	return shortest
}
