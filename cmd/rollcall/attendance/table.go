package attendance

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"rollcall/consume"
	"rollcall/internal/safetext"
)

// nameWidth is how many columns a name takes at most.
const nameWidth = 32

// Head are the rows that say of which meeting it is, in the times of a place.
func (m *Meeting) Head(at *time.Location) [][]string {
	rows := [][]string{
		{"title", safetext.Field(cmp.Or(m.Title, "-"), 200)},
		{"id", m.ConferenceID},
		{"tenant", m.Tenant},
		{"epoch", strings.Trim(fmt.Sprint(m.Epochs), "[]")},
		{"status", m.standing()},
		{"started", dated(m.Started, at)},
		{"ended", dated(m.Ended, at)},
		{"known by", m.knownBy()},
	}
	for _, r := range m.Missing {
		rows = append(rows, []string{"missing", fmt.Sprintf("events %d to %d: of somebody who was forgotten, or lost", r.From, r.To)})
	}
	return rows
}

// knownBy says where the times come from.
func (m *Meeting) knownBy() string {
	switch {
	case !m.Summarized:
		return "what polls have seen"
	case !m.Complete:
		return "the summary after the end, as far as it could be made"
	}
	return "the summary after the end, with DingTalk's own times"
}

// standing says how it stands, how many are there, and how many ever were.
func (m *Meeting) standing() string {
	there := 0
	for _, p := range m.People {
		if p.Visits[len(p.Visits)-1].Left == nil {
			there++
		}
	}
	if there == 0 {
		return fmt.Sprintf("%s, %d came", m.Status, len(m.People))
	}
	return fmt.Sprintf("%s, %d of %d who came are there", m.Status, there, len(m.People))
}

// Table are the visits, a row each, below the names of the columns. How long the
// microphone and the camera were open stands in the first row of each person.
func (m *Meeting) Table(at *time.Location) [][]string {
	rows := [][]string{{"NAME", "JOINED", "LEFT", "HOW", "STAYED", "MIC", "CAMERA", "ROLES", "KEY"}}
	day := m.day(at)
	for _, p := range m.arrivals() {
		name, mic, camera := safetext.Field(cmp.Or(p.Nick, "-"), nameWidth), p.Mic.String(), p.Camera.String()
		for i := range p.Visits {
			v := &p.Visits[i]
			rows = append(rows, []string{name, v.Joined.text(at, day), v.Left.text(at, day), howEnded(v.How), v.Stay.String(), mic, camera, cmp.Or(p.Facts().String(), "-"), p.Key})
			mic, camera = "", ""
		}
	}
	return rows
}

// arrivals are the people as they came.
func (m *Meeting) arrivals() []Person {
	return slices.SortedStableFunc(slices.Values(m.People), func(a, b Person) int {
		return a.Visits[0].Joined.Latest().Compare(b.Visits[0].Joined.Latest())
	})
}

// howEnded says in words how a visit ended.
func howEnded(how string) string {
	switch how {
	case "":
		return "is there"
	case consume.HowUntracked:
		return "nobody looks"
	case consume.HowUnseen:
		return "not found again"
	}
	return strings.ReplaceAll(how, "_", " ")
}

// day is the one on which the meeting began, or was first looked at.
func (m *Meeting) day(at *time.Location) string {
	first := m.first()
	if first.IsZero() {
		return ""
	}
	return first.In(at).Format(time.DateOnly)
}

func (m *Meeting) first() time.Time {
	if m.Started != nil {
		return m.Started.Latest()
	}
	if len(m.Epochs) > 0 {
		return time.UnixMilli(m.Epochs[0])
	}
	return time.Time{}
}

// dated is an instant with its day.
func dated(w *When, at *time.Location) string {
	if w == nil {
		return "-"
	}
	day := w.Latest().In(at).Format(time.DateOnly)
	return day + " " + w.text(at, day)
}

// text is the earliest and the latest, in seconds that hold both between them. The
// day is left out where it is the one that is given.
func (w *When) text(at *time.Location, day string) string {
	if w == nil {
		return "-"
	}
	clock := func(t time.Time) string {
		if t = t.In(at); t.Format(time.DateOnly) == day {
			return t.Format(time.TimeOnly)
		}
		return t.Format("01-02 15:04:05")
	}
	if !w.At.IsZero() {
		return clock(w.At)
	}
	after, before := clock(w.Window.After.Truncate(time.Second)), clock(ceil(w.Window.Before))
	switch {
	case w.Window.After.IsZero():
		return "by " + before
	case w.Window.Before.IsZero():
		return "after " + after
	case after == before:
		return after
	}
	return after + "–" + before
}

// ceil is t in whole seconds, not earlier.
func ceil(t time.Time) time.Time {
	if whole := t.Truncate(time.Second); whole.Before(t) {
		return whole.Add(time.Second)
	}
	return t
}

// Seconds are the least and the most in whole seconds that hold both between them;
// most is negative where there is none.
func (s Span) seconds() (least, most int64) {
	if s.Max == nil {
		return s.Min / 1000, -1
	}
	return s.Min / 1000, (*s.Max + 999) / 1000
}

// String is the least and the most: 44m30s–45m16s, or at least 44m30s.
func (s Span) String() string {
	least, most := s.seconds()
	switch {
	case most < 0:
		return "at least " + seconds(least)
	case least == most:
		return seconds(least)
	}
	return seconds(least) + "–" + seconds(most)
}

// seconds are n seconds: 1h05m00s, 45m16s, 5s.
func seconds(n int64) string {
	switch {
	case n >= 3600:
		return fmt.Sprintf("%dh%02dm%02ds", n/3600, n/60%60, n%60)
	case n >= 60:
		return fmt.Sprintf("%dm%02ds", n/60, n%60)
	}
	return fmt.Sprintf("%ds", n)
}
