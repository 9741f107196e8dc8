package rollcall

import (
	"fmt"
	"strings"
	"time"
)

// Type names what happened: <entity>.<verb>.
type Type string

// The types of events. doc: the event table of the README.
const (
	MeetingInitialized      Type = "meeting.initialized"
	MeetingStarted          Type = "meeting.started"
	MeetingTitleChanged     Type = "meeting.title_changed"
	MeetingStartTimeChanged Type = "meeting.start_time_changed"
	MeetingMuteAllEnforced  Type = "meeting.mute_all_enforced"
	MeetingMuteAllLifted    Type = "meeting.mute_all_lifted"
	MeetingMicMuted         Type = "meeting.mic_muted"
	MeetingMicUnmuted       Type = "meeting.mic_unmuted"
	MeetingCameraClosed     Type = "meeting.camera_closed"
	MeetingCameraOpened     Type = "meeting.camera_opened"
	MeetingEnded            Type = "meeting.ended"
	MeetingUntracked        Type = "meeting.untracked"
	MeetingSummarized       Type = "meeting.summarized"

	ParticipantInvited          Type = "participant.invited"
	ParticipantJoining          Type = "participant.joining"
	ParticipantJoined           Type = "participant.joined"
	ParticipantLeft             Type = "participant.left"
	ParticipantKickedOut        Type = "participant.kicked_out"
	ParticipantInvitationLapsed Type = "participant.invitation_lapsed"
	ParticipantDeclined         Type = "participant.declined"
	ParticipantJoinFailed       Type = "participant.join_failed"
	ParticipantMicOpened        Type = "participant.mic_opened"
	ParticipantMicClosed        Type = "participant.mic_closed"
	ParticipantCameraOpened     Type = "participant.camera_opened"
	ParticipantCameraClosed     Type = "participant.camera_closed"
	ParticipantRenamed          Type = "participant.renamed"
	ParticipantForgotten        Type = "participant.forgotten" // shows the key alone, a pseudonym: see [Forgotten]
	ParticipantRoleChanged      Type = "participant.role_changed"
)

// Types lists every type of event, in the order of the event table.
func Types() []Type {
	return []Type{
		MeetingInitialized, MeetingStarted, MeetingTitleChanged, MeetingStartTimeChanged,
		MeetingMuteAllEnforced, MeetingMuteAllLifted, MeetingMicMuted, MeetingMicUnmuted,
		MeetingCameraClosed, MeetingCameraOpened,
		ParticipantLeft, ParticipantKickedOut, ParticipantInvitationLapsed,
		ParticipantDeclined, ParticipantJoinFailed, ParticipantInvited, ParticipantJoining,
		ParticipantJoined, ParticipantMicOpened, ParticipantMicClosed,
		ParticipantCameraOpened, ParticipantCameraClosed, ParticipantRenamed, ParticipantRoleChanged,
		MeetingEnded, MeetingUntracked, MeetingSummarized,
		ParticipantForgotten,
	}
}

// Entity is what the event is about: meeting or participant.
func (t Type) Entity() string { entity, _, _ := strings.Cut(string(t), "."); return entity }

// Verb is what happened to the entity: joined, mic_opened.
func (t Type) Verb() string { _, verb, _ := strings.Cut(string(t), "."); return verb }

// Reason says why an event happened, where its type leaves that open.
type Reason string

// The reasons of events.
const (
	ReasonNone           Reason = ""
	ReasonReopened       Reason = "reopened"        // meeting.started
	ReasonLeft           Reason = "left"            // participant.left
	ReasonVanished       Reason = "vanished"        // participant.left, meeting.ended
	ReasonCalledAgain    Reason = "called_again"    // participant.left
	ReasonMeetingEnded   Reason = "meeting_ended"   // participant.left, participant.invitation_lapsed
	ReasonStatus         Reason = "status"          // meeting.ended
	ReasonResourceClosed Reason = "resource_closed" // meeting.ended
	ReasonOperator       Reason = "operator"        // meeting.untracked: somebody asked for it
	ReasonExpired        Reason = "expired"         // meeting.untracked: it has not started in time
	ReasonUnknownMeeting Reason = "unknown_meeting" // meeting.untracked: DingTalk never knew it
)

// Reasons lists the reasons that events of a type can have; [ReasonNone] where one
// may have none.
func Reasons(t Type) []Reason {
	switch t {
	case MeetingStarted:
		return []Reason{ReasonNone, ReasonReopened}
	case MeetingEnded:
		return []Reason{ReasonStatus, ReasonResourceClosed, ReasonVanished}
	case MeetingUntracked:
		return []Reason{ReasonNone, ReasonOperator, ReasonExpired, ReasonUnknownMeeting}
	case ParticipantLeft:
		return []Reason{ReasonLeft, ReasonVanished, ReasonCalledAgain, ReasonMeetingEnded}
	case ParticipantInvitationLapsed:
		return []Reason{ReasonNone, ReasonMeetingEnded}
	}
	return []Reason{ReasonNone}
}

// Provenance says how an event came to be known.
type Provenance string

// Provenances lists them.
func Provenances() []Provenance {
	return []Provenance{ProvenanceBaseline, ProvenanceObserved, ProvenanceInferred, ProvenanceReconciled}
}

// The provenances of events.
const (
	ProvenanceBaseline   Provenance = "baseline"   // from the first poll of a meeting
	ProvenanceObserved   Provenance = "observed"   // the difference of two polls
	ProvenanceInferred   Provenance = "inferred"   // came and went between two polls
	ProvenanceReconciled Provenance = "reconciled" // read from DingTalk's own record afterwards
)

// Window is the span in which a change happened.
type Window struct {
	After  time.Time // when the previous poll was asked; zero: there was none
	Before time.Time // when this poll's answer arrived; never earlier than After
}

// Contains reports whether something can have happened at t.
func (w Window) Contains(t time.Time) bool {
	return !t.After(w.Before) && (w.After.IsZero() || !t.Before(w.After))
}

// Event says one thing that changed in one meeting.
type Event struct {
	Tenant       string
	ConferenceID string
	Epoch        int64
	Sequence     uint64 // 1, 2, 3 … without holes within an epoch
	Type         Type
	Time         time.Time // the exact time if known and in the window, otherwise Window.Before
	Exact        bool      // Time is DingTalk's own
	Index, Count int       // this is the Index-th (from 1) of the poll's Count events of this meeting
	// Meeting is as after the whole poll, but that a meeting that is untracked
	// shows how many were present until then.
	Meeting Conference
	Labels  Labels // that the meeting is tracked with; not to be changed
	// Participant is set on participant events only. Like Meeting it shows
	// the person as after the whole poll.
	Participant *Participant
	Reason      Reason
	Provenance  Provenance
	Window      Window
	// Summary is set on meeting.summarized only; not to be changed.
	Summary *Summary
}

// CheckTime reports what is dishonest about when the event is said to have
// happened: only a start and an end have a time of their own, and every time
// lies in its window.
func (e *Event) CheckTime() error {
	switch exact := e.Type == MeetingStarted || e.Type == MeetingEnded; {
	case e.Window.Before.Before(e.Window.After):
		return fmt.Errorf("%s: the window ends before it begins: %v", e.Type, e.Window)
	case !e.Window.Contains(e.Time):
		return fmt.Errorf("%s: its time %v does not lie in the window %v", e.Type, e.Time, e.Window)
	case !exact && !e.Time.Equal(e.Window.Before):
		return fmt.Errorf("%s: its time is %v, the window ends at %v", e.Type, e.Time, e.Window.Before)
	}
	return nil
}
