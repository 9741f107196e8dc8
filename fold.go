package rollcall

import (
	"cmp"
	"slices"
)

// Fold applies events, in order, to a roster sorted by key, and gives the new
// one, nil when it is empty. The input stays as it is.
func Fold(roster []Participant, events []Event) []Participant {
	folded := make([]Participant, len(roster), len(roster)+joins(events))
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
func joins(events []Event) (n int) {
	for i := range events {
		if entered(events[i].Type).InRoster() {
			n++
		}
	}
	return n
}

// entered gives the attendance with which an event puts its person into the
// roster; unknown for all others.
func entered(t Type) Attendance {
	switch t {
	case ParticipantInvited:
		return AttendanceInvited
	case ParticipantJoining:
		return AttendanceJoining
	case ParticipantJoined:
		return AttendancePresent
	}
	return AttendanceUnknown
}

func foldOne(roster []Participant, e *Event) []Participant {
	if e.Type == MeetingEnded || e.Type == MeetingUntracked {
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
func entering(e *Event) Participant {
	p := *e.Participant
	p.Attendance = entered(e.Type)
	p.Mic, p.Camera, p.RejectDescription = DeviceClosed, DeviceClosed, ""
	return p
}

func leaves(t Type) bool {
	switch t {
	case ParticipantLeft, ParticipantKickedOut, ParticipantInvitationLapsed,
		ParticipantDeclined, ParticipantJoinFailed:
		return true
	}
	return false
}

func alter(p *Participant, e *Event) {
	switch e.Type {
	case ParticipantMicOpened:
		p.Mic = DeviceOpen
	case ParticipantMicClosed:
		p.Mic = DeviceClosed
	case ParticipantCameraOpened:
		p.Camera = DeviceOpen
	case ParticipantCameraClosed:
		p.Camera = DeviceClosed
	case ParticipantRenamed:
		p.Nick = e.Participant.Nick
	}
}

func byKey(p Participant, key string) int { return cmp.Compare(p.Key, key) }
