package simulator

import (
	"errors"
	"fmt"

	"rollcall"
)

// verb is one thing that can be made to happen. The table of verbs is all that
// the control API and written scenarios can do to the world.
type verb struct {
	needs  need
	happen func(*world, Act) error
}

type need uint8

const (
	needMeeting need = 1 << iota // conferenceId
	needPerson                   // userId or nick
	needUser                     // userId and nick
	needTitle                    // title
	needTime                     // startTime
)

// check refuses an act that lacks what its verb needs.
func (v verb) check(act Act) error {
	switch {
	case v.needs&needMeeting != 0 && act.ConferenceID == "":
		return errors.New("conferenceId is missing: the id of a meeting is needed, see /_sim/meetings")
	case v.needs&needPerson != 0 && act.UserID == "" && act.Nick == "":
		return errors.New("userId and nick are missing: one of them is needed")
	case v.needs&needUser != 0 && (act.UserID == "" || act.Nick == ""):
		return errors.New("userId or nick is missing: both are needed")
	case v.needs&needTitle != 0 && act.Title == "":
		return errors.New("title is missing: a text is needed")
	case v.needs&needTime != 0 && act.StartTime.UnixMilli() <= 0:
		return errors.New("startTime is missing or before 1970: a time is needed, such as 2026-08-03T10:00:00Z")
	case act.Device < 0 || act.Device > maxListed:
		return fmt.Errorf("device is %d: 0 to %d is allowed", act.Device, maxListed)
	case act.People < 0 || act.People > maxListed/2:
		return fmt.Errorf("people is %d: 0 to %d is allowed", act.People, maxListed/2)
	case len(act.ConferenceID) > rollcall.MaxID || len(act.UserID) > rollcall.MaxID:
		return fmt.Errorf("conferenceId or userId is longer than the %d bytes allowed", rollcall.MaxID)
	}
	return oneOf("endStyle", act.EndStyle, endStyles())
}

func verbTable() map[string]verb {
	verbs := map[string]verb{
		"create":         {0, createMeeting},
		"rename":         {needMeeting | needTitle, onOpenMeeting(renameMeeting)},
		"reschedule":     {needMeeting | needTime, onOpenMeeting(reschedule)},
		"rename_user":    {needMeeting | needUser, onOpenMeeting(renameUser)},
		"start":          {needMeeting, onMeeting(startAgain)},
		"end":            {needMeeting, onMeeting(endNow)},
		"mute_all":       {needMeeting, media(rollcall.MediaMuteAll, true, rollcall.MeetingMuteAllEnforced)},
		"unmute_all":     {needMeeting, media(rollcall.MediaMuteAll, false, rollcall.MeetingMuteAllLifted)},
		"mute_mics":      {needMeeting, media(rollcall.MediaMicMuted, true, rollcall.MeetingMicMuted)},
		"unmute_mics":    {needMeeting, media(rollcall.MediaMicMuted, false, rollcall.MeetingMicUnmuted)},
		"close_cameras":  {needMeeting, media(rollcall.MediaCameraClosed, true, rollcall.MeetingCameraClosed)},
		"reopen_cameras": {needMeeting, media(rollcall.MediaCameraClosed, false, rollcall.MeetingCameraOpened)},
	}
	for name, happen := range personVerbs() {
		verbs[name] = verb{needMeeting | needPerson, happen}
	}
	return verbs
}

// personVerbs says of each verb from which attendances it can happen.
func personVerbs() map[string]func(*world, Act) error {
	const (
		away      = rollcall.AttendanceUnknown
		invited   = rollcall.AttendanceInvited
		joining   = rollcall.AttendanceJoining
		present   = rollcall.AttendancePresent
		failed    = rollcall.AttendanceFailed
		kickedOut = rollcall.AttendanceKickedOut
		left      = rollcall.AttendanceLeft
	)
	return map[string]func(*world, Act) error{
		"invite":     onDevice(true, comesUp(away, failed, kickedOut, left), moves(invited, rollcall.ParticipantInvited)),
		"call":       onDevice(true, comesUp(away, invited, failed, kickedOut, left), moves(joining, rollcall.ParticipantJoining)),
		"join":       onDevice(true, comesUp(away, invited, joining, failed, kickedOut, left), letJoin),
		"decline":    onDevice(false, comesUp(invited, joining), decline),
		"fail":       onDevice(false, comesUp(invited, joining), moves(failed, rollcall.ParticipantJoinFailed)),
		"withdraw":   onDevice(false, comesUp(invited, joining), moves(away, rollcall.ParticipantInvitationLapsed)),
		"leave":      onDevice(false, comesUp(present), moves(left, rollcall.ParticipantLeft)),
		"kick":       onDevice(false, comesUp(present), moves(kickedOut, rollcall.ParticipantKickedOut)),
		"delist":     onDevice(false, (*device).idle, delist),
		"host":       onDevice(false, canHost, handOver),
		"mic_on":     onDevice(false, canOpen(micOf), opens(micOf, rollcall.ParticipantMicOpened)),
		"mic_off":    onDevice(false, isOpen(micOf), closes(micOf, rollcall.ParticipantMicClosed)),
		"camera_on":  onDevice(false, canOpen(cameraOf), opens(cameraOf, rollcall.ParticipantCameraOpened)),
		"camera_off": onDevice(false, isOpen(cameraOf), closes(cameraOf, rollcall.ParticipantCameraClosed)),
	}
}

func micOf(d *device) *rollcall.Device    { return &d.Mic }
func cameraOf(d *device) *rollcall.Device { return &d.Camera }

// idle reports whether a device is gone and still listed.
func (d *device) idle() bool { return d.Listed && d.Attendance.Gone() }

func canHost(d *device) bool { return d.Attendance == rollcall.AttendancePresent && !d.host }

func canOpen(of func(*device) *rollcall.Device) func(*device) bool {
	return func(d *device) bool {
		return d.Attendance == rollcall.AttendancePresent && *of(d) != rollcall.DeviceOpen
	}
}

func isOpen(of func(*device) *rollcall.Device) func(*device) bool {
	return func(d *device) bool { return *of(d) == rollcall.DeviceOpen }
}

func opens(of func(*device) *rollcall.Device, kind rollcall.Type) func(*world, *meeting, *device, Act) {
	return func(w *world, m *meeting, d *device, _ Act) { w.turnDevice(m, d, of(d), rollcall.DeviceOpen, kind) }
}

func closes(of func(*device) *rollcall.Device, kind rollcall.Type) func(*world, *meeting, *device, Act) {
	return func(w *world, m *meeting, d *device, _ Act) { w.turnDevice(m, d, of(d), rollcall.DeviceClosed, kind) }
}

func moves(to rollcall.Attendance, kind rollcall.Type) func(*world, *meeting, *device, Act) {
	return func(w *world, m *meeting, d *device, act Act) {
		listed := !act.Drop || to.InRoster()
		w.move(m, d, to, listed && to != rollcall.AttendanceUnknown, kind, rollcall.ReasonNone)
	}
}
