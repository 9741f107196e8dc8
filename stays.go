package rollcall

import (
	"cmp"
	"maps"
	"slices"
	"time"
)

// Stay is one stay of one person, as far as it was seen.
type Stay struct {
	Key, UserID, Nick string
	// Joined and Left say when at the earliest and when at the latest. Where
	// somebody was there at the first look Joined.After is zero; while somebody
	// is there Left is zero, and where nobody has looked since Left.Before is.
	Joined, Left Window
	// How it ended: left, kicked_out, meeting_ended; untracked where nobody
	// looks any more, unseen where a new epoch found the person gone; "" while
	// somebody is there.
	How string
	// Provenance is how the joining came to be known.
	Provenance Provenance
	// Stay, Mic and Camera are how long the person was there, with the
	// microphone open and with the camera open.
	Stay, Mic, Camera Bounds
}

// Stays is who was in one meeting, and when: the fold of its events. The zero
// value knows nothing. It is not safe for concurrent use.
//
// What opens and closes again between two looks, or before the first one, is not
// seen by anybody, and is in no bounds.
type Stays struct {
	visits []*stay          // in the order in which they began
	last   map[string]*stay // of each key
	sure   time.Time        // the latest look before an event
}

// stay is a stay as it is folded.
type stay struct {
	Stay
	there       bool
	cut         bool // nobody has looked since, so it may go on in the next epoch
	mic, camera device
}

// device is a microphone or a camera.
type device struct {
	open   bool
	opened Window
	total  Bounds // of what has closed
}

// Anew begins another epoch, of which the next event is the first.
func (a *Stays) Anew() { a.cut(string(DepartureUnseen), a.sure) }

// Apply folds the next event of the meeting. It passes over what it cannot place.
func (a *Stays) Apply(e *Event) {
	if e.Window.After.After(a.sure) {
		a.sure = e.Window.After
	}
	switch {
	case e.Type == MeetingUntracked:
		a.cut(string(DepartureUntracked), e.Window.After)
	case e.Type == MeetingEnded:
		for _, v := range a.visits {
			v.leave(e.Window, string(DepartureMeetingEnded))
		}
	case e.Participant != nil:
		a.person(e)
	}
	if found := e.Provenance == ProvenanceBaseline; e.Type != MeetingUntracked && (!found || e.Index == e.Count) {
		a.missed(e.Window.Before)
	}
}

// person folds an event about somebody.
func (a *Stays) person(e *Event) {
	if e.Type == ParticipantForgotten {
		a.forget(e)
		return
	}
	v := a.last[e.Participant.Key]
	if e.Type == ParticipantJoined {
		a.join(e, v)
		return
	}
	if v == nil || !v.there {
		return
	}
	switch e.Type {
	case ParticipantLeft:
		how := string(DepartureLeft)
		if e.Reason == ReasonMeetingEnded {
			how = string(DepartureMeetingEnded)
		}
		v.leave(e.Window, how)
	case ParticipantKickedOut:
		v.leave(e.Window, string(DepartureKickedOut))
	case ParticipantMicOpened:
		v.mic.turn(true, e.Window)
	case ParticipantMicClosed:
		v.mic.turn(false, e.Window)
	case ParticipantCameraOpened:
		v.camera.turn(true, e.Window)
	case ParticipantCameraClosed:
		v.camera.turn(false, e.Window)
	case ParticipantRenamed:
		v.Nick = e.Participant.Nick
	}
}

// forget leaves the visits of whoever is forgotten, under the pseudonym.
func (a *Stays) forget(e *Event) {
	as := e.Participant.Key
	for _, v := range a.visits {
		if Forgotten(e.Tenant, e.ConferenceID, v.Key) == as {
			a.last[as] = a.last[v.Key]
			v.Key, v.UserID, v.Nick = as, as, ""
		}
	}
	maps.DeleteFunc(a.last, func(key string, v *stay) bool { return key != v.Key })
}

func (a *Stays) join(e *Event, last *stay) {
	p := e.Participant
	switch {
	case last != nil && last.cut && e.Provenance == ProvenanceBaseline:
		last.goOn(e.Window.Before)
	case last == nil || !last.there:
		v := &stay{there: true, Stay: Stay{
			Key: p.Key, UserID: p.UserID, Nick: p.Nick, Joined: e.Window, Provenance: e.Provenance,
		}}
		if a.last == nil {
			a.last = map[string]*stay{}
		}
		a.visits, a.last[p.Key] = append(a.visits, v), v
	}
}

// cut ends what is known of those who are there: they were until then at least.
func (a *Stays) cut(how string, sure time.Time) {
	for _, v := range a.visits {
		if v.there {
			until := sure
			if until.Before(v.Joined.After) {
				until = v.Joined.After
			}
			v.leave(Window{After: until}, how)
			v.cut = true
		}
	}
}

// missed says of those whom a new epoch has not found that they were gone by then.
func (a *Stays) missed(before time.Time) {
	for _, v := range a.visits {
		if v.cut {
			v.cut, v.Left.Before = false, before
		}
	}
}

// goOn takes a visit up again that was cut. What the devices did in between
// nobody has seen.
func (v *stay) goOn(found time.Time) {
	blind := Bounds{Max: -1} // since some look that nobody knows the time of
	if !v.Left.After.IsZero() {
		blind.Max = found.Sub(v.Left.After)
	}
	v.there, v.cut, v.How, v.Left = true, false, "", Window{}
	v.mic.total, v.camera.total = v.mic.total.plus(blind), v.camera.total.plus(blind)
}

func (v *stay) leave(w Window, how string) {
	if !v.there {
		return
	}
	v.mic.turn(false, w)
	v.camera.turn(false, w)
	v.there, v.Left, v.How = false, w, how
}

func (d *device) turn(open bool, w Window) {
	if open && !d.open {
		d.opened = w
	}
	if !open && d.open {
		d.total = d.total.plus(between(d.opened, w))
	}
	d.open = open
}

// until is how long the device was open, if it closes then at the latest.
func (d device) until(w Window) Bounds {
	d.turn(false, w)
	return d.total
}

// between is how long it was from some time in one window to some time in another.
func between(from, to Window) Bounds {
	b := Bounds{Min: max(0, to.After.Sub(from.Before)), Max: -1}
	if !from.After.IsZero() {
		b.Max = max(b.Min, to.Before.Sub(from.After))
	}
	return b
}

func (b Bounds) plus(c Bounds) Bounds {
	if b.Max < 0 || c.Max < 0 {
		return Bounds{b.Min + c.Min, -1}
	}
	return Bounds{b.Min + c.Min, b.Max + c.Max}
}

// All are all stays so far, sorted by key and then as they began. Of those
// who are there the times are counted until now.
func (a *Stays) All(now time.Time) []Stay {
	all := make([]Stay, 0, len(a.visits))
	for _, v := range a.visits {
		told, left := v.Stay, v.Left
		if v.there {
			left = Window{After: a.sure, Before: now}
		}
		if left.Before.IsZero() {
			left.Before = now
		}
		told.Stay, told.Mic, told.Camera = between(v.Joined, left), v.mic.until(left), v.camera.until(left)
		all = append(all, told)
	}
	slices.SortStableFunc(all, func(a, b Stay) int { return cmp.Compare(a.Key, b.Key) })
	return all
}
