package differ

import (
	"slices"

	"rollcall"
)

// Fold applies events, in order, to a roster sorted by key, and gives the new
// one, nil when it is empty. The input stays as it is.
func Fold(roster []rollcall.Participant, events []rollcall.Event) []rollcall.Participant {
	folded := make([]rollcall.Participant, len(roster), len(roster)+joins(events))
	copy(folded, roster)
	for i := range events {
		folded = foldOne(folded, &events[i])
	}
	if len(folded) == 0 {
		return nil
	}
	return folded
}

// joins counts the events that can make a roster longer.
func joins(events []rollcall.Event) (n int) {
	for i := range events {
		if entered(events[i].Type).InRoster() {
			n++
		}
	}
	return n
}

// entered gives the attendance with which an event puts its person into the
// roster; unknown for all others.
func entered(t rollcall.Type) rollcall.Attendance {
	switch t {
	case rollcall.ParticipantInvited:
		return rollcall.AttendanceInvited
	case rollcall.ParticipantJoining:
		return rollcall.AttendanceJoining
	case rollcall.ParticipantJoined:
		return rollcall.AttendancePresent
	}
	return rollcall.AttendanceUnknown
}

func foldOne(roster []rollcall.Participant, e *rollcall.Event) []rollcall.Participant {
	if e.Type == rollcall.MeetingEnded || e.Type == rollcall.MeetingUntracked {
		return roster[:0]
	}
	if e.Participant == nil {
		return roster
	}
	i, found := slices.BinarySearchFunc(roster, e.Participant.Key, byKey)
	switch {
	case entered(e.Type).InRoster():
		p := entering(e)
		if found {
			roster[i] = p
			return roster
		}
		return slices.Insert(roster, i, p)
	case !found: // failed without ever having been in the roster
		return roster
	case leaves(e.Type):
		return slices.Delete(roster, i, i+1)
	}
	alter(&roster[i], e)
	return roster
}

// entering gives the person as of this event; the event itself shows the person
// as after the whole poll.
func entering(e *rollcall.Event) rollcall.Participant {
	p := *e.Participant
	p.Attendance = entered(e.Type)
	p.Mic, p.Camera, p.RejectDescription = rollcall.DeviceClosed, rollcall.DeviceClosed, ""
	return p
}

func leaves(t rollcall.Type) bool {
	switch t {
	case rollcall.ParticipantLeft, rollcall.ParticipantKickedOut, rollcall.ParticipantInvitationLapsed,
		rollcall.ParticipantDeclined, rollcall.ParticipantJoinFailed:
		return true
	}
	return false
}

func alter(p *rollcall.Participant, e *rollcall.Event) {
	switch e.Type {
	case rollcall.ParticipantMicOpened:
		p.Mic = rollcall.DeviceOpen
	case rollcall.ParticipantMicClosed:
		p.Mic = rollcall.DeviceClosed
	case rollcall.ParticipantCameraOpened:
		p.Camera = rollcall.DeviceOpen
	case rollcall.ParticipantCameraClosed:
		p.Camera = rollcall.DeviceClosed
	case rollcall.ParticipantRenamed:
		p.Nick = e.Participant.Nick
	}
}
