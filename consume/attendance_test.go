package consume_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"rollcall"
	"rollcall/consume"
	"rollcall/differ"
	"rollcall/wire"
)

// present is an answer with these people; * opens the microphone.
func present(people ...string) *rollcall.Answer {
	a := answer()
	for _, p := range people {
		e := rollcall.Entry{UserID: p, Nick: p, Attendance: rollcall.AttendancePresent, Mic: rollcall.DeviceClosed}
		if p[0] == '*' {
			e.UserID, e.Nick, e.Mic = p[1:], p[1:], rollcall.DeviceOpen
		}
		a.Entries = append(a.Entries, e)
	}
	return a
}

// attended folds the events of looks, 15 s apart, each of which takes 1 s. A nil answer
// is a meeting taken off the tracked set.
func attended(t *testing.T, a *consume.Attendance, record *rollcall.Record, looks ...*rollcall.Answer) (*rollcall.Record, time.Time) {
	t.Helper()
	at := start
	if record != nil {
		at = record.ObservedAt
	}
	for _, answer := range looks {
		at = at.Add(15 * time.Second)
		look := differ.Look{
			Tenant: "acme", ConferenceID: "c1", Kind: rollcall.SightingListed, Answer: answer,
			Number: rollcall.Number{Term: 1, Poll: uint64(at.Unix())}, AskedAt: at, AnsweredAt: at.Add(time.Second),
		}
		if answer == nil {
			look.Kind, look.Reason = rollcall.SightingUntracked, rollcall.ReasonOperator
		}
		result := differ.Diff(record, look, differ.Rules{})
		if record = result.Record; answer == nil {
			record.ObservedAt = at
		}
		for i := range result.Events {
			e, err := consume.Parse(wire.AppendEvent(nil, &result.Events[i]))
			for range 2 { // repeats do no harm
				if err == nil {
					_, err = a.Apply(e)
				}
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	return record, at
}

func at(seconds int) time.Time { return start.Add(time.Duration(seconds) * time.Second) }

func TestAttendanceTellsVisitsAndTheirBounds(t *testing.T) {
	var a consume.Attendance
	_, last := attended(t, &a, nil, present("ann"), present("ann", "*bob"), present("*ann", "bob"), present("*ann"), present("ann", "bob"))
	got := a.Visits(last.Add(time.Second))
	window := func(after, before int) rollcall.Window { return rollcall.Window{After: at(after), Before: at(before)} }
	want := []consume.Visit{
		{
			Key: "ann", UserID: "ann", Nick: "ann", Provenance: rollcall.ProvenanceBaseline, Joined: rollcall.Window{Before: at(16)},
			Stay: consume.Bounds{Min: 44 * time.Second, Max: -1}, Mic: consume.Bounds{Min: 14 * time.Second, Max: 46 * time.Second},
		},
		{
			Key: "bob", UserID: "bob", Nick: "bob", Provenance: rollcall.ProvenanceObserved, Joined: window(15, 31), Left: window(45, 61), How: consume.HowLeft,
			Stay: consume.Bounds{Min: 14 * time.Second, Max: 46 * time.Second}, Mic: consume.Bounds{Max: 31 * time.Second},
		},
		{
			Key: "bob", UserID: "bob", Nick: "bob", Provenance: rollcall.ProvenanceObserved, Joined: window(60, 76),
			Stay: consume.Bounds{Max: 16 * time.Second},
		},
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Error(diff)
	}
}

// A visit that goes on over an epoch is one visit; whoever is not found in the
// new one left in between.
func TestAttendanceOverEpochs(t *testing.T) {
	var a consume.Attendance
	record, _ := attended(t, &a, nil, present("*ann", "bob"), nil)
	if got := a.Visits(at(40)); len(got) != 2 || got[0].How != consume.HowUntracked || !got[0].Left.Before.IsZero() || got[0].Left.After != at(15) {
		t.Fatalf("after it was untracked: %+v", got)
	}
	_, last := attended(t, &a, record, present("ann"), present("ann", "bob"))
	got := a.Visits(last)
	if len(got) != 3 || got[0].Key != "ann" || got[0].How != "" || got[1].How != consume.HowUntracked || got[2].Provenance != rollcall.ProvenanceObserved {
		t.Fatalf("%+v", got)
	}
	// When the only look of the first epoch was asked nobody knows.
	var once consume.Attendance
	record, _ = attended(t, &once, nil, present("ann"))
	record.Untracked = true // as where a batch was torn: nothing tells the end of the epoch
	record.Epoch--
	_, last = attended(t, &once, record, present("ann"))
	if got := once.Visits(last); len(got) != 1 || got[0].Mic.Max >= 0 || got[0].Camera.Max >= 0 {
		t.Errorf("after an epoch of one look: %+v", got)
	}
	if got[1].Left.Before != at(46) || got[0].Mic.Max >= 0 {
		t.Errorf("%+v", got)
	}
}
