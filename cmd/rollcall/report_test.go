package main

import (
	"encoding/csv"
	"strconv"
	"strings"
	"testing"

	"github.com/nats-io/nats.go/jetstream"

	"rollcall"
	"rollcall/cmd/rollcall/attendance"
	"rollcall/differ"
	"rollcall/wire"
)

// What is told of a meeting is what its events say, of the epoch that is wanted.
func TestReportTellsAMeeting(t *testing.T) {
	w := newPastWorld(t)
	list := func(people ...string) {
		a := &rollcall.Answer{Title: "周会", Status: rollcall.StatusStarted, Listed: true}
		for _, p := range people {
			a.Entries = append(a.Entries, rollcall.Entry{UserID: p, Nick: "名 " + p, Attendance: rollcall.AttendancePresent, Mic: rollcall.DeviceOpen})
		}
		w.look("c1", differ.Look{Kind: rollcall.SightingListed, Answer: a})
	}
	list("u1")
	list("u1", "u2")
	first := w.records["c1"].Record.Epoch
	w.look("c1", differ.Look{Kind: rollcall.SightingUntracked, Reason: rollcall.ReasonOperator})
	list("u1", "u3")
	w.look("c1", differ.Look{Kind: rollcall.SightingEnded, Reason: rollcall.ReasonStatus})
	second := w.records["c1"].Record.Epoch
	for name, c := range map[string]struct {
		args   []string
		status string
		people string
		epochs int
	}{
		"the newest":  {nil, "ended", "u1:1 u3:1", 1},
		"the first":   {[]string{"--epoch", itoa(first)}, "untracked", "u1:1 u2:1", 1},
		"the second":  {[]string{"--epoch", itoa(second), "--tenant", "acme"}, "ended", "u1:1 u3:1", 1},
		"both as one": {[]string{"--epoch", "all"}, "ended", "u1:1 u2:1 u3:1", 2},
	} {
		m := answerOf[attendance.Meeting](w, append([]string{"report", "c1"}, c.args...)...)
		people := ""
		for _, p := range m.People {
			people += p.Key + ":" + itoa(int64(len(p.Visits))) + " "
		}
		if m.Status != c.status || strings.TrimSpace(people) != c.people || len(m.Epochs) != c.epochs || !m.Complete || m.Title != "周会" {
			t.Errorf("%s: %+v", name, m)
		}
	}
	code, out, said := w.run("report", "c1")
	if code != exitDone || said != "" || !strings.Contains(out, itoa(first)+" (--epoch)") || !strings.Contains(out, "名 u3  by ") {
		t.Errorf("%d: %s%s", code, out, said)
	}
	code, out, said = w.run("report", "c1", "--csv")
	rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(out, "\ufeff"))).ReadAll()
	if code != exitDone || err != nil || len(rows) != 3 || rows[1][2] != "名 u1" || len(out) == len(strings.TrimPrefix(out, "\ufeff")) {
		t.Errorf("%d: %v: %s%s", code, err, out, said)
	}
}

func itoa(n int64) string { return strconv.FormatInt(n, 10) }

// What cannot be told is an error that says why.
func TestReportSaysWhyNot(t *testing.T) {
	w := newPastWorld(t)
	for range 3 {
		w.look("c1", differ.Look{Kind: rollcall.SightingListed, Answer: w.crowd()})
	}
	e := w.told[0].Event
	e.Tenant = "beta"
	if _, err := w.js.Publish(t.Context(), w.names.Commit(w.names.Event("beta", "c1", e.Type)), wire.AppendEvent(nil, &e)); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"nobody"}, exitFailed, "holds nothing of a meeting nobody: "},
		{[]string{"nobody"}, exitFailed, "events are kept for 168h (stream.retention)"},
		{[]string{"c1"}, exitMisused, "several tenants have a meeting with this id: acme, beta"},
		{[]string{"c1", "--tenant", "acme", "--epoch", "7"}, exitFailed, "no epoch 7; there are: "},
		{[]string{"c1", "--epoch", "first"}, exitMisused, "--epoch"},
		{[]string{"c1", "--json", "--csv"}, exitMisused, "--csv or --json?"},
		{[]string{"c1", "c2"}, exitMisused, ""},
		{nil, exitMisused, "which meeting?"},
		{[]string{"c1", "--stream", "OTHER"}, exitFailed, "find stream OTHER: it is not there"},
	} {
		if code, _, said := w.run(append([]string{"report"}, c.args...)...); code != c.code || !strings.Contains(said, c.says) {
			t.Errorf("%v: exit code %d, %s", c.args, code, said)
		}
	}
	for _, gone := range []string{"meetings.event.acme.c1.meeting.>", "meetings.event.>"} {
		if err := w.ledger.Purge(t.Context(), jetstream.WithPurgeSubject(gone)); err != nil {
			t.Fatal(err)
		}
		code, _, said := w.run("report", "c1", "--tenant", "acme")
		if code != exitFailed || !strings.Contains(said, "the beginning is missing") || !strings.Contains(said, "168h") {
			t.Errorf("without %s: exit code %d, %s", gone, code, said)
		}
	}
}
