package explain

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"rollcall"
	"rollcall/cmd/rollcall/control"
	"rollcall/internal/safetext"
	"rollcall/wire"
)

// looks are the two polls between which it happened.
func (f *Facts) looks(at *time.Location) (before, after Look) {
	w := f.window()
	before.Asked.Time, after.Answered.Time = w.After, w.Before
	if f.Watch != nil {
		before.Text, after.Text = f.watched(at)
		return before, after
	}
	if f.ordered() {
		before.Text, after.Text = "no poll has found it", "an operator had asked for it by "+clock(w.Before, at)
		after.Answered = wire.Time{}
		return before, after
	}
	asked, answered := "asked "+clock(w.After, at)+": ", "answered "+clock(w.Before, at)+": "
	if f.clipped() {
		after.Answered.Time, answered = time.Time{}, "answered after the end at "+clock(w.Before, at)+", when is not recorded: "
	}
	if f.ofThisPoll() {
		after.Asked.Time = f.Record.ObservedAt
		answered = "asked " + clock(f.Record.ObservedAt, at) + ", " + answered
	}
	after.say(f.Event, f.Event.Participant != nil)
	after.Text = answered + after.Text
	if f.Event.Exact {
		after.Text += "; DingTalk says that it was so at " + clock(f.Event.Time, at)
	}
	switch {
	case w.After.IsZero():
		before.Text = "none: the meeting was asked about for the first time"
	case f.Prior != nil:
		before.say(f.Prior, f.Event.Participant != nil)
		before.Text = asked + before.Text
	case f.Whole && f.Event.Participant != nil:
		before.Text = asked + "nobody of that key was known"
	default:
		before.Text = asked + "what it said is not recorded: the events of before are gone"
	}
	return before, after
}

// ordered reports whether no poll has found it, but somebody asked for it.
func (f *Facts) ordered() bool {
	e := f.Event
	return e != nil && (e.Type == rollcall.ParticipantForgotten || e.Reason == rollcall.ReasonOperator)
}

// clipped reports whether the window ends with the meeting, and not with the answer:
// nobody outlasts the end that DingTalk tells.
func (f *Facts) clipped() bool {
	e := f.Event
	return e != nil && !e.Meeting.EndTime.IsZero() && e.Window.Before.Equal(e.Meeting.EndTime)
}

// watched are the two ends of the time in which nobody looked.
func (f *Facts) watched(at *time.Location) (before, after string) {
	w := f.Watch
	before = "none: no answer was ever good"
	if !w.Window.After.IsZero() {
		before = "the last good answer was asked for at " + clock(w.Window.After, at)
	}
	if w.Type == rollcall.WatchResumed {
		return before, "the next good answer came at " + clock(w.Window.Before, at)
	}
	return before, "no good answer had come by " + clock(w.Window.Before, at)
}

// say takes what an event shows of its person, or of the meeting, as after its poll.
func (l *Look) say(e *rollcall.Event, person bool) {
	if person {
		l.Person = &control.RosterOf([]rollcall.Participant{*e.Participant})[0]
		l.Text = personText(l.Person)
		return
	}
	m := control.MeetingOf(&e.Meeting)
	l.Meeting, l.Text = &m, meetingText(&m)
}

// personText says how somebody was listed.
func personText(p *wire.Person) string {
	text := safetext.Field(cmp.Or(p.Nick, p.Key), 32) + " " + strings.ReplaceAll(safetext.Field(p.Attendance, 16), "_", " ")
	if p.Attendance == rollcall.AttendancePresent.String() {
		text += fmt.Sprintf(", microphone %s, camera %s", p.Mic, p.Camera)
	}
	if roles := p.Facts().String(); roles != "" {
		text += ", " + roles
	}
	return text
}

// meetingText says how a meeting stood.
func meetingText(m *wire.Meeting) string {
	text := fmt.Sprintf("%s %s, %d present", safetext.Field(cmp.Or(m.Title, "the meeting"), 48), m.Status, m.Present)
	for _, bit := range []struct {
		set  bool
		name string
	}{{m.Media.MuteAll, "everybody muted"}, {m.Media.MicMuted, "its microphone muted"}, {m.Media.CameraClosed, "its camera closed"}} {
		if bit.set {
			text += ", " + bit.name
		}
	}
	return text
}

// clock is a time to the millisecond; never for the zero time.
func clock(t time.Time, at *time.Location) string {
	if t.IsZero() {
		return "never"
	}
	return t.In(at).Format("2006-01-02 15:04:05.000")
}
