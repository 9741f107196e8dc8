package differ

import (
	"time"

	"rollcall"
)

// rule says when an event happens, and what it says beside its type. Exactly
// one of meeting and person is set.
type rule struct {
	row        string // of the contract's table; the visits after row 10 are "10+"
	event      rollcall.Type
	reason     rollcall.Reason
	provenance rollcall.Provenance // "" for that of the poll
	exact      func(*transition) time.Time
	meeting    func(*transition) bool
	person     func(*transition, *person) bool
}

// What is published of a person, by what an answer shows in place of what the
// record has ("·": nothing; events without their entity):
//
//	was \ is   | unlisted | invited       | joining       | present | failed         | kicked_out       | left
//	nothing    | ·        | invited       | joining       | joined  | declined       | came, kicked_out | came, left
//	invited    | lapsed   | ·             | joining       | joined  | declined       | came, kicked_out | came, left
//	joining    | lapsed   | invited       | ·             | joined  | declined       | came, kicked_out | came, left
//	present    | left     | left, invited | left, joining | devices | left, declined | kicked_out       | left
//	failed     | ·        | invited       | joining       | joined  | ·              | came, kicked_out | came, left
//	kicked_out | ·        | invited       | joining       | joined  | declined       | ·                | came, left
//	left       | ·        | invited       | joining       | joined  | declined       | came, kicked_out | ·
//
// lapsed is invitation_lapsed; declined is join_failed without a rejectDescription.
// came is joined, inferred; it and the departure hold where the code stands in
// more entries than before. devices are what was opened or closed: beside
// joined and the departures what was or is open, too. renamed goes with any of
// these.

// eventRules is the contract's table of events. Rules of one row about people
// are published person by person; rows one after the other.
func eventRules() [46]rule {
	const (
		baseline, observed   = rollcall.ProvenanceBaseline, rollcall.ProvenanceObserved
		inferred, reconciled = rollcall.ProvenanceInferred, rollcall.ProvenanceReconciled
	)
	return [...]rule{
		{row: "1", event: rollcall.MeetingInitialized, meeting: initialized},

		{row: "2", event: rollcall.MeetingStarted, exact: startTime, meeting: started},
		{row: "2", event: rollcall.MeetingStarted, exact: startTime, meeting: reopened, reason: rollcall.ReasonReopened},

		{row: "3", event: rollcall.MeetingTitleChanged, meeting: titleChanged},
		{row: "3", event: rollcall.MeetingStartTimeChanged, meeting: startTimeChanged},

		{row: "4", event: rollcall.MeetingMuteAllEnforced, meeting: muteAllEnforced},
		{row: "4", event: rollcall.MeetingMuteAllLifted, meeting: muteAllLifted},
		{row: "4", event: rollcall.MeetingMicMuted, meeting: micMuted},
		{row: "4", event: rollcall.MeetingMicUnmuted, meeting: micUnmuted},
		{row: "4", event: rollcall.MeetingCameraClosed, meeting: cameraClosed},
		{row: "4", event: rollcall.MeetingCameraOpened, meeting: cameraOpened},

		{row: "5", event: rollcall.ParticipantMicClosed, person: goesWithMic},
		{row: "5", event: rollcall.ParticipantCameraClosed, person: goesWithCamera},
		{row: "5", event: rollcall.ParticipantLeft, person: goesByLeaving, reason: rollcall.ReasonLeft},
		{row: "5", event: rollcall.ParticipantLeft, person: goesUnlisted, reason: rollcall.ReasonVanished},
		{row: "5", event: rollcall.ParticipantLeft, person: goesToBeCalled, reason: rollcall.ReasonCalledAgain},
		{row: "5", event: rollcall.ParticipantKickedOut, person: goesByForce},
		{row: "11", event: rollcall.ParticipantLeft, person: goesAtEnd, reason: rollcall.ReasonMeetingEnded},

		{row: "6", event: rollcall.ParticipantInvitationLapsed, person: lapses},
		{row: "11", event: rollcall.ParticipantInvitationLapsed, person: lapsesAtEnd, reason: rollcall.ReasonMeetingEnded},

		{row: "7", event: rollcall.ParticipantDeclined, person: declines},
		{row: "7", event: rollcall.ParticipantJoinFailed, person: fails},

		{row: "8", event: rollcall.ParticipantInvited, person: becomesInvited},
		{row: "8", event: rollcall.ParticipantJoining, person: becomesJoining},

		{row: "9", event: rollcall.ParticipantJoined, person: becomesPresent},
		{row: "9", event: rollcall.ParticipantMicOpened, person: comesWithMic},
		{row: "9", event: rollcall.ParticipantCameraOpened, person: comesWithCamera},

		{row: "10", event: rollcall.ParticipantMicOpened, person: opensMic},
		{row: "10", event: rollcall.ParticipantMicClosed, person: closesMic},
		{row: "10", event: rollcall.ParticipantCameraOpened, person: opensCamera},
		{row: "10", event: rollcall.ParticipantCameraClosed, person: closesCamera},
		{row: "10", event: rollcall.ParticipantRenamed, person: renamed},

		{row: "15", event: rollcall.ParticipantRoleChanged, person: showsRoles, provenance: baseline},
		{row: "15", event: rollcall.ParticipantRoleChanged, person: changesRoles},

		{row: "10+", event: rollcall.ParticipantJoined, person: visited, provenance: inferred},
		{row: "10+", event: rollcall.ParticipantLeft, person: visitedAndLeft, provenance: inferred, reason: rollcall.ReasonLeft},
		{row: "10+", event: rollcall.ParticipantKickedOut, person: visitedAndKicked, provenance: inferred},

		{row: "11", event: rollcall.MeetingEnded, exact: endTime, meeting: endsByStatus, reason: rollcall.ReasonStatus},
		{row: "11", event: rollcall.MeetingEnded, exact: endTime, meeting: endsClosed, reason: rollcall.ReasonResourceClosed},
		{row: "11", event: rollcall.MeetingEnded, exact: endTime, meeting: endsByVanishing, reason: rollcall.ReasonVanished},

		{row: "12", event: rollcall.MeetingUntracked, meeting: untracked},
		{row: "12", event: rollcall.MeetingUntracked, meeting: untrackedByOperator, reason: rollcall.ReasonOperator},
		{row: "12", event: rollcall.MeetingUntracked, meeting: untrackedExpired, reason: rollcall.ReasonExpired},
		{row: "12", event: rollcall.MeetingUntracked, meeting: untrackedUnknown, reason: rollcall.ReasonUnknownMeeting},

		{row: "13", event: rollcall.MeetingSummarized, meeting: summarized, provenance: reconciled},

		{row: "16", event: rollcall.ParticipantForgotten, person: forgotten, provenance: observed},
	}
}
