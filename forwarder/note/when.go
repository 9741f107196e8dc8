package note

import (
	"time"

	"rollcall"
)

// when is a time as the templates have it: at To, between From and To, or, where
// it is Open, before To.
type when struct {
	Day      string // of all of it; "" where that is the day on which the note is told
	From, To string
	Open     bool
}

// clock writes the times of a note.
type clock struct {
	zone *time.Location
	day  string // the layout of a day
	year string // likewise, of another year
	now  time.Time
}

// at is a moment, to the minute; nil: there is none.
func (c *clock) at(t time.Time) *when {
	if t.IsZero() {
		return nil
	}
	return &when{Day: c.dayOf(t), To: c.minute(t)}
}

// span is what is known of when something happened. What lies within one minute
// is at that minute.
func (c *clock) span(w rollcall.Window) *when {
	to := c.at(w.Before)
	switch {
	case to == nil:
		return nil
	case w.After.IsZero():
		to.Open = true
		return to
	case c.minuteOf(w.After).Equal(c.minuteOf(w.Before)):
		return to
	case c.date(w.After) == c.date(w.Before):
		to.From = c.minute(w.After)
		return to
	}
	return &when{From: c.full(w.After), To: c.full(w.Before)}
}

func (c *clock) minuteOf(t time.Time) time.Time { return t.In(c.zone).Truncate(time.Minute) }

func (c *clock) minute(t time.Time) string { return t.In(c.zone).Format("15:04") }

func (c *clock) date(t time.Time) string { return t.In(c.zone).Format(time.DateOnly) }

// full names the day where it is not that of the note.
func (c *clock) full(t time.Time) string {
	if day := c.dayOf(t); day != "" {
		return day + " " + c.minute(t)
	}
	return c.minute(t)
}

func (c *clock) dayOf(t time.Time) string {
	at, now := t.In(c.zone), c.now.In(c.zone)
	switch {
	case c.date(t) == c.date(c.now):
		return ""
	case at.Year() == now.Year():
		return at.Format(c.day)
	}
	return at.Format(c.year)
}

// length is how long something took, to the minute.
type length struct {
	Hours, Minutes int
}

// stay is how long somebody was there: Least, or from Least to Most where the
// two are more than a minute apart.
type stay struct {
	Least, Most length
	Wide        bool // Most says more than Least
	Open        bool // nobody knows for how long before Least
}

func lengthOf(d time.Duration) length {
	minutes := int(d.Round(time.Minute) / time.Minute)
	return length{minutes / 60, minutes % 60}
}

func stayOf(least, most time.Duration) stay {
	switch {
	case most < 0:
		return stay{Least: lengthOf(least), Open: true}
	case most-least <= time.Minute:
		return stay{Least: lengthOf(least + (most-least)/2)}
	}
	return stay{Least: lengthOf(least), Most: lengthOf(most), Wide: true}
}
