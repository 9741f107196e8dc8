package cost

import (
	"fmt"
	"strconv"
	"time"

	"rollcall/poller/budget"
)

// Fits reports whether the calls of the month suffice for the schedule even
// where meetings go on around the clock.
func (p Plan) Fits(c Costs) bool { return p.Calls == 0 || c.Clock <= p.Calls }

// Fitting says which schedules the calls of the month suffice for.
func (p Plan) Fitting(c Costs) string {
	every, taken := p.Slowest(c)
	if every == "" {
		return fmt.Sprintf("no schedule fits, since one tick takes %s calls", Grouped(c.PerTick))
	}
	text := fmt.Sprintf("%q, which takes %s, fits around the clock; with meetings %s", every, Grouped(taken), p.hours())
	_, fresh := p.Paced()
	if fresh.Every <= p.Schedule.Pace() {
		return text + " the schedule itself does"
	}
	return text + fmt.Sprintf(" about %q does", "@every "+Rough(fresh.Every))
}

func (p Plan) hours() string {
	if p.Days == OfficeDays {
		return fmt.Sprintf("%g hours a working day", p.Hours)
	}
	return fmt.Sprintf("%g hours on %d days of the month", p.Hours, p.Days)
}

// Slowest returns the schedule, rounded as [Rough] does, that spends the calls of
// the month most evenly around the clock, and how many it takes, with those of
// the lists and lookups; "" where they do not suffice for one tick.
func (p Plan) Slowest(c Costs) (every string, taken int64) {
	lists := min(c.Lists, int64(budget.FindShare*float64(p.Calls)))
	beside := lists + p.spared(p.Calls-lists)
	rounds := (p.Calls - beside) / c.PerTick // as many ticks at most
	if rounds < 1 {
		return "", beside
	}
	period := roughly((Month + time.Duration(rounds) - 1) / time.Duration(rounds))
	return "@every " + Rough(period), int64(Month/period)*c.PerTick + beside
}

// Rough writes a time up to a minute in whole seconds, up to ten minutes in
// tens of seconds and above in whole minutes, rounded up: "2m30s".
func Rough(d time.Duration) string {
	d = roughly(d)
	minutes, seconds := int(d/time.Minute), int(d%time.Minute/time.Second)
	switch {
	case minutes == 0:
		return fmt.Sprintf("%ds", seconds)
	case seconds == 0:
		return fmt.Sprintf("%dm", minutes)
	}
	return fmt.Sprintf("%dm%ds", minutes, seconds)
}

func roughly(d time.Duration) time.Duration {
	unit := time.Second
	switch {
	case d > 10*time.Minute:
		unit = time.Minute
	case d > time.Minute:
		unit = 10 * time.Second
	}
	return (d + unit - 1) / unit * unit
}

// Grouped writes a number with commas between its thousands.
func Grouped(n int64) string {
	text := strconv.FormatInt(n, 10)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}
