package printer

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"rollcall"
	"rollcall/internal/safetext"
)

// what says in words what happened, and how it is known where not by the
// difference of two polls.
func (p Printer) what(e rollcall.Event) string {
	text := p.happened(e) + because(e.Reason)
	switch e.Provenance {
	case rollcall.ProvenanceBaseline:
		return text + " [as found]"
	case rollcall.ProvenanceInferred:
		return text + " [between two polls]"
	case rollcall.ProvenanceReconciled:
		return text + " [from DingTalk's record]"
	}
	return text
}

// happened says what happened; a type that has no words yet speaks for itself.
func (p Printer) happened(e rollcall.Event) string {
	text, known := words()[e.Type]
	switch {
	case !known:
		return string(e.Type)
	case e.Type == rollcall.MeetingTitleChanged:
		return text + " " + e.Meeting.Title
	case e.Type == rollcall.MeetingStartTimeChanged && !e.Meeting.StartTime.IsZero():
		return text + " " + p.time(e.Meeting.StartTime)
	case e.Type == rollcall.ParticipantJoined && e.Participant != nil && e.Participant.Session > 1:
		return fmt.Sprintf("%s again (visit %d)", text, e.Participant.Session)
	case e.Type == rollcall.ParticipantRoleChanged && e.Participant != nil:
		if e.Provenance == rollcall.ProvenanceBaseline {
			text = "is" // since when is not known
		}
		return text + " " + cmp.Or(e.Participant.Roles.String(), "without a role")
	case e.Type == rollcall.MeetingSummarized && e.Summary != nil:
		return text + ": " + attended(e.Summary)
	case e.Type == rollcall.ParticipantDeclined && e.Participant != nil && e.Participant.RejectDescription != "":
		return text + ": " + e.Participant.RejectDescription
	}
	return text
}

// attended says how many were there, for how long, and whether DingTalk said so.
func attended(s *rollcall.Summary) string {
	text := fmt.Sprintf("%d attended, at most %d at a time, %s long", s.Attended, s.Peak.Present, s.Duration.Round(time.Second))
	if !s.Complete {
		text += ", as far as was seen"
	}
	return text
}

// watch says whether somebody looks at the meetings, since when not, and why.
func (p Printer) watch(e rollcall.WatchEvent) string {
	meetings := "the meetings"
	if e.Shards > 1 {
		meetings = fmt.Sprintf("the meetings of shard %d of %d", e.Shard, e.Shards)
	}
	text := fmt.Sprintf("nobody looks at %s since %s", meetings, p.time(e.Window.After))
	if e.Type == rollcall.WatchResumed {
		text = fmt.Sprintf("%s are looked at again; nobody looked since %s", meetings, p.time(e.Window.After))
	}
	return safetext.Field(text+" ("+WhyBlind(e.Reason)+")", whatWidth)
}

// WatchSentence says whether somebody looks at the meetings, since when not, and why.
func (p Printer) WatchSentence(e rollcall.WatchEvent) string { return p.watch(e) }

// Lasting is a duration as people say it: 14ms, 15.3s, 2m5s, 168h.
func Lasting(d time.Duration) string {
	switch {
	case d < time.Second:
		return d.Round(time.Millisecond).String()
	case d < time.Minute:
		return d.Round(100 * time.Millisecond).String()
	}
	text := d.Round(time.Second).String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// WhyBlind says why nobody looks; a reason that has no words yet speaks for itself.
func WhyBlind(reason rollcall.Reason) string {
	words := map[rollcall.Reason]string{
		rollcall.ReasonThrottled:   "DingTalk asks to go slower",
		rollcall.ReasonBlocked:     "DingTalk blocks the address",
		rollcall.ReasonQuota:       "the month's calls are used up",
		rollcall.ReasonBudget:      "the budget is used up",
		rollcall.ReasonAuth:        "the credentials are refused",
		rollcall.ReasonPermission:  "a permission is missing",
		rollcall.ReasonUnreachable: "DingTalk does not answer",
		rollcall.ReasonRefused:     "each meeting is refused",
		rollcall.ReasonPaused:      "too much waits for NATS",
		rollcall.ReasonStopped:     "no worker was there",
	}
	if text, known := words[reason]; known {
		return text
	}
	return string(reason)
}

func words() map[rollcall.Type]string {
	return map[rollcall.Type]string{
		rollcall.MeetingInitialized:      "the meeting is set up",
		rollcall.MeetingStarted:          "the meeting started",
		rollcall.MeetingTitleChanged:     "the title is now",
		rollcall.MeetingStartTimeChanged: "the start is now",
		rollcall.MeetingMuteAllEnforced:  "everybody was muted",
		rollcall.MeetingMuteAllLifted:    "everybody may speak again",
		rollcall.MeetingMicMuted:         "the meeting's microphone was muted",
		rollcall.MeetingMicUnmuted:       "the meeting's microphone was unmuted",
		rollcall.MeetingCameraClosed:     "the meeting's camera was closed",
		rollcall.MeetingCameraOpened:     "the meeting's camera was opened",
		rollcall.MeetingEnded:            "the meeting ended",
		rollcall.MeetingUntracked:        "the meeting is no longer tracked",
		rollcall.MeetingSummarized:       "the meeting is summarized",

		rollcall.ParticipantInvited:          "was invited",
		rollcall.ParticipantJoining:          "is being called",
		rollcall.ParticipantJoined:           "joined",
		rollcall.ParticipantLeft:             "left",
		rollcall.ParticipantKickedOut:        "was kicked out",
		rollcall.ParticipantInvitationLapsed: "is no longer invited",
		rollcall.ParticipantDeclined:         "declined",
		rollcall.ParticipantJoinFailed:       "could not join",
		rollcall.ParticipantMicOpened:        "opened the microphone",
		rollcall.ParticipantMicClosed:        "closed the microphone",
		rollcall.ParticipantCameraOpened:     "opened the camera",
		rollcall.ParticipantCameraClosed:     "closed the camera",
		rollcall.ParticipantRenamed:          "goes by a new name",
		rollcall.ParticipantForgotten:        "is forgotten: what was stored of them is erased",
		rollcall.ParticipantRoleChanged:      "is now",
	}
}

// because returns the reason, where it says more than what happened.
func because(reason rollcall.Reason) string {
	switch reason {
	case rollcall.ReasonReopened:
		return " again"
	case rollcall.ReasonVanished:
		return " (no longer listed)"
	case rollcall.ReasonCalledAgain:
		return " (and is called again)"
	case rollcall.ReasonMeetingEnded:
		return " (the meeting ended)"
	case rollcall.ReasonResourceClosed:
		return " (closed)"
	case rollcall.ReasonOperator:
		return " (an operator took it off)"
	case rollcall.ReasonExpired:
		return " (it did not begin in time)"
	case rollcall.ReasonUnknownMeeting:
		return " (DingTalk does not know it)"
	}
	return ""
}
