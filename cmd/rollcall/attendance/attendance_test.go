package attendance_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rollcall"
	"rollcall/cmd/rollcall/attendance"
	"rollcall/consume"
	"rollcall/internal/safetext"
	"rollcall/wire"
)

var update = flag.Bool("update", false, "write the golden files anew")

// story is the events of a meeting in which strangers have bad names.
func story(t *testing.T) []consume.Event {
	t.Helper()
	zone := begin
	var events []consume.Event
	add := func(after, before int, kind rollcall.Type, key, nick string, change func(*rollcall.Event)) {
		e := rollcall.Event{
			Tenant: "acme", ConferenceID: "6f1a2b", Epoch: zone.UnixMilli(), Sequence: uint64(len(events) + 1), Type: kind,
			Time: at(before), Index: 1, Count: 1, Meeting: rollcall.Conference{Title: "周会", Status: rollcall.StatusStarted, Present: 1},
			Provenance: rollcall.ProvenanceObserved, Window: rollcall.Window{After: at(after), Before: at(before)},
		}
		if key != "" {
			e.Participant = &rollcall.Participant{Key: key, UserID: key, Nick: nick, Attendance: rollcall.AttendancePresent, Mic: rollcall.DeviceClosed, Camera: rollcall.DeviceClosed, Session: 1}
		}
		if change != nil {
			change(&e)
		}
		read, err := consume.Parse(wire.AppendEvent(nil, &e))
		if err != nil {
			t.Fatal(err)
		}
		events = append(events, read)
	}
	found := func(e *rollcall.Event) { e.Provenance, e.Window.After = rollcall.ProvenanceBaseline, time.Time{} }
	add(0, 15_400, rollcall.MeetingStarted, "", "", func(e *rollcall.Event) { found(e); e.Exact, e.Time = true, at(2_000) })
	add(0, 15_400, rollcall.ParticipantJoined, "u1", "张伟", found)
	add(15_000, 30_250, rollcall.ParticipantJoined, "u2", "=HYPERLINK(\"http://evil\")", nil)
	add(15_000, 30_250, rollcall.ParticipantMicOpened, "u2", "=HYPERLINK(\"http://evil\")", nil)
	add(30_000, 45_100, rollcall.ParticipantMicClosed, "u2", "=HYPERLINK(\"http://evil\")", nil)
	add(30_000, 45_100, rollcall.ParticipantLeft, "u2", "=HYPERLINK(\"http://evil\")", nil)
	add(60_000, 75_000, rollcall.ParticipantJoined, "u2", "=HYPERLINK(\"http://evil\")", nil)
	add(75_000, 90_000, rollcall.ParticipantKickedOut, "u2", "=HYPERLINK(\"http://evil\")", nil)
	add(75_000, 90_000, rollcall.ParticipantJoined, "u3", "Eve\u202e\t,＝1+1", func(e *rollcall.Event) { e.Provenance = rollcall.ProvenanceInferred })
	add(75_000, 90_000, rollcall.ParticipantLeft, "u3", "Eve\u202e\t,＝1+1", nil)
	return events
}

// golden holds what is written against a file in testdata; -update writes it.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s:\n%s\nwant:\n%s", name, got, want)
	}
}

func TestWhatIsWritten(t *testing.T) {
	m, err := attendance.Of(story(t), at(3_725_000))
	if err != nil {
		t.Fatal(err)
	}
	shanghai := time.FixedZone("CST", 8*3600)
	var table bytes.Buffer
	for _, row := range append(m.Head(shanghai), m.Table(shanghai)...) {
		for _, cell := range row {
			table.WriteString(safetext.Pad(cell, 32) + " ")
		}
		table.WriteString("\n")
	}
	golden(t, "table.txt", table.Bytes())
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "meeting.json", append(text, '\n'))
	var sheet bytes.Buffer
	if err := m.WriteCSV(&sheet, shanghai); err != nil {
		t.Fatal(err)
	}
	golden(t, "meeting.csv", sheet.Bytes())
	if !bytes.HasPrefix(sheet.Bytes(), []byte("\xEF\xBB\xBF")) || bytes.Count(sheet.Bytes(), []byte("\r\n")) != 5 {
		t.Errorf("no BOM, or not five lines: %q", sheet.Bytes())
	}
}

// Whoever was forgotten leaves a hole, and whose beginning is gone cannot be told.
func TestMissingEvents(t *testing.T) {
	events := story(t)
	m, err := attendance.Of(append(events[:2:2], events[4:]...), at(100_000))
	if err != nil || m.Complete || len(m.Missing) != 1 || m.Missing[0] != (attendance.Range{Epoch: begin.UnixMilli(), From: 3, To: 4}) {
		t.Errorf("%+v, %v", m, err)
	}
	if len(m.People) != 3 || len(m.People[1].Visits) != 1 {
		t.Errorf("%+v", m.People)
	}
	_, err = attendance.Of(events[1:], at(100_000))
	missing, ok := errors.AsType[*attendance.MissingError](err)
	if !ok || missing.First != 2 || !strings.Contains(err.Error(), "the beginning is missing") {
		t.Error(err)
	}
}

// The summary's exact times take the place of windows, also where the first events
// are gone; whom it leaves out stays as seen, and what comes after it voids it.
func TestASummaryTakesThePlaceOfWhatWasSeen(t *testing.T) {
	events := story(t)
	exactly := func(ms int) rollcall.Moment { return rollcall.Moment{At: at(ms)} }
	summarized := events[0].Event
	summarized.Type, summarized.Sequence, summarized.Exact, summarized.Time = rollcall.MeetingSummarized, uint64(len(events)+1), false, summarized.Window.Before
	summarized.Meeting.Status, summarized.Provenance = rollcall.StatusEnded, rollcall.ProvenanceReconciled
	summarized.Summary = &rollcall.Summary{
		StartedAt: exactly(2_000), EndedAt: exactly(100_000), Duration: 98 * time.Second, Attended: 4, Truncated: 2, Complete: true,
		People: []rollcall.Attendee{{
			Key: "u2", UserID: "u2", Nick: "李雷", Roles: rollcall.Roles{Host: rollcall.FactTrue, Phone: rollcall.FactFalse},
			Visits: []rollcall.Visit{
				{Joined: exactly(20_000), Left: exactly(40_000), How: rollcall.DepartureLeft, Provenance: rollcall.ProvenanceObserved},
				{Joined: exactly(50_000), Left: exactly(55_000), How: rollcall.DepartureLeft, Provenance: rollcall.ProvenanceReconciled},
				{Joined: rollcall.Moment{Window: rollcall.Window{After: at(60_000), Before: at(75_000)}}, Left: exactly(80_000), How: rollcall.DepartureKickedOut, Provenance: rollcall.ProvenanceObserved},
			},
			MicOpen: rollcall.Bounds{Min: 3 * time.Second, Max: 30 * time.Second}, CameraOpen: rollcall.Bounds{Max: -1},
		}},
	}
	read, err := consume.Parse(wire.AppendEvent(nil, &summarized))
	if err != nil {
		t.Fatal(err)
	}
	m, err := attendance.Of(append(events[:len(events):len(events)], read), at(500_000))
	if err != nil || !m.Summarized || !m.Complete || len(m.People) != 3 {
		t.Fatalf("%+v, %v", m, err)
	}
	text, err := json.MarshalIndent(m.People[1], "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "summarized.json", append(text, '\n'))
	m, err = attendance.Of(append(events[3:len(events):len(events)], read), at(500_000))
	if err != nil || !m.Summarized || m.Complete || len(m.People) != 1 || m.Ended == nil || !m.Ended.At.Equal(at(100_000)) {
		t.Errorf("without the first events: %+v, %v", m, err)
	}
	again := events[0].Event
	again.Sequence, again.Reason, again.Provenance = read.Sequence+1, rollcall.ReasonReopened, rollcall.ProvenanceObserved
	reopened, err := consume.Parse(wire.AppendEvent(nil, &again))
	if err != nil {
		t.Fatal(err)
	}
	m, err = attendance.Of(append(events[:len(events):len(events)], read, reopened), at(500_000))
	if err != nil || m.Summarized || m.Ended != nil {
		t.Errorf("after it was reopened: %+v, %v", m, err)
	}
}

// dangerous is what a spreadsheet may take for a formula.
const dangerous = "=+-@\t\r＝＋－＠"

func FuzzCell(f *testing.F) {
	for _, seed := range []string{"=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "＝1", " =1", "\u00a0=1", "\u200b=1", "'=1", "a;=1", "a,\"=1", "\"=1", "\n+1", "张伟", "﹣1", "\ufeff=1", "\xff=1", "a\u3000=1"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		cell := attendance.Cell(text)
		if safetext.Line(cell) != cell {
			t.Fatalf("Cell(%q) = %q is not safe to show", text, cell)
		}
		for _, separator := range []string{",", ";", "|", "\t"} {
			for part := range strings.SplitSeq(cell, separator) {
				if bare := strings.TrimLeft(part, " \u00a0\u3000\""); bare != "" && strings.ContainsRune(dangerous, []rune(bare)[0]) {
					t.Fatalf("Cell(%q) = %q becomes a formula where %q separates cells", text, cell, separator)
				}
			}
		}
		var line bytes.Buffer
		w := csv.NewWriter(&line)
		if err := w.Write([]string{cell, "x"}); err != nil {
			t.Fatal(err)
		}
		w.Flush()
		if back, err := csv.NewReader(&line).Read(); err != nil || len(back) != 2 || back[0] != cell {
			t.Fatalf("Cell(%q) = %q is read back as %q, %v", text, cell, back, err)
		}
	})
}
