package budget

import (
	"encoding/json"
	"fmt"
	"time"
)

const (
	hoursKey  = "hours"
	slotCount = 7 * 24
	// quietest is the weight of an hour in which no meeting was ever seen,
	// where 1 is one that is full of them: something may happen all the same.
	quietest = 0.01
)

// hours is in which hours of the week meetings are seen.
type hours struct {
	Schema int             `json:"schema"`
	Slots  [slotCount]slot `json:"slots"` // from Sunday 0:00 in DingTalk's time zone
}

// slot is what is known of one hour of the week.
type slot struct {
	Hour int64   `json:"hour,omitempty"` // the last such hour that was watched, in hours since 1970; 0: none
	Seen float64 `json:"seen,omitempty"` // the part of it in which a meeting was tracked
	Mean float64 `json:"mean,omitempty"` // the same of those before, the later the heavier; -1: there were none
}

func decodeHours(data []byte) (*hours, error) {
	h := &hours{}
	if len(data) == 0 {
		h.Schema = schema
	} else if err := json.Unmarshal(data, h); err != nil {
		return nil, fmt.Errorf("decode the hours of the week: %w", err)
	}
	if h.Schema != schema {
		return nil, newer("the hours of the week", h.Schema)
	}
	for i := range h.Slots {
		h.Slots[i].Seen = min(max(h.Slots[i].Seen, 0), 1)
		h.Slots[i].Mean = min(h.Slots[i].Mean, 1)
	}
	return h, nil
}

// slotOf is the place of an instant in the week.
func slotOf(t time.Time) int {
	t = t.In(china())
	return int(t.Weekday())*24 + t.Hour()
}

func hourOf(t time.Time) int64 { return t.Unix() / 3600 }

// learn takes in what one worker saw in an hour. What several saw of the same
// hour counts once, and so does what is reported twice.
func (h *hours) learn(hour int64, seen float64) {
	s := &h.Slots[slotOf(time.Unix(hour*3600, 0))]
	switch {
	case s.Hour == hour:
		s.Seen = max(s.Seen, seen)
	case s.Hour == 0:
		*s = slot{Hour: hour, Seen: seen, Mean: -1}
	case s.Hour < hour:
		*s = slot{Hour: hour, Seen: seen, Mean: s.value()}
	}
}

// value is what is expected of a slot that was watched.
func (s *slot) value() float64 {
	if s.Mean < 0 {
		return s.Seen
	}
	return (s.Seen + s.Mean) / 2
}

// weight says how much an hour of the week is worth asking in, from
// [quietest] to 1.
func (h *hours) weight(place int) float64 {
	s := &h.Slots[place]
	if s.Hour != 0 {
		return max(s.value(), quietest)
	}
	return max(h.sameHour(place%24), quietest)
}

// sameHour is what is expected of an hour of the week that was never watched:
// what the same hour of other days was like, and 1 as if two more were full:
// one quiet Sunday says little about Monday.
func (h *hours) sameHour(hour int) float64 {
	total, days := 2.0, 2.0
	for day := range 7 {
		if s := &h.Slots[day*24+hour]; s.Hour != 0 {
			total += s.value()
			days++
		}
	}
	return total / days
}

// weights returns the weight of each hour of the week.
func (h *hours) weights() *[slotCount]float64 {
	var all [slotCount]float64
	for i := range all {
		all[i] = h.weight(i)
	}
	return &all
}

// flat are the weights of a week about which nothing is known.
func flat() *[slotCount]float64 { return (&hours{}).weights() }

// ahead adds up the weights of the hours from now to end, in hours.
func ahead(weights *[slotCount]float64, now, end time.Time) float64 {
	left := end.Sub(now).Hours()
	first := now.Truncate(time.Hour).Add(time.Hour).Sub(now).Hours()
	place, total := slotOf(now), 0.0
	for span := min(first, left); left > 0; span = min(1, left) {
		total += weights[place] * span
		left -= span
		place = (place + 1) % slotCount
	}
	return total
}
