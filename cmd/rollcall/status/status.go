// Package status says what is wrong with an installation, for the one who was
// woken: what, since when, what is lost meanwhile, and what to do. It judges what was
// read of NATS and asks nobody itself.
package status

import (
	"time"

	"rollcall/forwarder"
	"rollcall/wire"
	"rollcall/worker/membership"
)

// Facts is what could be read.
type Facts struct {
	At time.Time
	// Unreachable says why nothing could be read; nil: it could be.
	Unreachable error
	Stream      Stream
	Statuses    map[string]wire.Status // by tenant, of every tenant that there ever was
	Workers     []Worker               // that live
	Budgets     []Budget
	Configured  []string // the tenants of the configuration, where there is one
	// Targets are those that the configuration names; TargetsUnread says why what the
	// forwarder keeps of them cannot be read, such as by a user without the right.
	Targets       []forwarder.TargetStatus
	TargetsUnread error
}

// Stream is the stream of events and state.
type Stream struct {
	Name            string `json:"name"`
	Missing         bool   `json:"missing,omitempty"`
	Messages        uint64 `json:"messages"`
	Bytes, MaxBytes int64  `json:"-"` // MaxBytes 0: no limit
}

// Worker is a worker that lives, and what it says of itself.
type Worker struct {
	ID   string
	Info membership.Info
	Err  error // why what it says cannot be read
}

// Budget is what is left of a tenant's calls in this month.
type Budget struct {
	Tenant       string
	Calls, Left  int64 // Left: neither spent nor reserved
	Reserved     int64
	MonthBegins  time.Time
	MonthIsOver  time.Time
	NotReadError string // why it cannot be known
}

// Finding is one thing that is wrong.
type Finding struct {
	What   string    `json:"what"`
	Tenant string    `json:"tenant,omitempty"` // "": it is about all
	Since  time.Time `json:"since,omitzero"`   // zero: not known
	Lost   string    `json:"lost"`             // what is lost meanwhile
	Do     string    `json:"do"`
}

// Tenant is how one tenant does, with all of its workers together.
type Tenant struct {
	Name     string        `json:"name"`
	State    string        `json:"state"` // ok, throttled, quota, auth or away; "": nobody ever looked
	LastGood time.Time     `json:"lastGoodPoll,omitzero"`
	Pace     time.Duration `json:"-"`
	Tracked  int           `json:"tracked"`
	Waiting  int           `json:"waiting"` // observations that are not stored yet
	Held     int           `json:"shardsHeld"`
	Shards   int           `json:"shards"` // 0: not known
	setAside int
}

// Report is all of it.
type Report struct {
	OK       bool      `json:"ok"`
	At       time.Time `json:"at"`
	Findings []Finding `json:"findings"` // the worst first
	Tenants  []Tenant  `json:"tenants"`
	Workers  int       `json:"workers"`
	Versions []string  `json:"versions"` // of their programs
	Stream   Stream    `json:"stream"`
	// Targets are how those do that are to be told; Unread: why that is not known.
	Targets []forwarder.TargetStatus `json:"targets,omitempty"`
	Unread  string                   `json:"targetsUnread,omitempty"`
}
