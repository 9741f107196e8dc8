package explain_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"rollcall"
	"rollcall/cmd/rollcall/explain"
)

var update = flag.Bool("update", false, "write the golden file anew")

func at(seconds float64) time.Time {
	return time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC).Add(time.Duration(seconds * float64(time.Second)))
}

func person(attendance rollcall.Attendance) *rollcall.Participant {
	return &rollcall.Participant{Key: "u1", UserID: "u1", Nick: "张伟\u202e", Attendance: attendance, Mic: rollcall.DeviceClosed, Camera: rollcall.DeviceClosed, Session: 1}
}

// joined are the facts of somebody who joined between two polls 15 s apart.
func joined() explain.Facts {
	e := rollcall.Event{
		Tenant: "acme", ConferenceID: "6f1a2b", Epoch: at(0).UnixMilli(), Sequence: 17, Type: rollcall.ParticipantJoined, Time: at(15.4), Index: 2, Count: 3,
		Meeting: rollcall.Conference{Title: "周会", Status: rollcall.StatusStarted, Present: 4}, Participant: person(rollcall.AttendancePresent),
		Provenance: rollcall.ProvenanceObserved, Window: rollcall.Window{After: at(0), Before: at(15.4)},
	}
	prior := e
	prior.Type, prior.Participant = rollcall.ParticipantInvited, person(rollcall.AttendanceInvited)
	return explain.Facts{
		ID: "acme/6f1a2b/1795424400000-000000000017", Event: &e, StoredAt: at(15.45), Stream: 40, Prior: &prior, Whole: true,
		Claim: explain.Claim{Holder: "worker-1", Term: 3, At: at(-60)}, Shards: 1, Pace: 15 * time.Second,
	}
}

// The texts that auditors read, in each case that there is.
func TestWhatAuditorsRead(t *testing.T) {
	blind := func(kind rollcall.Type, after, before float64, reason rollcall.Reason) rollcall.WatchEvent {
		return rollcall.WatchEvent{Tenant: "acme", Shards: 1, Epoch: 1, Sequence: 1, Type: kind, Reason: reason, Provenance: rollcall.ProvenanceObserved, Window: rollcall.Window{After: at(after), Before: at(before)}}
	}
	cases := map[string]func(*explain.Facts){
		"the schedule": func(*explain.Facts) {},
		"the record is that of the poll": func(f *explain.Facts) {
			f.Batch, f.RecordBatch = "b1", "b1"
			f.Record = &rollcall.Record{ObservedAt: at(15), Number: rollcall.Number{Term: 3, Poll: 7}}
		},
		"the record's term is over": func(f *explain.Facts) {
			f.Batch, f.RecordBatch, f.Claim.Term = "b1", "b1", 99
			f.Record = &rollcall.Record{ObservedAt: at(15), Number: rollcall.Number{Term: 3, Poll: 7}}
		},
		"another worker since": func(f *explain.Facts) { f.Claim.Term, f.Claim.At, f.Shards, f.Shard = 99, at(60), 4, 2 },
		"nobody holds it":      func(f *explain.Facts) { f.Claim = explain.Claim{} },
		"the first look": func(f *explain.Facts) {
			f.Event.Window.After, f.Event.Provenance, f.Prior = time.Time{}, rollcall.ProvenanceBaseline, nil
		},
		"nothing known before":  func(f *explain.Facts) { f.Prior = nil },
		"the events are gone":   func(f *explain.Facts) { f.Prior, f.Whole = nil, false },
		"came and went":         func(f *explain.Facts) { f.Event.Provenance = rollcall.ProvenanceInferred },
		"a budget":              func(f *explain.Facts) { f.Event.Window.After, f.Budgeted = at(-280), true },
		"why is not recorded":   func(f *explain.Facts) { f.Event.Window.After = at(-280) },
		"the pace is not known": func(f *explain.Facts) { f.Pace = 0 },
		"it waited":             func(f *explain.Facts) { f.StoredAt = at(200) },
		"throttled, and over": func(f *explain.Facts) {
			f.Event.Window.After = at(-280)
			f.Blind = []rollcall.WatchEvent{
				blind(rollcall.WatchLost, -900, -880, rollcall.ReasonQuota), blind(rollcall.WatchResumed, -900, -600, rollcall.ReasonQuota),
				blind(rollcall.WatchLost, -280, -240, rollcall.ReasonThrottled), blind(rollcall.WatchResumed, -280, 15.4, rollcall.ReasonThrottled),
				blind(rollcall.WatchLost, 300, 310, rollcall.ReasonUnreachable),
			}
		},
		"blind, and not over": func(f *explain.Facts) {
			f.Event.Window.After = at(-280)
			f.Blind = []rollcall.WatchEvent{blind(rollcall.WatchLost, -280, -240, rollcall.ReasonUnreachable)}
		},
		"an exact end": func(f *explain.Facts) {
			end := at(10)
			f.Event.Type, f.Event.Reason, f.Event.Participant, f.Event.Exact, f.Event.Time = rollcall.MeetingEnded, rollcall.ReasonStatus, nil, true, end
			f.Event.Window.Before, f.Event.Meeting.EndTime, f.Event.Meeting.Status, f.Event.Meeting.Present = end, end, rollcall.StatusEnded, 0
			f.Prior.Meeting.Media = rollcall.MediaMuteAll
		},
		"a role": func(f *explain.Facts) {
			f.Event.Type, f.Prior.Participant = rollcall.ParticipantRoleChanged, person(rollcall.AttendancePresent)
			f.Event.Participant.Host, f.Event.Participant.Phone = rollcall.FactTrue, rollcall.FactTrue
		},
		"forgotten": func(f *explain.Facts) { f.Event.Type = rollcall.ParticipantForgotten },
		"taken off": func(f *explain.Facts) {
			f.Event.Type, f.Event.Participant, f.Event.Reason = rollcall.MeetingUntracked, nil, rollcall.ReasonOperator
		},
		"nobody looked": func(f *explain.Facts) {
			w := blind(rollcall.WatchLost, -280, -240, rollcall.ReasonThrottled)
			f.Event, f.Watch, f.Prior, f.StoredAt = nil, &w, nil, at(-239.9)
		},
		"looked at again": func(f *explain.Facts) {
			w := blind(rollcall.WatchResumed, -280, 15.4, rollcall.ReasonStopped)
			f.Event, f.Watch, f.Prior = nil, &w, nil
		},
	}
	names := make([]string, 0, len(cases))
	for name := range cases {
		names = append(names, name)
	}
	slices.Sort(names)
	var got bytes.Buffer
	for _, name := range names {
		f := joined()
		cases[name](&f)
		x := explain.Of(f, time.FixedZone("CST", 8*3600))
		fmt.Fprintf(&got, "# %s\n", name)
		for _, line := range x.Lines() {
			if strings.Contains(line[1], "\u202e") || strings.Contains(line[1], "\n") {
				t.Errorf("%s: %q is not safe", name, line[1])
			}
			fmt.Fprintf(&got, "%-7s %s\n", line[0], line[1])
		}
		got.WriteString("\n")
	}
	if *update {
		if err := os.WriteFile("testdata/auditors.txt", got.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile("testdata/auditors.txt")
	if err != nil || !bytes.Equal(got.Bytes(), want) {
		t.Errorf("%v\n%s\nwant\n%s", err, got.Bytes(), want)
	}
}

// Another shard's blindness explains nothing.
func TestAnotherShardsBlindnessIsNoReason(t *testing.T) {
	f := joined()
	for shard := range 4 {
		f.Blind = append(f.Blind, rollcall.WatchEvent{Tenant: "acme", Shard: shard, Shards: 4, Type: rollcall.WatchResumed, Reason: rollcall.ReasonAuth, Window: f.Event.Window})
	}
	if causes := explain.Of(f, time.UTC).Known.Causes; len(causes) != 1 || causes[0].Cause != explain.CauseBlind {
		t.Errorf("%+v", causes)
	}
}
