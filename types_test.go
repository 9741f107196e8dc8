package rollcall_test

import (
	"os"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"

	"rollcall"
)

func TestWordsOfTheWireAreReadBack(t *testing.T) {
	for s := rollcall.StatusInitialized; s <= rollcall.StatusEnded; s++ {
		if got, ok := rollcall.ParseStatus(s.String()); !ok || got != s {
			t.Errorf("ParseStatus(%q) = %v, %v", s.String(), got, ok)
		}
	}
	for a := rollcall.AttendanceInvited; a <= rollcall.AttendanceLeft; a++ {
		if got, ok := rollcall.ParseAttendance(a.String()); !ok || got != a {
			t.Errorf("ParseAttendance(%q) = %v, %v", a.String(), got, ok)
		}
		if a.InRoster() == a.Gone() {
			t.Errorf("%s must be either in the roster or gone", a)
		}
	}
	for d := rollcall.DeviceClosed; d <= rollcall.DeviceOpen; d++ {
		if got, ok := rollcall.ParseDevice(d.String()); !ok || got != d {
			t.Errorf("ParseDevice(%q) = %v, %v", d.String(), got, ok)
		}
	}
	for _, word := range []string{"", "gone", "Present"} {
		if _, ok := rollcall.ParseAttendance(word); ok {
			t.Errorf("ParseAttendance(%q) was accepted", word)
		}
	}
	if s := rollcall.Attendance(99).String(); s != "" {
		t.Errorf("an unknown attendance prints %q", s)
	}
}

func TestNumberAfter(t *testing.T) {
	for _, c := range []struct {
		n, o rollcall.Number
		want bool
	}{
		{rollcall.Number{Term: 1, Poll: 2}, rollcall.Number{Term: 1, Poll: 1}, true},
		{rollcall.Number{Term: 1, Poll: 1}, rollcall.Number{Term: 1, Poll: 1}, false},
		{rollcall.Number{Term: 2, Poll: 1}, rollcall.Number{Term: 1, Poll: 9}, true},
		{rollcall.Number{Term: 1, Poll: 9}, rollcall.Number{Term: 2, Poll: 1}, false},
	} {
		if got := c.n.After(c.o); got != c.want {
			t.Errorf("%v after %v is %v, want %v", c.n, c.o, got, c.want)
		}
	}
}

func TestClipKeepsRunesWhole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.String().Draw(t, "s")
		s = strings.Repeat(s, rapid.IntRange(0, 40).Draw(t, "times"))
		clipped := rollcall.Clip(s)
		if len(clipped) > rollcall.MaxText || !utf8.ValidString(clipped) {
			t.Fatalf("Clip gave %d bytes, valid %v", len(clipped), utf8.ValidString(clipped))
		}
		if !strings.HasPrefix(strings.ToValidUTF8(s, "\uFFFD"), clipped) || len(s) <= rollcall.MaxText && clipped != s {
			t.Fatalf("Clip(%q) = %q", s, clipped)
		}
	})
	if got := rollcall.Clip("\xff"); got != "\uFFFD" {
		t.Errorf("Clip of invalid UTF-8 gave %q", got)
	}
}

func TestValidTenant(t *testing.T) {
	for name, want := range map[string]bool{
		"acme": true, "a-1": true, strings.Repeat("a", 32): true,
		"": false, "Acme": false, "a.b": false, "a_b": false, "a b": false, strings.Repeat("a", 33): false, "é": false,
	} {
		if got := rollcall.ValidTenant(name); got != want {
			t.Errorf("ValidTenant(%q) = %v, want %v", name, got, want)
		}
	}
}

func TestTypesHaveEntityAndVerb(t *testing.T) {
	seen := map[rollcall.Type]bool{}
	for _, typ := range rollcall.Types() {
		if seen[typ] {
			t.Errorf("%s is listed twice", typ)
		}
		seen[typ] = true
		if e := typ.Entity(); e != "meeting" && e != "participant" || typ.Verb() == "" || string(typ) != e+"."+typ.Verb() {
			t.Errorf("%s: entity %q, verb %q", typ, e, typ.Verb())
		}
	}
	source, err := os.ReadFile("event.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, declared := range regexp.MustCompile(`(?m)^\t(\w+) +Type = "(.+)"`).FindAllSubmatch(source, -1) {
		if !seen[rollcall.Type(declared[2])] {
			t.Errorf("Types does not list %s", declared[1])
		}
	}
}

func TestMediaBits(t *testing.T) {
	if m := rollcall.Media(12); !m.Has(rollcall.MediaMuteAll) || m.Has(rollcall.MediaMicMuted) || m.Has(rollcall.MediaCameraClosed) {
		t.Error("the bits of 12 are read wrong")
	}
}

// Only a start and an end have a time of their own, and none lies outside its window.
func TestTimesAreHonest(t *testing.T) {
	at := func(s int) time.Time { return time.Date(2026, 3, 2, 10, 0, s, 0, time.UTC) }
	seen := rollcall.Window{After: at(10), Before: at(20)}
	first := rollcall.Window{Before: at(20)}
	for name, c := range map[string]struct {
		typ    rollcall.Type
		time   time.Time
		window rollcall.Window
		honest bool
	}{
		"a departure":                       {rollcall.ParticipantLeft, at(20), seen, true},
		"a departure with a time":           {rollcall.ParticipantLeft, at(15), seen, false},
		"a summary of what was before":      {rollcall.MeetingSummarized, at(5), seen, false},
		"a start in the window":             {rollcall.MeetingStarted, at(10), seen, true},
		"a start before":                    {rollcall.MeetingStarted, at(9), seen, false},
		"a start ahead":                     {rollcall.MeetingStarted, at(21), seen, false},
		"a first start, long ago":           {rollcall.MeetingStarted, at(0), first, true},
		"a first start, ahead":              {rollcall.MeetingStarted, at(21), first, false},
		"an end":                            {rollcall.MeetingEnded, at(15), seen, true},
		"an end before people were seen":    {rollcall.MeetingEnded, at(9), seen, false},
		"a window that ends as it begins":   {rollcall.MeetingEnded, at(10), rollcall.Window{After: at(10), Before: at(10)}, true},
		"a window that ends before it does": {rollcall.MeetingEnded, at(10), rollcall.Window{After: at(10), Before: at(9)}, false},
	} {
		e := rollcall.Event{Type: c.typ, Time: c.time, Window: c.window}
		if err := e.CheckTime(); (err == nil) != c.honest {
			t.Errorf("%s: %v", name, err)
		}
	}
}
