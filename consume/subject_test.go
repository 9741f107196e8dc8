package consume_test

import (
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall"
	"rollcall/consume"
)

const second = time.Second

type duration = time.Duration

var start = time.UnixMilli(1700000000000).UTC()

func number(n uint64) string { return strconv.FormatUint(n, 10) }

func TestSubjects(t *testing.T) {
	for want, got := range map[string][]string{
		"meetings.event.*.*.*.*":                    consume.Subject("", ""),
		"meetings.event.acme.a%2Eb.*.*":             consume.Subject("acme", "a.b"),
		"meetings.event.acme.c1.participant.joined": consume.Subject("acme", "c1", rollcall.ParticipantJoined, rollcall.ParticipantJoined),
		"calls.event.*.*.meeting.ended":             consume.Names{Prefix: "calls"}.Subject("", "", rollcall.MeetingEnded),
	} {
		if diff := cmp.Diff([]string{want}, got); diff != "" {
			t.Error(diff)
		}
	}
	tenant, id, kind, err := consume.ParseSubject(consume.Subject("acme", "会.*", rollcall.MeetingEnded)[0])
	if tenant != "acme" || id != "会.*" || kind != rollcall.MeetingEnded || err != nil {
		t.Errorf("%s %s %s %v", tenant, id, kind, err)
	}
	for _, bad := range []string{"", "meetings.event.acme.c1", "meetings.state.acme.c1.a.b", "meetings.event.A.c1.a.b", "meetings.event.acme.%.a.b", "meetings.event.acme.c1.a."} {
		if _, _, _, err := consume.ParseSubject(bad); err == nil {
			t.Errorf("%q is read", bad)
		}
	}
}

func TestWatchEventsAreOfATenant(t *testing.T) {
	for _, word := range []string{"watch.*", "lost", "watch.resumed", "rollcall.watch.lost"} {
		types, err := consume.ParseType(word)
		if err != nil {
			t.Fatal(err)
		}
		for i, subject := range consume.Subject("acme", "c.1", types...) {
			if want := "meetings.watch.acme." + types[i].Verb(); subject != want {
				t.Errorf("%s: %s, want %s", word, subject, want)
			}
		}
	}
	files, err := filepath.Glob("../contract/golden/watch.*.json")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		e, err := consume.Parse(data)
		told, watchErr := consume.ParseWatch(data)
		if err != nil || watchErr != nil || e.Known() || e.Type != told.Type || e.Tenant != told.Tenant {
			t.Errorf("%s: %+v (%v), %+v (%v)", file, e, err, told, watchErr)
		}
		var roster consume.Roster
		if change, err := roster.Apply(e); change != consume.Repeated || err != nil {
			t.Errorf("%s: a roster says %v, %v", file, change, err)
		}
	}
}
