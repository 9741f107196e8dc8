package live

import (
	"slices"
	"sync"
	"time"
)

// keptMinutes is how far back the charts go.
const keptMinutes = 6 * 60

// charts are how old what was known was, and how many calls were spent, minute
// by minute since somebody looks.
type charts struct {
	mu     sync.Mutex
	minute int64              // the one that is sampled, Unix minutes
	ages   map[string][]int64 // of this minute, in ms, by tenant
	series map[string]*series
}

// series are the figures of a tenant; those of one minute stand at one index.
type series struct {
	At     []int64 `json:"at"`     // Unix seconds
	Median []int64 `json:"median"` // ms
	P95    []int64 `json:"p95"`    // ms
	Spent  []int64 `json:"spent"`  // calls of the month so far; -1: not counted
	Limit  int64   `json:"limit"`  // calls of the month; 0: not counted
	From   int64   `json:"from"`   // the month, Unix ms
	Until  int64   `json:"until"`
}

// sample takes in how old what is known of each tenant is. A minute that is over
// becomes a point.
func (c *charts) sample(now time.Time, tenants []tenant) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if minute := now.Unix() / 60; minute != c.minute {
		c.close(tenants)
		c.minute, c.ages = minute, map[string][]int64{}
	}
	for _, t := range tenants {
		if t.Known > 0 {
			c.ages[t.Name] = append(c.ages[t.Name], max(0, millis(now)-t.Known))
		}
	}
}

func (c *charts) close(tenants []tenant) {
	for _, t := range tenants {
		ages := c.ages[t.Name]
		if len(ages) == 0 {
			continue
		}
		slices.Sort(ages)
		s := c.series[t.Name]
		if s == nil {
			s = &series{}
			c.series[t.Name] = s
		}
		spent := int64(-1)
		if b := t.Book; b != nil && b.Limit > 0 {
			spent, s.Limit, s.From, s.Until = b.Spent, b.Limit, b.From, b.Until
		}
		s.At, s.Spent = kept(s.At, c.minute*60), kept(s.Spent, spent)
		s.Median, s.P95 = kept(s.Median, ages[len(ages)/2]), kept(s.P95, ages[len(ages)*95/100])
	}
}

func kept(all []int64, next int64) []int64 {
	all = append(all, next)
	return all[max(0, len(all)-keptMinutes):]
}

// all returns copies of what there is, by tenant.
func (c *charts) all() map[string]series {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := make(map[string]series, len(c.series))
	for name, s := range c.series {
		one := *s
		for _, values := range []*[]int64{&one.At, &one.Median, &one.P95, &one.Spent} {
			*values = slices.Clone(*values)
		}
		all[name] = one
	}
	return all
}
