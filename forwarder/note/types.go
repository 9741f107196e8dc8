package note

import (
	"slices"

	"rollcall"
)

// knownType reports whether the templates have words for the type.
func knownType(t rollcall.Type) bool { return slices.Contains(rollcall.Types(), t) }

// over reports whether nothing more is told of the meeting after such an event.
func over(t rollcall.Type) bool {
	return t == rollcall.MeetingEnded || t == rollcall.MeetingUntracked
}

// rank says how much a type matters in a digest, where the others are told by
// number: 0 is one of the others.
func rank(t rollcall.Type) int {
	switch t {
	case rollcall.ParticipantKickedOut:
		return 5
	case rollcall.MeetingEnded:
		return 4
	case rollcall.MeetingUntracked:
		return 3
	case rollcall.MeetingStarted:
		return 2
	case rollcall.ParticipantDeclined:
		return 1
	}
	return 0
}

// device reports whether the type is a participant's microphone or camera, and
// whether it opened.
func device(t rollcall.Type) (opened, ok bool) {
	switch t {
	case rollcall.ParticipantMicOpened, rollcall.ParticipantCameraOpened:
		return true, true
	case rollcall.ParticipantMicClosed, rollcall.ParticipantCameraClosed:
		return false, true
	}
	return false, false
}

// about says what a change of a meeting happened to: the meeting as a whole, or
// a setting of it.
func about(t rollcall.Type) string {
	switch t {
	case rollcall.MeetingInitialized, rollcall.MeetingStarted, rollcall.MeetingEnded, rollcall.MeetingUntracked, rollcall.MeetingSummarized,
		rollcall.MeetingTitleChanged, rollcall.MeetingStartTimeChanged:
		return "meeting"
	}
	return "setting"
}
