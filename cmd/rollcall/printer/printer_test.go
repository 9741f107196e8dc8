package printer_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"rollcall"
	"rollcall/cmd/rollcall/printer"
)

func event(t rollcall.Type) rollcall.Event {
	e := rollcall.Event{
		Tenant: "acme", ConferenceID: "c1", Type: t, Provenance: rollcall.ProvenanceObserved,
		Time:    time.Date(2026, 11, 23, 9, 15, 0, 0, time.UTC),
		Meeting: rollcall.Conference{Title: "Weekly"},
	}
	if t.Entity() == "participant" {
		e.Participant = &rollcall.Participant{Key: "u1", Nick: "Ada", Session: 1}
	}
	return e
}

func shown(t *testing.T, p printer.Printer, e rollcall.Event) string {
	t.Helper()
	var b strings.Builder
	p.Out, p.Location = &b, time.UTC
	if err := p.Print(e); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestPrint(t *testing.T) {
	joined := event(rollcall.ParticipantJoined)
	again := event(rollcall.ParticipantJoined)
	again.Participant.Session = 3
	left := event(rollcall.ParticipantLeft)
	left.Reason, left.Participant.Nick, left.Meeting.Title = rollcall.ReasonVanished, "", "每周例会"
	ended := event(rollcall.MeetingEnded)
	ended.Reason, ended.Meeting.Title = rollcall.ReasonResourceClosed, ""
	found := event(rollcall.MeetingStarted)
	found.Provenance = rollcall.ProvenanceBaseline
	declined := event(rollcall.ParticipantDeclined)
	declined.Participant.RejectDescription = "busy"
	moved := event(rollcall.MeetingStartTimeChanged)
	moved.Meeting.StartTime = time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC)
	unknown := event("meeting.exploded")
	untracked := func(why rollcall.Reason) rollcall.Event {
		e := event(rollcall.MeetingUntracked)
		e.Reason = why
		return e
	}
	for want, e := range map[string]rollcall.Event{
		"11-23 09:15:00  Weekly                    Ada               joined\n":                                                       joined,
		"11-23 09:15:00  Weekly                    Ada               joined again (visit 3)\n":                                       again,
		"11-23 09:15:00  每周例会                  u1                left (no longer listed)\n":                                          left,
		"11-23 09:15:00  c1                        -                 the meeting ended (closed)\n":                                   ended,
		"11-23 09:15:00  Weekly                    -                 the meeting started [as found]\n":                               found,
		"11-23 09:15:00  Weekly                    Ada               declined: busy\n":                                               declined,
		"11-23 09:15:00  Weekly                    -                 the start is now 11-24 08:00:00\n":                              moved,
		"11-23 09:15:00  Weekly                    -                 meeting.exploded\n":                                             unknown,
		"11-23 09:15:00  Weekly                    -                 the meeting is no longer tracked (an operator took it off)\n":   untracked(rollcall.ReasonOperator),
		"11-23 09:15:00  Weekly                    -                 the meeting is no longer tracked (it did not begin in time)\n":  untracked(rollcall.ReasonExpired),
		"11-23 09:15:00  Weekly                    -                 the meeting is no longer tracked (DingTalk does not know it)\n": untracked(rollcall.ReasonUnknownMeeting),
	} {
		if got := shown(t, printer.Printer{}, e); got != want {
			t.Errorf("\ngot  %q\nwant %q", got, want)
		}
	}
}

func TestColourSurroundsWhatHappenedOnly(t *testing.T) {
	got := shown(t, printer.Printer{Color: true}, event(rollcall.ParticipantJoined))
	if !strings.HasSuffix(got, "  \x1b[32mjoined\x1b[0m\n") || strings.Count(got, "\x1b") != 2 {
		t.Errorf("%q", got)
	}
}

func TestStrangersCannotFakeALine(t *testing.T) {
	for _, kind := range rollcall.Types() {
		e := event(kind)
		const evil = "x\n\x1b[2J\u202e\u2028"
		e.Meeting.Title, e.ConferenceID = evil, evil
		if e.Participant != nil {
			e.Participant.Nick, e.Participant.Key, e.Participant.RejectDescription = evil, evil, evil
		}
		got := shown(t, printer.Printer{}, e)
		if strings.Count(got, "\n") != 1 || strings.ContainsAny(got, "\x1b\u202e\u2028") {
			t.Errorf("%s: %q", kind, got)
		}
	}
}

func TestEveryTypeHasWords(t *testing.T) {
	for _, kind := range rollcall.Types() {
		if got := shown(t, printer.Printer{}, event(kind)); strings.Contains(got, string(kind)) {
			t.Errorf("%s has no words: %q", kind, got)
		}
	}
}

func TestPrintWatch(t *testing.T) {
	at := time.Date(2026, 11, 23, 9, 15, 0, 0, time.UTC)
	e := rollcall.WatchEvent{
		Tenant: "acme", Shards: 1, Type: rollcall.WatchLost, Reason: rollcall.ReasonThrottled,
		Window: rollcall.Window{After: at.Add(-90 * time.Second), Before: at},
	}
	print := func() string {
		var b strings.Builder
		if err := (printer.Printer{Out: &b, Location: time.UTC}).PrintWatch(e); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	want := "11-23 09:15:00  acme                      -                 nobody looks at the meetings since 11-23 09:13:30 (DingTalk asks to go slower)\n"
	if got := print(); got != want {
		t.Errorf("\ngot  %q\nwant %q", got, want)
	}
	e.Type, e.Shard, e.Shards = rollcall.WatchResumed, 2, 4
	for _, reason := range append(rollcall.WatchReasons(), "evil\n\x1b[2J\u202e") {
		e.Reason = reason
		got := print()
		known := reason[0] != 'e'
		if !strings.Contains(got, "shard 2 of 4 are looked at again") || strings.Count(got, "\n") != 1 || strings.ContainsAny(got, "\x1b\u202e") || known && strings.Contains(got, "("+string(reason)+")") {
			t.Errorf("%s: %q", reason, got)
		}
	}
}

type full struct{}

var errFull = errors.New("disk full")

func (full) Write([]byte) (int, error) { return 0, errFull }

func TestPrintTellsThatNothingWasWritten(t *testing.T) {
	if err := (printer.Printer{Out: full{}}).Print(event(rollcall.MeetingEnded)); !errors.Is(err, errFull) {
		t.Errorf("error %v", err)
	}
}
