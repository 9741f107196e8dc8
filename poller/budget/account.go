package budget

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"rollcall/wire"
)

// schema is the version of the JSON of what is stored.
const schema = 1

// mostLeases bounds what is remembered of workers that never gave back.
const mostLeases = 32

// account is what is stored of a tenant's month.
type account struct {
	Schema int `json:"schema"`
	// Limit is the number that the last writer keeps to; it is there to be shown.
	Limit int64 `json:"limit"`
	// Finds says the same of whether it looks for meetings.
	Finds bool `json:"finds,omitempty"`
	// Granted calls were reserved and not given back. It never exceeds the limit.
	Granted int64 `json:"granted"`
	// Credit is by how many calls what was granted lags behind the plan at At;
	// below zero it runs ahead of it.
	Credit float64   `json:"credit"`
	At     wire.Time `json:"at"`
	// Spent are the calls of workers that are gone, by operation.
	Spent  map[string]int64  `json:"spent"`
	Leases map[string]*lease `json:"leases"` // by holder
}

// lease is what one worker has reserved, and what of it it said it has spent.
// Both only grow, so that a write which is repeated changes nothing.
type lease struct {
	Reserved int64            `json:"reserved"`
	Spent    map[string]int64 `json:"spent"`
	At       wire.Time        `json:"at"`
}

func decodeAccount(data []byte) (*account, error) {
	a := &account{}
	if len(data) == 0 {
		a.Schema = schema
	} else if err := json.Unmarshal(data, a); err != nil {
		return nil, fmt.Errorf("decode the account of the month: %w", err)
	}
	if a.Schema != schema {
		return nil, newer("the account of the month", a.Schema)
	}
	if a.Granted < 0 || math.IsNaN(a.Credit) || math.IsInf(a.Credit, 0) {
		return nil, errors.New("decode the account of the month: it holds numbers that cannot be")
	}
	return a.complete(), nil
}

func (a *account) complete() *account {
	if a.Spent == nil {
		a.Spent = make(map[string]int64)
	}
	if a.Leases == nil {
		a.Leases = make(map[string]*lease)
	}
	maps.DeleteFunc(a.Leases, func(_ string, l *lease) bool { return l == nil })
	return a
}

// accrue lets the plan run on until now. A new month begins with one call.
func (a *account) accrue(now time.Time, perSecond, most float64) {
	if a.At.IsZero() {
		a.Credit, a.At.Time = 1, now
		return
	}
	if passed := now.Sub(a.At.Time); passed > 0 {
		a.Credit = min(most, a.Credit+perSecond*passed.Seconds())
		a.At.Time = now
	}
}

// grant reserves up to want calls for the holder, within the limit and no
// further ahead of the plan than ahead, and returns how many it reserved.
func (a *account) grant(holder string, want, limit int64, ahead float64, now time.Time) int64 {
	n := max(0, min(want, limit-a.Granted, int64(math.Floor(a.Credit+ahead))))
	a.Granted += n
	a.Credit -= float64(n)
	a.leaseOf(holder, now).Reserved += n
	return n
}

func (a *account) leaseOf(holder string, now time.Time) *lease {
	l := a.Leases[holder]
	if l == nil {
		a.forget()
		l = &lease{}
		a.Leases[holder] = l
	}
	l.At.Time = now
	return l
}

// forget drops the oldest lease where there are too many. Its calls stay granted.
func (a *account) forget() {
	if len(a.Leases) < mostLeases {
		return
	}
	oldest := slices.MinFunc(slices.Collect(maps.Keys(a.Leases)), func(x, y string) int {
		return a.Leases[x].At.Compare(a.Leases[y].At.Time)
	})
	a.bury(oldest)
}

func (a *account) bury(holder string) {
	for op, n := range a.Leases[holder].Spent {
		a.Spent[op] += n
	}
	delete(a.Leases, holder)
}

// close ends a lease, records what was spent of it, and takes the rest back. It
// reports whether there was such a lease.
func (a *account) close(holder string, spent map[string]int64) bool {
	l := a.Leases[holder]
	if l == nil {
		return false
	}
	l.Spent = maps.Clone(spent)
	back := max(0, l.Reserved-sum(spent))
	a.Granted -= back
	a.Credit += float64(back)
	a.bury(holder)
	return true
}

func sum(by map[string]int64) (n int64) {
	for _, count := range by {
		n += count
	}
	return n
}
