// Command events prints events of every type as rollcall puts them on the wire,
// for judges in other languages: one JSON object a line, with the message
// (subject, content type, and the bytes in base64) and, beside it, the facts
// that went in, written by encoding/json, which the envelope's encoder is not.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"

	"rollcall"
	"rollcall/internal/ledger"
	"rollcall/publisher"
	"rollcall/wire"
)

// line is what is printed of one event.
type line struct {
	Subject     string `json:"subject"`
	ContentType string `json:"contentType"`
	Data        []byte `json:"data"`
	Facts       facts  `json:"facts"`
}

// facts are an event in words that need no knowledge of the envelope.
type facts struct {
	Flavour      string  `json:"flavour"`
	Tenant       string  `json:"tenant"`
	ConferenceID string  `json:"conferenceId"`
	Epoch        int64   `json:"epoch"`
	Sequence     uint64  `json:"sequence"`
	Type         string  `json:"type"`
	Time         int64   `json:"time"` // Unix ms, as are the others; 0: none
	Index        int     `json:"index"`
	Count        int     `json:"count"`
	Title        string  `json:"title"`
	StartTime    int64   `json:"startTime"`
	Status       string  `json:"status"`
	Media        int64   `json:"media"`
	Present      int     `json:"present"`
	EndTime      int64   `json:"endTime"`
	Participant  *person `json:"participant"`

	Summary *summary `json:"summary"`

	Labels rollcall.Labels `json:"labels"`
	Exact  bool            `json:"exact"`

	Reason     string `json:"reason"`
	Provenance string `json:"provenance"`
	After      int64  `json:"after"`
	Before     int64  `json:"before"`
}

type person struct {
	Key               string `json:"key"`
	UserID            string `json:"userId"`
	Nick              string `json:"nick"`
	Attendance        string `json:"attendance"`
	Mic               string `json:"mic"`
	Camera            string `json:"camera"`
	RejectDescription string `json:"rejectDescription"`
	Session           int    `json:"session"`

	Roles map[string]bool `json:"roles"` // those that are known
}

func main() {
	out := bufio.NewWriter(os.Stdout)
	encoder := json.NewEncoder(out)
	for _, flavour := range flavours() {
		for i, kind := range rollcall.Types() {
			if err := encode(encoder, flavour, i, kind); err != nil {
				fmt.Fprintf(os.Stderr, "print %s event %s: %v\n", flavour.name, kind, err)
				os.Exit(1)
			}
		}
	}
	if err := out.Flush(); err != nil {
		fmt.Fprintf(os.Stderr, "print events: %v\n", err)
		os.Exit(1)
	}
}

func encode(encoder *json.Encoder, f flavour, i int, kind rollcall.Type) error {
	e := f.event(i, kind)
	var d ledger.Draft
	if err := publisher.DraftEvents(&d, wire.Names{Stream: "MEETINGS", Prefix: "meetings"}, []rollcall.Event{e}); err != nil {
		return err
	}
	m := d.Messages[0]
	return encoder.Encode(line{m.Subject, m.ContentType, m.Data, factsOf(f.name, &e)})
}

// flavour is a kind of content; its texts take turns from event to event.
type flavour struct {
	name        string
	tenant      string
	conferences []string
	texts       []string
	users       []string
	media       rollcall.Media
	unknown     bool // whatever may be unknown is
}

func flavours() []flavour {
	long := strings.Repeat("会议", rollcall.MaxID/len("会议"))
	return []flavour{
		{
			name: "realistic", tenant: "acme", media: rollcall.MediaMuteAll,
			conferences: []string{"62f5c4e1a3b00c8d5e6f7a8b"},
			texts:       []string{"Weekly sync", "李雷", "今天有事，抱歉"},
			users:       []string{"oXk2LiPz8iSQMiE", "vcXiiPhTmiSkQiE"},
		},
		{
			name: "hostile", tenant: "a-1", media: rollcall.MediaMuteAll | rollcall.MediaMicMuted | 1<<40,
			conferences: []string{
				"meetings.event.>", "*", "a/b?c=d#e", "%2E%", "../..", `"}],"specversion":"0.3`, long, "空 白\t", "ſ💥",
			},
			texts: []string{
				"</script><script>alert(1)</script>", `"\\u0000\`, "\x00\x01\x1f\x7f\u0080", "\u2028\u2029", "\u202egnp.exe", "\xff\xfe\xed\xa0\x80",
				"null", `{"a":1}`, "a\r\nContent-Type: text/html\r\n\r\n", "e\u0301 é 👩‍👩‍👧‍👦", strings.Repeat("\x01", rollcall.MaxText), "=cmd|'/c calc'!A1",
			},
			users: []string{"", "anon:x#1", "id:anon:x#1", "a.b", "*", ">", " ", "会", "/", "__proto__"},
		},
		{
			name: "sparse", tenant: "z", unknown: true, conferences: []string{"0"}, texts: []string{""}, users: []string{""},
		},
	}
}

func at(ms int64) time.Time { return time.UnixMilli(ms).UTC() }

func pick[T any](from []T, i int) T { return from[i%len(from)] }

func (f flavour) event(i int, kind rollcall.Type) rollcall.Event {
	const epoch = 1_700_000_000_000
	before := at(epoch + int64(i)*15_001)
	e := rollcall.Event{
		Tenant: f.tenant, ConferenceID: pick(f.conferences, i), Epoch: epoch, Sequence: uint64(i) + 1, Type: kind, Time: before,
		Index: i + 1, Count: len(rollcall.Types()), Provenance: rollcall.ProvenanceBaseline, Window: rollcall.Window{Before: before},
		Meeting: rollcall.Conference{Status: rollcall.StatusInitialized},
	}
	if !f.unknown {
		e.Sequence += 999_999_999_900 // still twelve digits
		e.Time, e.Window.After = before.Add(-time.Second), before.Add(-15*time.Second)
		e.Meeting = rollcall.Conference{
			Title: pick(f.texts, i), StartTime: at(epoch - 1), Status: rollcall.StatusStarted, Media: f.media, Present: i,
			EndTime: before.Add(time.Millisecond),
		}
		e.Exact, e.Labels = i%2 == 0, rollcall.Labels{"team": rollcall.Clip(strings.ToValidUTF8(pick(f.texts, i), "")), "a.b-c_0": ""}
		e.Reason, e.Provenance = pick(reasons(), i), pick(provenances(), i)
	}
	if kind.Entity() == "participant" {
		e.Participant = f.person(i)
	}
	if kind == rollcall.MeetingSummarized {
		e.Summary = f.summary(before)
	}
	return e
}

func (f flavour) person(i int) *rollcall.Participant {
	p := &rollcall.Participant{
		UserID: pick(f.users, i), Nick: rollcall.Clip(pick(f.texts, i+1)), Attendance: rollcall.AttendanceInvited,
		Mic: rollcall.DeviceClosed, Camera: rollcall.DeviceClosed, Roles: f.roles(i),
	}
	if p.Key = p.UserID; p.Key == "" {
		p.Key = "anon:" + p.Nick + "#1"
	}
	if !f.unknown {
		p.Attendance = rollcall.Attendance(i%6 + 1)
		p.Mic, p.Camera = rollcall.Device(i%2+1), rollcall.Device(i/2%2+1)
		p.RejectDescription, p.Session = rollcall.Clip(pick(f.texts, i+2)), i
	}
	return p
}

func reasons() []rollcall.Reason {
	return []rollcall.Reason{
		rollcall.ReasonNone, rollcall.ReasonReopened, rollcall.ReasonLeft, rollcall.ReasonVanished, rollcall.ReasonCalledAgain,
		rollcall.ReasonMeetingEnded, rollcall.ReasonStatus, rollcall.ReasonResourceClosed,
	}
}

func provenances() []rollcall.Provenance {
	return []rollcall.Provenance{
		rollcall.ProvenanceBaseline, rollcall.ProvenanceObserved, rollcall.ProvenanceInferred, rollcall.ProvenanceReconciled,
	}
}

func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func factsOf(flavour string, e *rollcall.Event) facts {
	if e.Labels == nil {
		e.Labels = rollcall.Labels{}
	}
	f := facts{
		Flavour: flavour, Tenant: e.Tenant, ConferenceID: e.ConferenceID, Epoch: e.Epoch, Sequence: e.Sequence,
		Type: string(e.Type), Time: millis(e.Time), Index: e.Index, Count: e.Count, Title: e.Meeting.Title,
		StartTime: millis(e.Meeting.StartTime), EndTime: millis(e.Meeting.EndTime), Labels: e.Labels, Exact: e.Exact, Status: e.Meeting.Status.String(), Media: int64(e.Meeting.Media), Present: e.Meeting.Present,
		Reason: string(e.Reason), Provenance: string(e.Provenance), After: millis(e.Window.After), Before: millis(e.Window.Before), Summary: summaryOf(e.Summary),
	}
	if p := e.Participant; p != nil {
		f.Participant = &person{
			p.Key, p.UserID, p.Nick, p.Attendance.String(), p.Mic.String(), p.Camera.String(), p.RejectDescription, p.Session, rolesOf(p.Roles),
		}
	}
	return f
}
