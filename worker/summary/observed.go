package summary

import (
	"time"

	"rollcall"
)

// Observed folds the events of one epoch of a meeting. The zero value has seen none.
type Observed struct {
	// Sequence is that of the last event.
	Sequence uint64

	stays      rollcall.Stays
	roles      map[string]rollcall.Roles // by key
	peak       rollcall.Peak
	start, end rollcall.Window
	planned    bool // the start is still to come
}

// Apply folds the next event; holes, left by events that have aged out or were
// erased, are passed over.
func (o *Observed) Apply(e *rollcall.Event) {
	o.Sequence = e.Sequence
	o.stays.Apply(e)
	if e.Meeting.Present > o.peak.Present && e.Type != rollcall.MeetingUntracked {
		o.peak = rollcall.Peak{Present: e.Meeting.Present, At: e.Window}
	}
	switch e.Type {
	case rollcall.MeetingInitialized:
		o.planned = true
	case rollcall.MeetingStarted:
		o.planned = false
		if o.start == (rollcall.Window{}) {
			o.start = e.Window
		}
	case rollcall.MeetingEnded:
		o.end = e.Window
	}
	if p := e.Participant; p != nil && p.Roles != (rollcall.Roles{}) {
		if o.roles == nil {
			o.roles = make(map[string]rollcall.Roles)
		}
		o.roles[p.Key] = p.Roles
	}
}

// ends returns when the meeting began and ended.
func (o *Observed) ends(r *rollcall.Record) (start, end rollcall.Moment) {
	start, end = rollcall.Moment{Window: o.start}, rollcall.Moment{Window: o.end}
	if at := r.Meeting.EndTime; !at.IsZero() {
		end = rollcall.Moment{At: at}
	} else if o.end == (rollcall.Window{}) {
		end.Window.Before = r.EndedAt
	}
	if at := r.Meeting.StartTime; !o.planned && !at.IsZero() && !at.After(end.Latest()) {
		start = rollcall.Moment{At: at}
	} else if start.Window.Before.IsZero() {
		start.Window.Before = end.Latest()
	}
	return start, end
}

// lasted is from a moment to another, the longest that it can have been; from the
// latest where nobody knows since when.
func lasted(from, to rollcall.Moment) time.Duration {
	first := from.Earliest()
	if first.IsZero() {
		first = from.Latest()
	}
	return max(0, to.Latest().Sub(first))
}
