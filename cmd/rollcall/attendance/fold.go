package attendance

import (
	"errors"
	"time"

	"rollcall"
	"rollcall/consume"
)

// Of folds the events of a meeting, all those of each epoch that it is to tell of,
// in their order. Of those who are there the times are counted until now. Where the
// first events of an epoch are missing the error is a [*MissingError].
func Of(events []consume.Event, now time.Time) (Meeting, error) {
	f := fold{Meeting: Meeting{Schema: Schema, Complete: true, until: now}}
	for i := range events {
		if err := f.apply(&events[i]); err != nil {
			return f.Meeting, err
		}
	}
	f.People = people(f.visits.Visits(now))
	return f.Meeting, nil
}

// fold is an attendance in the making.
type fold struct {
	Meeting
	visits consume.Attendance
}

func (f *fold) apply(e *consume.Event) error {
	change, err := f.visits.Apply(*e)
	if gap, ok := errors.AsType[*consume.GapError](err); ok {
		if gap.Want == 1 {
			return &MissingError{e.Epoch, e.Sequence}
		}
		f.Complete, f.Missing = false, append(f.Missing, Range{e.Epoch, gap.Want, gap.Got - 1})
		f.visits.Skip(*e)
		change, err = f.visits.Apply(*e)
	}
	if err != nil || change == consume.Repeated {
		return err
	}
	if change == consume.Anew || len(f.Epochs) == 0 {
		f.Epochs = append(f.Epochs, e.Epoch)
	}
	f.note(e)
	return nil
}

// note takes what the event says of the meeting as a whole.
func (f *fold) note(e *consume.Event) {
	f.Tenant, f.ConferenceID = e.Tenant, e.ConferenceID
	if !e.Known() {
		return
	}
	f.Title, f.Status = e.Meeting.Title, e.Meeting.Status.String()
	switch e.Type {
	case rollcall.MeetingStarted:
		if f.Ended = nil; f.Started == nil {
			f.Started = whenOf(e)
		}
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
func people(visits []consume.Visit) []Person {
	all := []Person{}
	for _, v := range visits {
		if n := len(all); n == 0 || all[n-1].Key != v.Key {
			none := consume.Bounds{}
			all = append(all, Person{Key: v.Key, Stay: spanOf(none), Mic: spanOf(none), Camera: spanOf(none)})
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
