package poller

import (
	"math"
	"math/bits"
	"time"

	"github.com/robfig/cron/v3"
)

// wallClock ticks at every second at which a clock on the wall of its zone
// shows what the fields want. The library that parsed them looks for the next
// one by setting a clock forward, and goes wrong, or on forever, where the
// clock is set by half an hour, at midnight, or by a whole day.
type wallClock struct{ cron.SpecSchedule }

// horizon is how far the next tick is looked for: a 29th of February may be
// eight years off.
const horizon = 9 * 366 * 24 * time.Hour

// Next returns the first tick after t; zero when there is none within the horizon.
func (w *wallClock) Next(t time.Time) time.Time {
	at, last := t.Unix()+1, t.Add(horizon).Unix()
	// Between two changes of the zone's clock the wall is a constant away.
	for at <= last {
		ahead, until := w.constant(at)
		until = min(until, last+1)
		if shown, ok := w.shows(at+ahead, until+ahead); ok {
			return time.Unix(shown-ahead, 0).In(t.Location())
		}
		at = until
	}
	return time.Time{}
}

// constant returns how far the wall is ahead of UTC at an instant, and until when
// it is so at least.
func (w *wallClock) constant(at int64) (ahead, until int64) {
	here := time.Unix(at, 0).In(w.Location)
	_, offset := here.Zone()
	_, end := here.ZoneBounds()
	switch {
	case end.IsZero():
		return int64(offset), math.MaxInt64
	case end.Unix() <= at: // as package time says on the last day of a leap year
		return int64(offset), at + 900 - (at%900+900)%900
	}
	return int64(offset), end.Unix()
}

const daySeconds = 24 * 60 * 60

// shows returns the first second from the one to before the other, both as a
// clock without changes counts them since 1970, that the fields want.
func (w *wallClock) shows(from, until int64) (second int64, ok bool) {
	for from < until {
		day := time.Unix(from, 0).UTC()
		year, month, date := day.Date()
		midnight := time.Date(year, month, date, 0, 0, 0, 0, time.UTC)
		if !has(w.Month, int(month)) {
			from = midnight.AddDate(0, 1, 1-date).Unix()
			continue
		}
		if w.wantsDay(date, day.Weekday()) {
			if clock, ok := w.clock(int(from - midnight.Unix())); ok {
				second = midnight.Unix() + int64(clock)
				return second, second < until
			}
		}
		from = midnight.Unix() + daySeconds
	}
	return 0, false
}

// wantsDay takes a day that one of day and weekday wants where both are
// restricted, and otherwise one that both want.
func (w *wallClock) wantsDay(date int, weekday time.Weekday) bool {
	const free = 63 // the parser's bit for *
	d, wd := has(w.Dom, date), has(w.Dow, int(weekday))
	if has(w.Dom, free) || has(w.Dow, free) {
		return d && wd
	}
	return d || wd
}

// clock returns the first second of a day that hour, minute and second want,
// from the given one on.
func (w *wallClock) clock(from int) (second int, ok bool) {
	h, m, s := from/3600, from/60%60, from%60
	for hour := next(w.Hour, h); hour < 24; hour = next(w.Hour, hour+1) {
		if hour > h {
			m, s = 0, 0
		}
		for minute := next(w.Minute, m); minute < 60; minute = next(w.Minute, minute+1) {
			if hour > h || minute > m {
				s = 0
			}
			if second := next(w.Second, s); second < 60 {
				return hour*3600 + minute*60 + second, true
			}
		}
	}
	return 0, false
}

func has(set uint64, n int) bool { return set>>n&1 == 1 }

// next returns the first member of a set from n on; above all members where there is none.
func next(set uint64, n int) int { return n + bits.TrailingZeros64(set>>n) }
