package simulator

import (
	"time"

	"rollcall"
)

// move changes how a device stands to its meeting. What was open is closed
// first: nobody speaks who is not there.
func (w *world) move(m *meeting, d *device, to rollcall.Attendance, listed bool, kind rollcall.Type, reason rollcall.Reason) {
	was := d.Attendance
	if was == rollcall.AttendancePresent {
		w.closeDevices(m, d)
		d.last.left, d.last.how = w.at, to
	}
	if to == rollcall.AttendancePresent {
		d.wasThere = true
		d.last = &visit{device: d, ordinal: len(m.visits), joined: w.at}
		m.visits = append(m.visits, d.last)
		d.Mic, d.Camera = rollcall.DeviceClosed, rollcall.DeviceClosed
	}
	if to == rollcall.AttendanceInvited || to == rollcall.AttendanceJoining {
		d.asked = true
	}
	d.Attendance, d.RejectDescription = to, ""
	m.list(d, listed)
	if kind == rollcall.ParticipantLeft && reason == rollcall.ReasonNone {
		reason = rollcall.ReasonLeft
	}
	w.record(m, kind, reason, d)
}

func (w *world) closeDevices(m *meeting, d *device) {
	if d.Mic == rollcall.DeviceOpen {
		w.turnDevice(m, d, &d.Mic, rollcall.DeviceClosed, rollcall.ParticipantMicClosed)
	}
	if d.Camera == rollcall.DeviceOpen {
		w.turnDevice(m, d, &d.Camera, rollcall.DeviceClosed, rollcall.ParticipantCameraClosed)
	}
}

func (w *world) turnDevice(m *meeting, d *device, which *rollcall.Device, to rollcall.Device, kind rollcall.Type) {
	*which = to
	w.record(m, kind, rollcall.ReasonNone, d)
}

// letJoin lets somebody in; the first one starts the meeting.
func letJoin(w *world, m *meeting, d *device, _ Act) {
	if m.status == rollcall.StatusInitialized {
		w.start(m)
	}
	w.move(m, d, rollcall.AttendancePresent, true, rollcall.ParticipantJoined, rollcall.ReasonNone)
}

func decline(w *world, m *meeting, d *device, act Act) {
	w.moveSaying(m, d, orText(act.RejectDescription, "抱歉，正在开会"), !act.Drop)
}

func (w *world) moveSaying(m *meeting, d *device, excuse string, listed bool) {
	d.Attendance, d.RejectDescription = rollcall.AttendanceFailed, excuse
	m.list(d, listed)
	w.record(m, rollcall.ParticipantDeclined, rollcall.ReasonNone, d)
}

func delist(w *world, m *meeting, d *device, _ Act) {
	m.list(d, false)
	w.record(m, ParticipantDelisted, rollcall.ReasonNone, d)
}

// handOver makes a person the meeting's one host; only the list of members shows it.
func handOver(w *world, m *meeting, d *device, _ Act) {
	for _, other := range m.lines {
		other.host = other.UserID == d.UserID && other.Nick == d.Nick
	}
	w.record(m, rollcall.ParticipantRoleChanged, rollcall.ReasonNone, d)
}

// renameUser returns all devices of a person another nick: the account is one.
// A stranger is known by nick alone, and another nick would be somebody else.
func renameUser(w *world, m *meeting, act Act) error {
	changed := false
	for _, d := range m.lines {
		if act.UserID == "" || d.UserID != act.UserID || d.Nick == act.Nick {
			continue
		}
		d.Nick, d.person.nick = act.Nick, act.Nick
		if d.Listed {
			w.record(m, rollcall.ParticipantRenamed, rollcall.ReasonNone, d)
			changed = true
		}
	}
	if !changed {
		return refuse("userId %q of meeting %q: nobody of that id is listed there under another nick", act.UserID, m.id)
	}
	return nil
}

func (w *world) start(m *meeting) {
	reason := rollcall.ReasonNone
	if m.over() {
		reason = rollcall.ReasonReopened
	} else {
		m.started = w.at
	}
	m.status = rollcall.StatusStarted
	w.record(m, rollcall.MeetingStarted, reason, nil)
}

// end sends everybody away, then closes the meeting.
func (w *world) end(m *meeting) {
	for _, d := range append([]*device(nil), m.listed...) {
		switch {
		case d.Attendance == rollcall.AttendancePresent:
			w.move(m, d, rollcall.AttendanceLeft, true, rollcall.ParticipantLeft, rollcall.ReasonMeetingEnded)
		case d.Attendance.InRoster():
			w.move(m, d, rollcall.AttendanceUnknown, false, rollcall.ParticipantInvitationLapsed, rollcall.ReasonMeetingEnded)
		}
	}
	m.status, m.ended = rollcall.StatusEnded, w.at
	w.record(m, rollcall.MeetingEnded, rollcall.ReasonNone, nil)
}

func createMeeting(w *world, act Act) error {
	if w.byID[act.ConferenceID] != nil {
		return refuse("conferenceId is %q: a meeting has that id already", act.ConferenceID)
	}
	m := w.addMeeting(act.ConferenceID, act.Title)
	if act.People > 0 {
		m.gather(w.cfg, act.People)
		w.seats = append(w.seats, m)
	}
	return nil
}

func renameMeeting(w *world, m *meeting, act Act) error {
	if m.title == act.Title {
		return refuse("meeting %q has that title already", m.id)
	}
	m.title = act.Title
	w.record(m, rollcall.MeetingTitleChanged, rollcall.ReasonNone, nil)
	return nil
}

// reschedule changes when a meeting is to begin; one that goes on has begun.
func reschedule(w *world, m *meeting, act Act) error {
	switch planned := act.StartTime.UTC().Truncate(time.Millisecond); {
	case m.running():
		return refuse("meeting %q has started already", m.id)
	case m.planned.Equal(planned):
		return refuse("meeting %q is to begin at that time already", m.id)
	default:
		m.planned = planned
	}
	w.record(m, rollcall.MeetingStartTimeChanged, rollcall.ReasonNone, nil)
	return nil
}

func startAgain(w *world, m *meeting, _ Act) error {
	if m.running() {
		return refuse("meeting %q has started already", m.id)
	}
	w.start(m)
	return nil
}

func endNow(w *world, m *meeting, act Act) error {
	if m.over() {
		return refuse("meeting %q is over already", m.id)
	}
	m.endStyle = orText(act.EndStyle, m.endStyle)
	w.end(m)
	return nil
}

// media switches a bit of a meeting's mediaStatus. Setting one also closes
// what it is about; who may open it again is not the world's business.
func media(bit rollcall.Media, on bool, kind rollcall.Type) func(*world, Act) error {
	return onOpenMeeting(func(w *world, m *meeting, _ Act) error {
		if m.media.Has(bit) == on {
			return refuse("meeting %q: that is so already", m.id)
		}
		m.media ^= bit
		w.record(m, kind, rollcall.ReasonNone, nil)
		if on {
			w.silence(m, bit)
		}
		return nil
	})
}

func (w *world) silence(m *meeting, bit rollcall.Media) {
	for _, d := range m.listed {
		if bit == rollcall.MediaCameraClosed && d.Camera == rollcall.DeviceOpen {
			w.turnDevice(m, d, &d.Camera, rollcall.DeviceClosed, rollcall.ParticipantCameraClosed)
		}
		if bit != rollcall.MediaCameraClosed && d.Mic == rollcall.DeviceOpen {
			w.turnDevice(m, d, &d.Mic, rollcall.DeviceClosed, rollcall.ParticipantMicClosed)
		}
	}
}
