package live

import (
	"time"

	"rollcall"
	"rollcall/consume"
)

// devices folds events to when microphones and cameras were open.
type devices struct {
	names namer
	epoch int64
	sure  time.Time // the latest look before an event
}

// apply adds what an event says to the people.
func (d *devices) apply(e *consume.Event, people map[string]*presence) {
	if e.Epoch != d.epoch {
		d.cut(e, people)
		d.epoch = e.Epoch
	}
	if e.Window.After.After(d.sure) {
		d.sure = e.Window.After
	}
	if e.Type == rollcall.MeetingEnded || e.Type == rollcall.MeetingUntracked {
		closeAll(people, edgeOf(e.Window))
		return
	}
	if e.Participant == nil {
		return
	}
	one, at := who(people, e.Participant.Key), edgeOf(e.Window)
	switch e.Type {
	case rollcall.ParticipantMicOpened:
		one.Mic = append(one.Mic, span{From: at})
	case rollcall.ParticipantMicClosed:
		shut(one.Mic, at)
	case rollcall.ParticipantCameraOpened:
		one.Camera = append(one.Camera, span{From: at})
	case rollcall.ParticipantCameraClosed:
		shut(one.Camera, at)
	case rollcall.ParticipantDeclined, rollcall.ParticipantJoinFailed:
		one.Marks = append(one.Marks, mark{Kind: e.Type.Verb(), At: at})
	}
	if one.Name == "" {
		one.Name = d.names.name(e.Participant)
	}
}

// cut closes what was open in the epoch before: until then at least, and nobody
// knows for how long beyond.
func (d *devices) cut(e *consume.Event, people map[string]*presence) {
	closeAll(people, edge{millis(d.sure), millis(e.Window.Before)})
}

func closeAll(people map[string]*presence, at edge) {
	for _, one := range people {
		shut(one.Mic, at)
		shut(one.Camera, at)
	}
}

// shut ends the last of the spans where it has not ended.
func shut(spans []span, at edge) {
	if n := len(spans); n > 0 && spans[n-1].To == nil {
		spans[n-1].To = &at
	}
}
