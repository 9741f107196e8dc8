package differ

import (
	"time"

	"rollcall"
)

// The conditions of the rules about the meeting as a whole.

func initialized(t *transition) bool {
	return t.was.Status == rollcall.StatusUnknown && t.next.Meeting.Status == rollcall.StatusInitialized
}

func started(t *transition) bool {
	return !t.reopening && t.was.Status != rollcall.StatusStarted && (t.unseen || t.next.Meeting.Status == rollcall.StatusStarted)
}

func reopened(t *transition) bool { return t.reopening }

// tookPlace reports whether the meeting that the transition ends was held though
// nobody saw it go on: DingTalk's own record says when. A cut poll goes on with that.
func tookPlace(t *transition) bool {
	cut := t.prev != nil && t.prev.Partial != nil && t.terms.Provenance == rollcall.ProvenanceReconciled
	said := t.ending != rollcall.ReasonVanished && !t.look.StartTime.IsZero() && t.look.StartTime.Before(t.look.EndTime)
	return said && (cut || t.was.Status != rollcall.StatusStarted)
}

// On the first poll there was no title before that could have changed.
func titleChanged(t *transition) bool { return !t.first && t.was.Title != t.next.Meeting.Title }

func startTimeChanged(t *transition) bool {
	return !t.first && !t.was.StartTime.Equal(t.next.Meeting.StartTime)
}

func muteAllEnforced(t *transition) bool { return sets(t, rollcall.MediaMuteAll) }
func muteAllLifted(t *transition) bool   { return clears(t, rollcall.MediaMuteAll) }
func micMuted(t *transition) bool        { return sets(t, rollcall.MediaMicMuted) }
func micUnmuted(t *transition) bool      { return clears(t, rollcall.MediaMicMuted) }
func cameraClosed(t *transition) bool    { return sets(t, rollcall.MediaCameraClosed) }
func cameraOpened(t *transition) bool    { return clears(t, rollcall.MediaCameraClosed) }

func sets(t *transition, bit rollcall.Media) bool {
	return !t.was.Media.Has(bit) && t.next.Meeting.Media.Has(bit)
}

func clears(t *transition, bit rollcall.Media) bool {
	return t.was.Media.Has(bit) && !t.next.Meeting.Media.Has(bit)
}

func endsByStatus(t *transition) bool    { return t.ending == rollcall.ReasonStatus }
func endsClosed(t *transition) bool      { return t.ending == rollcall.ReasonResourceClosed }
func endsByVanishing(t *transition) bool { return t.ending == rollcall.ReasonVanished }

func untracked(t *transition) bool           { return untrackedAs(t, rollcall.ReasonNone) }
func untrackedByOperator(t *transition) bool { return untrackedAs(t, rollcall.ReasonOperator) }
func untrackedExpired(t *transition) bool    { return untrackedAs(t, rollcall.ReasonExpired) }
func untrackedUnknown(t *transition) bool    { return untrackedAs(t, rollcall.ReasonUnknownMeeting) }

func untrackedAs(t *transition, reason rollcall.Reason) bool {
	return t.untracking && t.next.EndReason == reason
}

func summarized(t *transition) bool { return t.summarizing }

func forgotten(t *transition, _ *person) bool { return t.forgetting }

func startTime(t *transition) time.Time { return exact(t, t.next.Meeting.StartTime) }

func endTime(t *transition) time.Time { return exact(t, t.look.EndTime) }

// exact returns a time that DingTalk states, if things can have happened then
// as far as we saw: its clock is not ours, and plans are no facts.
func exact(t *transition, at time.Time) time.Time {
	if at.IsZero() || !t.window.Contains(at) {
		return time.Time{}
	}
	return at
}

// The conditions of the rules about people.

func asked(a rollcall.Attendance) bool {
	return a == rollcall.AttendanceInvited || a == rollcall.AttendanceJoining
}

func goes(p *person) bool {
	return p.was.Attendance == rollcall.AttendancePresent && p.is.Attendance != rollcall.AttendancePresent
}

func goesWithMic(_ *transition, p *person) bool { return goes(p) && p.was.Mic == rollcall.DeviceOpen }

func goesWithCamera(_ *transition, p *person) bool {
	return goes(p) && p.was.Camera == rollcall.DeviceOpen
}

func goesByLeaving(t *transition, p *person) bool {
	return goes(p) && t.ending == "" && p.listed && p.is.Attendance == rollcall.AttendanceLeft
}

func goesUnlisted(t *transition, p *person) bool { return goes(p) && t.ending == "" && !p.listed }

func goesToBeCalled(_ *transition, p *person) bool {
	return goes(p) && (asked(p.is.Attendance) || p.is.Attendance == rollcall.AttendanceFailed)
}

func goesByForce(_ *transition, p *person) bool {
	return goes(p) && p.is.Attendance == rollcall.AttendanceKickedOut
}

func goesAtEnd(t *transition, p *person) bool {
	return goes(p) && t.ending != "" && p.is.Attendance == rollcall.AttendanceLeft
}

// Somebody who came and went had been asked, but has been there.
func lapsed(p *person) bool {
	return asked(p.was.Attendance) && p.is.Attendance == rollcall.AttendanceLeft && !p.visited
}

func lapses(t *transition, p *person) bool { return lapsed(p) && t.ending == "" }

func lapsesAtEnd(t *transition, p *person) bool { return lapsed(p) && t.ending != "" }

func becomesInvited(_ *transition, p *person) bool { return p.becomes(rollcall.AttendanceInvited) }

func becomesJoining(_ *transition, p *person) bool { return p.becomes(rollcall.AttendanceJoining) }

func becomesPresent(_ *transition, p *person) bool { return p.becomes(rollcall.AttendancePresent) }

func (p *person) becomes(a rollcall.Attendance) bool {
	return p.was.Attendance != a && p.is.Attendance == a
}

func failed(p *person) bool { return p.becomes(rollcall.AttendanceFailed) }

func declines(_ *transition, p *person) bool { return failed(p) && p.is.RejectDescription != "" }

func fails(_ *transition, p *person) bool { return failed(p) && p.is.RejectDescription == "" }

func comesWithMic(_ *transition, p *person) bool {
	return p.becomes(rollcall.AttendancePresent) && p.is.Mic == rollcall.DeviceOpen
}

func comesWithCamera(_ *transition, p *person) bool {
	return p.becomes(rollcall.AttendancePresent) && p.is.Camera == rollcall.DeviceOpen
}

func stays(p *person) bool {
	return p.was.Attendance == rollcall.AttendancePresent && p.is.Attendance == rollcall.AttendancePresent
}

func opensMic(_ *transition, p *person) bool { return stays(p) && p.was.Mic < p.is.Mic }

func closesMic(_ *transition, p *person) bool { return stays(p) && p.was.Mic > p.is.Mic }

func opensCamera(_ *transition, p *person) bool { return stays(p) && p.was.Camera < p.is.Camera }

func closesCamera(_ *transition, p *person) bool { return stays(p) && p.was.Camera > p.is.Camera }

func renamed(_ *transition, p *person) bool {
	return p.was.Attendance.InRoster() && p.is.Attendance.InRoster() && p.was.Nick != p.is.Nick
}

// Roles that were not known were not changed.
func showsRoles(_ *transition, p *person) bool {
	return p.was.Roles != p.is.Roles && p.was.With(p.is.Roles) == p.is.With(p.was.Roles) && p.was.Attendance.InRoster()
}

func changesRoles(_ *transition, p *person) bool {
	return p.was.With(p.is.Roles) != p.is.With(p.was.Roles) && p.was.Attendance.InRoster()
}

func visited(_ *transition, p *person) bool { return p.visited }

func visitedAndLeft(_ *transition, p *person) bool {
	return p.visited && p.is.Attendance == rollcall.AttendanceLeft
}

func visitedAndKicked(_ *transition, p *person) bool {
	return p.visited && p.is.Attendance == rollcall.AttendanceKickedOut
}
