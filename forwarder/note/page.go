package note

import "rollcall"

// page is a note as the templates have it.
type page struct {
	Kind        string
	Meetings    []*meetingPage
	Meeting     *meetingPage // where the note is of one meeting alone
	Watches     []*watchPage
	Watch       *watchPage // where the note is of one watch event alone
	Others      *othersPage
	All         int     // meetings, those of Others with them
	Totals      []count // of everything that is told
	When        *when   // of all events together
	Timed       bool    // every change has its own time
	Failure     *failurePage
	Events      int // all that the note accounts for
	Undone, Cut int
	LastOfMonth bool
}

// meetingPage is a meeting as the templates have it.
type meetingPage struct {
	Name       Text // the title, or words for a meeting without one
	Title      Text // "" where it has none
	ID         Text
	Tenant     Text
	Labels     map[string]Text
	Status     string // initialized, started, ended; "" while unknown
	Present    int
	Start      *when
	Found      *foundPage
	Lines      []*linePage
	Line       *linePage // the only thing to tell, where it is
	Counts     []count   // what is told by number only
	Totals     []count   // all that is told
	Attendance []attendeePage
	Over       bool  // it has ended, or nobody looks any more
	Lasted     *stay // of a meeting that has ended
	Attended   int
	Unnamed    int   // how many of Attended are not in Attendance
	When       *when // of all lines, where they share it
}

// foundPage says how a meeting was found.
type foundPage struct {
	Status           string
	Present, Invited int
	Start            *when
	When             *when // of the first look
}

// linePage is a change as the templates have it.
type linePage struct {
	Type        string
	Known       bool   // there are words for the type
	Subject     Text   // whom or what it happened to
	About       string // person, meeting, or setting: something in the meeting
	Key         Text   // the person's; it may be a user id
	Was         Text   // what a renamed person was called, "" where that is not known
	Why         Text   // what was said with a refusal
	Title       Text   // the meeting's, after the change
	Present     int    // likewise
	Start       *when
	Reason      Text
	Provenance  string
	Mic, Camera bool // opened with the joining
	Host        bool // after the change, as is CoHost
	CoHost      bool
	When        *when
	Told        bool // When is said for all lines together
}

// watchPage says whether a tenant's meetings are being looked at.
type watchPage struct {
	Tenant     Text
	Resumed    bool
	Reason     Text
	Provenance string
	Shards, Of int
	Since      *when // of a loss: the last good look
	When       *when // of a return: when nobody looked
}

// othersPage counts what has no place of its own.
type othersPage struct {
	Meetings, Found int
	Counts          []count
}

// attendeePage is somebody who was in a meeting.
type attendeePage struct {
	Name      Text
	Stay      stay
	Visits    int
	KickedOut bool
}

// failurePage says what is wrong with another target.
type failurePage struct {
	Target  Text
	Class   string
	Detail  Text
	Since   *when
	Until   *when
	Waiting int
	Healed  bool
}

// count is a number of changes of one category.
type count struct {
	N    int
	Of   string // the category: joined, mic; unknown where there are no words for the type
	Type Text   // of an unknown one
	Bare bool   // once, in the one meeting that the note is of: its number says nothing
}

// category says as what types are counted.
type category struct {
	name  string
	types []rollcall.Type
}

// categories lists them in the order in which they are told.
func categories() []category {
	return []category{
		{"kicked_out", []rollcall.Type{rollcall.ParticipantKickedOut}},
		{"ended", []rollcall.Type{rollcall.MeetingEnded}},
		{"untracked", []rollcall.Type{rollcall.MeetingUntracked}},
		{"initialized", []rollcall.Type{rollcall.MeetingInitialized}},
		{"started", []rollcall.Type{rollcall.MeetingStarted}},
		{"declined", []rollcall.Type{rollcall.ParticipantDeclined}},
		{"join_failed", []rollcall.Type{rollcall.ParticipantJoinFailed}},
		{"invited", []rollcall.Type{rollcall.ParticipantInvited}},
		{"joining", []rollcall.Type{rollcall.ParticipantJoining}},
		{"lapsed", []rollcall.Type{rollcall.ParticipantInvitationLapsed}},
		{"joined", []rollcall.Type{rollcall.ParticipantJoined}},
		{"left", []rollcall.Type{rollcall.ParticipantLeft}},
		{"mic", []rollcall.Type{rollcall.ParticipantMicOpened, rollcall.ParticipantMicClosed}},
		{"camera", []rollcall.Type{rollcall.ParticipantCameraOpened, rollcall.ParticipantCameraClosed}},
		{"renamed", []rollcall.Type{rollcall.ParticipantRenamed}},
		{"role", []rollcall.Type{rollcall.ParticipantRoleChanged}},
		{"setting", []rollcall.Type{
			rollcall.MeetingTitleChanged, rollcall.MeetingStartTimeChanged, rollcall.MeetingMuteAllEnforced, rollcall.MeetingMuteAllLifted,
			rollcall.MeetingMicMuted, rollcall.MeetingMicUnmuted, rollcall.MeetingCameraClosed, rollcall.MeetingCameraOpened,
		}},
		{"summarized", []rollcall.Type{rollcall.MeetingSummarized}},
		{"forgotten", []rollcall.Type{rollcall.ParticipantForgotten}},
		{"lost", []rollcall.Type{rollcall.WatchLost}},
		{"resumed", []rollcall.Type{rollcall.WatchResumed}},
	}
}
