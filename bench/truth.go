package main

import (
	"fmt"
	"math/bits"
	"strconv"
)

// world is a number of meetings, and all that DingTalk could say of them. Each
// person has one fact that is turned on and off, so that a meeting's state is
// a set of people: those whose fact is turned on. At first it is empty:
// everybody is there, and every microphone and camera is closed.
type world struct {
	Meetings int // in all
	People   int // in each meeting, at most 64
}

// fact is what changes about a person.
type fact int

const (
	microphone fact = iota // it is open
	camera                 // it is open
	absence                // the person has left
)

// factOf returns each person a fact: four of ten a microphone, three a camera,
// three come and go.
func factOf(person int) fact {
	switch n := person % 10; {
	case n < 4:
		return microphone
	case n < 7:
		return camera
	}
	return absence
}

// The ranks of events among those of one poll: departures, arrivals, devices.
const (
	rankLeft = iota
	rankJoined
	rankDevice
	ranks
)

// turned returns the event of a fact that was turned on or off, and its rank.
func (f fact) turned(on bool) (event string, rank int) {
	switch {
	case f == microphone && on:
		return "rollcall.participant.mic_opened", rankDevice
	case f == microphone:
		return "rollcall.participant.mic_closed", rankDevice
	case f == camera && on:
		return "rollcall.participant.camera_opened", rankDevice
	case f == camera:
		return "rollcall.participant.camera_closed", rankDevice
	case on:
		return "rollcall.participant.left", rankLeft
	}
	return "rollcall.participant.joined", rankJoined
}

const idPrefix = "60f1c2d3e4b5a697"

// id returns a meeting's id, as long as those of DingTalk.
func id(meeting int) string { return fmt.Sprintf("%s%08d", idPrefix, meeting) }

// userID returns the id of a person of a meeting, which is the key in the roster.
func userID(meeting, person int) string { return fmt.Sprintf("w%07dB%02diPiEXQiEiE", meeting, person) }

// appendAnswer appends what the batch query says of a meeting.
func (w world) appendAnswer(dst []byte, meeting int, state uint64) []byte {
	dst = fmt.Appendf(dst, `{"conferenceId":"%s","title":"Weekly review %d","startTime":1795399200000,"status":2,"mediaStatus":0,"userList":[`, id(meeting), meeting)
	for person := range w.People {
		if person > 0 {
			dst = append(dst, ',')
		}
		dst = appendPerson(dst, meeting, person, state>>person&1 == 1)
	}
	return append(dst, "]}"...)
}

func appendPerson(dst []byte, meeting, person int, on bool) []byte {
	attends, cameraStatus, micStatus := 3, 1, 1
	switch f := factOf(person); {
	case on && f == microphone:
		micStatus = 2
	case on && f == camera:
		cameraStatus = 2
	case on:
		attends = 6
	}
	dst = append(append(dst, `{"userId":"`...), userID(meeting, person)...)
	dst = append(dst, `","nick":"Member `...)
	dst = strconv.AppendInt(dst, int64(person), 10)
	return fmt.Appendf(dst, `","attendStatus":%d,"cameraStatus":%d,"micStatus":%d,"rejectDescription":""}`, attends, cameraStatus, micStatus)
}

// happening is an event as far as the truth knows it; Key is that of a person.
type happening struct{ Type, Key string }

// baseline is what the first look at a meeting shows: it runs, and everybody
// is there.
func (w world) baseline(meeting int) []happening {
	all := []happening{{Type: "rollcall.meeting.started"}}
	for person := range w.People {
		all = append(all, happening{"rollcall.participant.joined", userID(meeting, person)})
	}
	return all
}

// between appends what has happened from one state of a meeting to another, in order.
func between(all []happening, meeting int, from, to uint64) []happening {
	for rank := range ranks {
		for changed := from ^ to; changed != 0; changed &= changed - 1 {
			person := bits.TrailingZeros64(changed)
			if event, r := factOf(person).turned(to>>person&1 == 1); r == rank {
				all = append(all, happening{event, userID(meeting, person)})
			}
		}
	}
	return all
}
