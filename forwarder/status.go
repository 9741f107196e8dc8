package forwarder

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
)

// TargetStatus is how a target is doing, for people and as JSON.
type TargetStatus struct {
	Target string        `json:"target"`
	Kind   string        `json:"kind"`
	Routes []RouteStatus `json:"routes"`
	Robots []RobotStatus `json:"robots"`
	// Month is the one that Sent counts messages of; Monthly is how many may be
	// sent in it, -1: any number.
	Month   string `json:"month"`
	Sent    int    `json:"sent"`
	Monthly int    `json:"monthly"`
	// PausedUntil is until when none of its robots sends; zero: one does.
	PausedUntil time.Time `json:"pausedUntil,omitzero"`
	// Trouble is that it cannot be told, for long or for good: its class; "" where it can.
	Trouble string    `json:"trouble,omitempty"`
	Reason  string    `json:"reason,omitempty"`
	Since   time.Time `json:"since,omitzero"`
	// Told: the target of on_failure knows.
	Told bool `json:"told,omitempty"`
}

// RouteStatus is what a target was told by a route.
type RouteStatus struct {
	Route  string `json:"route"`
	Holder string `json:"holder,omitempty"` // the process that works it; "": none
	// Seen is when that was last heard of, by its clock: every five seconds.
	Seen time.Time `json:"seen,omitzero"`
	LaneStatus
	UnderWay bool   `json:"underWay,omitempty"` // a message was sent, and its answer has not come
	Through  uint64 `json:"through"`            // up to where in the stream all is accounted for
}

// RobotStatus is how an address is doing.
type RobotStatus struct {
	Free        int       `json:"free"` // messages that may be sent at once
	PausedUntil time.Time `json:"pausedUntil,omitzero"`
	Class       string    `json:"class,omitempty"` // of the last failure; "" since a success
	Reason      string    `json:"reason,omitempty"`
}

// ReadStatus reads how the targets are doing, in their order.
func ReadStatus(ctx context.Context, ledger Ledger, routes []Route, targets []Target) ([]TargetStatus, error) {
	var all []TargetStatus
	now := time.Now()
	for i := range targets {
		d := sender{Target: &targets[i], ledger: ledger}
		status, err := d.status(ctx, now)
		if err != nil {
			return nil, err
		}
		for _, r := range routes {
			for _, name := range r.Targets {
				if name != d.Name {
					continue
				}
				lane, err := readLane(ctx, ledger, r.Name, name)
				if err != nil {
					return nil, err
				}
				status.Routes = append(status.Routes, lane)
			}
		}
		all = append(all, status)
	}
	return all, nil
}

func readLane(ctx context.Context, ledger Ledger, route, target string) (RouteStatus, error) {
	key := laneKey(route, target)
	data, _, err := ledger.Read(ctx, key)
	var p place
	if err == nil && data != nil {
		err = json.Unmarshal(data, &p)
	}
	if err != nil {
		return RouteStatus{}, fmt.Errorf("read the place of route %s: %w", route, err)
	}
	return RouteStatus{Route: route, Holder: p.Holder, Seen: p.Seen, LaneStatus: p.Lane, UnderWay: p.Flight != nil, Through: p.Floor}, nil
}

// status is all but the routes'.
func (d *sender) status(ctx context.Context, now time.Time) (TargetStatus, error) {
	s := TargetStatus{Target: d.Name, Kind: d.Kind.Name, Month: monthOf(now), Monthly: d.Monthly, Routes: []RouteStatus{}, Robots: []RobotStatus{}}
	state, err := change(ctx, d.ledger, d.key(), func(*targetState) bool { return false })
	if err != nil {
		return s, err
	}
	s.Sent = state.spent(now)
	if t := state.Trouble; t.Healed.IsZero() {
		s.Trouble, s.Reason, s.Since, s.Told = t.Class, t.Detail, t.Since, t.Told
	}
	if err := d.look(ctx); err != nil { // its secrets cannot be read here
		s.Reason = err.Error()
		return s, nil
	}
	for i := range d.robots {
		r := &d.robots[i].state
		one := RobotStatus{Free: r.free(d.Kind.Limit.Rates, now), Class: string(r.Class), Reason: r.Detail}
		if r.Until.After(now) {
			one.PausedUntil = r.Until
		}
		s.Robots = append(s.Robots, one)
	}
	if until, _ := d.silent(); until.After(now) {
		s.PausedUntil = until
	}
	return s, nil
}
