package attendance

import (
	"errors"
	"time"

	"rollcall"
	"rollcall/consume"
	"rollcall/wire"
)

// Of folds the events of a meeting, all those of each epoch that it is to tell of,
// in their order. Of those who are there the times are counted until now. Where one
// epoch is told, and its summary is there, this is what it tells. Where the first events
// of an epoch are missing otherwise, the error is a [*MissingError].
func Of(events []consume.Event, now time.Time) (Meeting, error) {
	f := fold{Meeting: Meeting{Schema: Schema, Complete: true, until: now}, roles: map[string]rollcall.Roles{}}
	for i := range events {
		if err := f.apply(&events[i]); err != nil {
			return f.Meeting, err
		}
	}
	f.People = f.people(now)
	switch {
	case len(f.Epochs) == 1 && f.summary != nil:
		f.summarize(f.summary)
	case f.missing != nil:
		return f.Meeting, f.missing
	}
	return f.Meeting, nil
}

// fold is an attendance in the making.
type fold struct {
	Meeting
	visits  consume.Attendance
	roles   map[string]rollcall.Roles // by key, as last told
	summary *rollcall.Summary         // of the last end; nil: there was none
	missing *MissingError             // what could not be folded
}

func (f *fold) apply(e *consume.Event) error {
	if n := len(f.Epochs); n == 0 || f.Epochs[n-1] < e.Epoch {
		f.Epochs = append(f.Epochs, e.Epoch)
	}
	change, err := f.visits.Apply(*e)
	if gap, ok := errors.AsType[*consume.GapError](err); ok {
		f.lose(gap)
		if gap.Want == 1 { // the epoch cannot be folded; a summary may tell it
			f.note(e)
			return nil
		}
		f.visits.Skip(*e)
		change, err = f.visits.Apply(*e)
	}
	if err == nil && change != consume.Repeated {
		f.note(e)
	}
	return err
}

// lose notes which events are missing.
func (f *fold) lose(gap *consume.GapError) {
	if gap.Want == 1 {
		if f.missing != nil && f.missing.Epoch == gap.Epoch {
			return
		}
		f.missing = &MissingError{gap.Epoch, gap.Got}
	}
	f.Complete, f.Missing = false, append(f.Missing, Range{gap.Epoch, gap.Want, gap.Got - 1})
}

// note takes what the event says of the meeting as a whole.
func (f *fold) note(e *consume.Event) {
	f.Tenant, f.ConferenceID = e.Tenant, e.ConferenceID
	if !e.Known() {
		return
	}
	f.Title, f.Status = e.Meeting.Title, e.Meeting.Status.String()
	if e.Participant != nil {
		f.roles[e.Participant.Key] = f.roles[e.Participant.Key].With(e.Participant.Roles)
	}
	switch e.Type {
	case rollcall.MeetingStarted:
		if f.Ended, f.summary = nil, nil; f.Started == nil {
			f.Started = whenOf(e)
		}
	case rollcall.MeetingSummarized:
		f.summary = e.Summary
	case rollcall.MeetingEnded:
		f.Ended = whenOf(e)
	case rollcall.MeetingUntracked:
		f.Status = consume.HowUntracked
	}
}

func whenOf(e *consume.Event) *When {
	when := in(e.Window)
	if e.Exact {
		when = exactly(e.Time)
	}
	return &when
}

// people gathers the visits of each person, which follow one another.
func (f *fold) people(now time.Time) []Person {
	all := []Person{}
	for _, v := range f.visits.Visits(now) {
		if n := len(all); n == 0 || all[n-1].Key != v.Key {
			all = append(all, Person{Key: v.Key, Roles: wire.RolesOf(f.roles[v.Key]), Stay: noTime(), Mic: noTime(), Camera: noTime()})
		}
		all[len(all)-1].add(v)
	}
	return all
}

func (p *Person) add(v consume.Visit) {
	s := Stay{Joined: in(v.Joined), How: v.How, Provenance: string(v.Provenance), Stay: spanOf(v.Stay)}
	if v.How != "" {
		left := in(v.Left)
		s.Left = &left
	}
	p.UserID, p.Nick, p.Visits = v.UserID, v.Nick, append(p.Visits, s)
	p.Stay, p.Mic, p.Camera = p.Stay.plus(s.Stay), p.Mic.plus(spanOf(v.Mic)), p.Camera.plus(spanOf(v.Camera))
}
