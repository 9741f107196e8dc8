package rollcall

import (
	"cmp"
	"slices"
	"strings"
)

// Fold applies events, in order, to a roster sorted by key, and returns the new
// one, nil when it is empty. The input stays as it is.
func Fold(roster []Participant, events []Event) []Participant {
	for i := range events {
		if e := &events[i]; e.Type == ParticipantForgotten {
			return Fold(forget(Fold(roster, events[:i]), e), events[i+1:])
		}
	}
	if last := lastEnd(events); last >= 0 {
		roster, events = nil, events[last+1:]
	}
	order := byKeys(events)
	folded := make([]Participant, 0, len(roster)+joins(events))
	for len(order) > 0 {
		n, key := 1, events[order[0]].Participant.Key
		for n < len(order) && events[order[n]].Participant.Key == key {
			n++
		}
		at, found := slices.BinarySearchFunc(roster, key, byKey)
		folded, roster = append(folded, roster[:at]...), roster[at:]
		var p Participant
		if found {
			p, roster = roster[0], roster[1:]
		}
		for _, i := range order[:n] {
			happen(&p, &events[i])
		}
		if p.Attendance.InRoster() {
			folded = append(folded, p)
		}
		order = order[n:]
	}
	if folded = append(folded, roster...); len(folded) == 0 {
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

// lastEnd returns the last event after which nobody is left; -1: there is none.
func lastEnd(events []Event) int {
	for i := len(events) - 1; i >= 0; i-- {
		if t := events[i].Type; t == MeetingEnded || t == MeetingUntracked {
			return i
		}
	}
	return -1
}

// byKeys returns where the events about people are, by key, those of each person
// in order. To go through them one by one would move the rest of the roster for
// each that comes or goes.
func byKeys(events []Event) []int32 {
	order := make([]int32, 0, len(events))
	for i := range events {
		if events[i].Participant != nil {
			order = append(order, int32(i))
		}
	}
	slices.SortFunc(order, func(a, b int32) int {
		if c := strings.Compare(events[a].Participant.Key, events[b].Participant.Key); c != 0 {
			return c
		}
		return cmp.Compare(a, b)
	})
	return order
}

// entered returns the attendance with which an event puts its person into the
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

// happen lets an event happen to the person it is about; one who is in no
// roster has no attendance.
func happen(p *Participant, e *Event) {
	switch {
	case entered(e.Type).InRoster():
		*p = entering(e)
	case leaves(e.Type):
		*p = Participant{}
	default:
		alter(p, e)
	}
}

// entering returns the person as of this event; the event itself shows the person
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
	case ParticipantRoleChanged:
		p.Roles = e.Participant.Roles
	}
}

func byKey(p Participant, key string) int { return strings.Compare(p.Key, key) }
