package differ

import (
	"time"

	"rollcall"
)

// The conditions of the rules about the meeting as a whole.

func initialized(s *step) bool {
	return s.was.Status == rollcall.StatusUnknown && s.next.Meeting.Status == rollcall.StatusInitialized
}

func started(s *step) bool {
	return !s.reopening && s.was.Status != rollcall.StatusStarted && s.next.Meeting.Status == rollcall.StatusStarted
}

func reopened(s *step) bool { return s.reopening }

// On the first poll there was no title before that could have changed.
func titleChanged(s *step) bool { return !s.first && s.was.Title != s.next.Meeting.Title }

func startTimeChanged(s *step) bool {
	return !s.first && !s.was.StartTime.Equal(s.next.Meeting.StartTime)
}

func muteAllEnforced(s *step) bool { return s.sets(rollcall.MediaMuteAll) }
func muteAllLifted(s *step) bool   { return s.clears(rollcall.MediaMuteAll) }
func micMuted(s *step) bool        { return s.sets(rollcall.MediaMicMuted) }
func micUnmuted(s *step) bool      { return s.clears(rollcall.MediaMicMuted) }
func cameraClosed(s *step) bool    { return s.sets(rollcall.MediaCameraClosed) }
func cameraOpened(s *step) bool    { return s.clears(rollcall.MediaCameraClosed) }

func (s *step) sets(bit rollcall.Media) bool {
	return !s.was.Media.Has(bit) && s.next.Meeting.Media.Has(bit)
}

func (s *step) clears(bit rollcall.Media) bool {
	return s.was.Media.Has(bit) && !s.next.Meeting.Media.Has(bit)
}

func endsByStatus(s *step) bool    { return s.ending == rollcall.ReasonStatus }
func endsClosed(s *step) bool      { return s.ending == rollcall.ReasonResourceClosed }
func endsByVanishing(s *step) bool { return s.ending == rollcall.ReasonVanished }

func untracked(s *step) bool           { return s.untrackedAs(rollcall.ReasonNone) }
func untrackedByOperator(s *step) bool { return s.untrackedAs(rollcall.ReasonOperator) }
func untrackedExpired(s *step) bool    { return s.untrackedAs(rollcall.ReasonExpired) }
func untrackedUnknown(s *step) bool    { return s.untrackedAs(rollcall.ReasonUnknownMeeting) }

func (s *step) untrackedAs(reason rollcall.Reason) bool {
	return s.untracking && s.next.EndReason == reason
}

func summarized(s *step) bool { return s.summarizing }

func startTime(s *step) time.Time { return s.exact(s.next.Meeting.StartTime) }

func endTime(s *step) time.Time { return s.exact(s.look.EndTime) }

// exact gives a time that DingTalk tells, if things can have happened then as
// far as we saw: its clock is not ours, and plans are no facts.
func (s *step) exact(t time.Time) time.Time {
	if t.IsZero() || !s.window.Contains(t) {
		return time.Time{}
	}
	return t
}

// The conditions of the rules about people.

func asked(a rollcall.Attendance) bool {
	return a == rollcall.AttendanceInvited || a == rollcall.AttendanceJoining
}

func goes(p *person) bool {
	return p.was.Attendance == rollcall.AttendancePresent && p.is.Attendance != rollcall.AttendancePresent
}

func goesWithMic(_ *step, p *person) bool { return goes(p) && p.was.Mic == rollcall.DeviceOpen }

func goesWithCamera(_ *step, p *person) bool { return goes(p) && p.was.Camera == rollcall.DeviceOpen }

func goesByLeaving(s *step, p *person) bool {
	return goes(p) && s.ending == "" && p.listed && p.is.Attendance == rollcall.AttendanceLeft
}

func goesUnlisted(s *step, p *person) bool { return goes(p) && s.ending == "" && !p.listed }

func goesToBeCalled(_ *step, p *person) bool {
	return goes(p) && (asked(p.is.Attendance) || p.is.Attendance == rollcall.AttendanceFailed)
}

func goesByForce(_ *step, p *person) bool {
	return goes(p) && p.is.Attendance == rollcall.AttendanceKickedOut
}

func goesAtEnd(s *step, p *person) bool {
	return goes(p) && s.ending != "" && p.is.Attendance == rollcall.AttendanceLeft
}

// Whoever came and went had been asked, but has been there.
func lapsed(p *person) bool {
	return asked(p.was.Attendance) && p.is.Attendance == rollcall.AttendanceLeft && !p.visited
}

func lapses(s *step, p *person) bool { return lapsed(p) && s.ending == "" }

func lapsesAtEnd(s *step, p *person) bool { return lapsed(p) && s.ending != "" }

func becomesInvited(_ *step, p *person) bool { return p.becomes(rollcall.AttendanceInvited) }

func becomesJoining(_ *step, p *person) bool { return p.becomes(rollcall.AttendanceJoining) }

func becomesPresent(_ *step, p *person) bool { return p.becomes(rollcall.AttendancePresent) }

func (p *person) becomes(a rollcall.Attendance) bool {
	return p.was.Attendance != a && p.is.Attendance == a
}

func failed(p *person) bool { return p.becomes(rollcall.AttendanceFailed) }

func declines(_ *step, p *person) bool { return failed(p) && p.is.RejectDescription != "" }

func fails(_ *step, p *person) bool { return failed(p) && p.is.RejectDescription == "" }

func comesWithMic(_ *step, p *person) bool {
	return p.becomes(rollcall.AttendancePresent) && p.is.Mic == rollcall.DeviceOpen
}

func comesWithCamera(_ *step, p *person) bool {
	return p.becomes(rollcall.AttendancePresent) && p.is.Camera == rollcall.DeviceOpen
}

func stays(p *person) bool {
	return p.was.Attendance == rollcall.AttendancePresent && p.is.Attendance == rollcall.AttendancePresent
}

func opensMic(_ *step, p *person) bool { return stays(p) && p.was.Mic < p.is.Mic }

func closesMic(_ *step, p *person) bool { return stays(p) && p.was.Mic > p.is.Mic }

func opensCamera(_ *step, p *person) bool { return stays(p) && p.was.Camera < p.is.Camera }

func closesCamera(_ *step, p *person) bool { return stays(p) && p.was.Camera > p.is.Camera }

func renamed(_ *step, p *person) bool {
	return p.was.Attendance.InRoster() && p.is.Attendance.InRoster() && p.was.Nick != p.is.Nick
}

func visited(_ *step, p *person) bool { return p.visited }

func visitedAndLeft(_ *step, p *person) bool {
	return p.visited && p.is.Attendance == rollcall.AttendanceLeft
}

func visitedAndKicked(_ *step, p *person) bool {
	return p.visited && p.is.Attendance == rollcall.AttendanceKickedOut
}
