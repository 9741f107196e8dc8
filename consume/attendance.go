package consume

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"rollcall"
)

// Attendance is who was in one meeting, and when: the fold of its events, over
// all of its epochs. The zero value knows nothing and begins with any event of
// sequence 1. It is not safe for concurrent use.
//
// What opens and closes again between two looks, or before the first one, is not
// seen by anybody, and is in no bounds.
type Attendance struct {
	roster Roster
	visits []*visit          // in the order in which they began
	last   map[string]*visit // of each key
	sure   time.Time         // the latest look before an event
}

// Visit is one stay of one person.
type Visit struct {
	Key, UserID, Nick string
	// Joined and Left say when at the earliest and when at the latest. Where
	// somebody was there at the first look Joined.After is zero; while somebody
	// is there Left is zero, and where nobody has looked since Left.Before is.
	Joined, Left rollcall.Window
	// How it ended: left, kicked_out, meeting_ended; untracked where nobody
	// looks any more, unseen where a new epoch found the person gone; "" while
	// somebody is there.
	How string
	// Provenance is how the joining came to be known.
	Provenance rollcall.Provenance
	// Stay, Mic and Camera are how long the person was there, with the
	// microphone open and with the camera open.
	Stay, Mic, Camera Bounds
}

// Bounds are the least and the most that a time can be. Max is negative where
// it has no bound: nobody knows for how long before the first look.
type Bounds struct{ Min, Max time.Duration }

// The words of [Visit.How].
const (
	HowLeft         = "left"
	HowKickedOut    = "kicked_out"
	HowMeetingEnded = "meeting_ended"
	HowUntracked    = "untracked"
	HowUnseen       = "unseen"
)

// visit is a stay as it is folded.
type visit struct {
	Visit
	there       bool
	cut         bool // nobody has looked since, so it may go on in the next epoch
	mic, camera device
}

// device is a microphone or a camera.
type device struct {
	open   bool
	opened rollcall.Window
	total  Bounds // of what has closed
}

// Apply folds the meeting's next event. As with [Roster.Apply] one that was
// applied before changes nothing, and one that comes too early is refused with
// a [*GapError].
func (a *Attendance) Apply(e Event) (Change, error) {
	change, err := a.roster.Apply(e)
	if err != nil || change == Repeated {
		return change, err
	}
	if change == Anew {
		a.cut(HowUnseen, a.sure)
	}
	if e.Window.After.After(a.sure) {
		a.sure = e.Window.After
	}
	switch {
	case e.Type == rollcall.MeetingUntracked:
		a.cut(HowUntracked, e.Window.After)
	case e.Type == rollcall.MeetingEnded:
		for _, v := range a.visits {
			v.leave(e.Window, HowMeetingEnded)
		}
	case e.known && e.Participant != nil:
		a.person(&e)
	}
	if e.Type != rollcall.MeetingUntracked && (!e.AsFound() || e.LastOfPoll()) {
		a.missed(e.Window.Before)
	}
	return change, nil
}

// Skip is [Roster.Skip].
func (a *Attendance) Skip(e Event) { a.roster.Skip(e) }

// person folds an event about somebody.
func (a *Attendance) person(e *Event) {
	if e.Type == rollcall.ParticipantForgotten {
		a.forget(e)
		return
	}
	v := a.last[e.Participant.Key]
	if e.Type == rollcall.ParticipantJoined {
		a.join(e, v)
		return
	}
	if v == nil || !v.there {
		return
	}
	switch e.Type {
	case rollcall.ParticipantLeft:
		how := HowLeft
		if e.Reason == rollcall.ReasonMeetingEnded {
			how = HowMeetingEnded
		}
		v.leave(e.Window, how)
	case rollcall.ParticipantKickedOut:
		v.leave(e.Window, HowKickedOut)
	case rollcall.ParticipantMicOpened:
		v.mic.turn(true, e.Window)
	case rollcall.ParticipantMicClosed:
		v.mic.turn(false, e.Window)
	case rollcall.ParticipantCameraOpened:
		v.camera.turn(true, e.Window)
	case rollcall.ParticipantCameraClosed:
		v.camera.turn(false, e.Window)
	case rollcall.ParticipantRenamed:
		v.Nick = e.Participant.Nick
	}
}

// forget leaves the visits of whoever is forgotten, under the pseudonym.
func (a *Attendance) forget(e *Event) {
	as := e.Participant.Key
	for _, v := range a.visits {
		if rollcall.Forgotten(e.Tenant, e.ConferenceID, v.Key) == as {
			a.last[as] = a.last[v.Key]
			v.Key, v.UserID, v.Nick = as, as, ""
		}
	}
	maps.DeleteFunc(a.last, func(key string, v *visit) bool { return key != v.Key })
}

func (a *Attendance) join(e *Event, last *visit) {
	p := e.Participant
	switch {
	case last != nil && last.cut && e.AsFound():
		last.goOn(e.Window.Before)
	case last == nil || !last.there:
		v := &visit{there: true, Visit: Visit{
			Key: p.Key, UserID: p.UserID, Nick: p.Nick, Joined: e.Window, Provenance: e.Provenance,
		}}
		if a.last == nil {
			a.last = map[string]*visit{}
		}
		a.visits, a.last[p.Key] = append(a.visits, v), v
	}
}

// cut ends what is known of those who are there: they were until then at least.
func (a *Attendance) cut(how string, sure time.Time) {
	for _, v := range a.visits {
		if v.there {
			until := sure
			if until.Before(v.Joined.After) {
				until = v.Joined.After
			}
			v.leave(rollcall.Window{After: until}, how)
			v.cut = true
		}
	}
}

// missed says of those whom a new epoch has not found that they were gone by then.
func (a *Attendance) missed(before time.Time) {
	for _, v := range a.visits {
		if v.cut {
			v.cut, v.Left.Before = false, before
		}
	}
}

// goOn takes a visit up again that was cut. What the devices did in between
// nobody has seen.
func (v *visit) goOn(found time.Time) {
	blind := Bounds{Max: -1} // since some look that nobody knows the time of
	if !v.Left.After.IsZero() {
		blind.Max = found.Sub(v.Left.After)
	}
	v.there, v.cut, v.How, v.Left = true, false, "", rollcall.Window{}
	v.mic.total, v.camera.total = v.mic.total.plus(blind), v.camera.total.plus(blind)
}

func (v *visit) leave(w rollcall.Window, how string) {
	if !v.there {
		return
	}
	v.mic.turn(false, w)
	v.camera.turn(false, w)
	v.there, v.Left, v.How = false, w, how
}

func (d *device) turn(open bool, w rollcall.Window) {
	if open && !d.open {
		d.opened = w
	}
	if !open && d.open {
		d.total = d.total.plus(between(d.opened, w))
	}
	d.open = open
}

// until is how long the device was open, if it closes then at the latest.
func (d device) until(w rollcall.Window) Bounds {
	d.turn(false, w)
	return d.total
}

// between is how long it was from some time in one window to some time in another.
func between(from, to rollcall.Window) Bounds {
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

// Visits are all stays so far, sorted by key and then as they began. Of those
// who are there the times are counted until now.
func (a *Attendance) Visits(now time.Time) []Visit {
	all := make([]Visit, 0, len(a.visits))
	for _, v := range a.visits {
		told, left := v.Visit, v.Left
		if v.there {
			left = rollcall.Window{After: a.sure, Before: now}
		}
		if left.Before.IsZero() {
			left.Before = now
		}
		told.Stay, told.Mic, told.Camera = between(v.Joined, left), v.mic.until(left), v.camera.until(left)
		all = append(all, told)
	}
	slices.SortStableFunc(all, func(a, b Visit) int { return cmp.Compare(a.Key, b.Key) })
	return all
}
