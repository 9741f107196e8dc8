package consumetest_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"rollcall"
	"rollcall/consume"
	"rollcall/consume/consumetest"
	"rollcall/internal/natstest"
)

func scenario(t *testing.T, name string) consumetest.Sequence {
	t.Helper()
	s, err := consumetest.Scenario(name)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// folded folds the sequence as a consumer does that awaits what is missing.
func folded(t *testing.T, s consumetest.Sequence) (rosters map[string][]rollcall.Participant, gaps, newer, unknown int) {
	t.Helper()
	held := map[string]*consume.Roster{}
	early := map[string][]consume.Event{}
	for _, m := range s {
		e, err := consume.Parse(m.Data)
		if errors.Is(err, consume.ErrNewer) {
			newer++
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if !e.Known() {
			unknown++
		}
		r := held[e.ConferenceID]
		if r == nil {
			r = &consume.Roster{}
			held[e.ConferenceID] = r
		}
		if _, err := r.Apply(e); err != nil {
			gaps++
			early[e.ConferenceID] = append(early[e.ConferenceID], e)
			continue
		}
		for _, e := range early[e.ConferenceID] {
			_, _ = r.Apply(e)
		}
	}
	rosters = map[string][]rollcall.Participant{}
	for id, r := range held {
		rosters[id] = r.People()
	}
	return rosters, gaps, newer, unknown
}

// Every fault of every scenario leads a right consumer to the same rosters.
func TestFaultsLeadToTheSameRosters(t *testing.T) {
	for _, name := range consumetest.Scenarios() {
		s := scenario(t, name)
		for fault, faulty := range map[string]consumetest.Sequence{
			"none": s, "repeat": s.Repeat(), "reorder": s.Reorder(1), "new epoch": s.NewEpoch(),
			"unknown type": s.UnknownType(2), "newer schema": s.NewerSchema(3),
		} {
			got, gaps, newer, unknown := folded(t, faulty)
			if diff := cmp.Diff(s.Rosters(), got, cmpopts.EquateEmpty()); diff != "" && fault != "new epoch" {
				t.Errorf("%s with %s:\n%s", name, fault, diff)
			}
			if diff := cmp.Diff(faulty.Rosters(), got, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("%s with %s:\n%s", name, fault, diff)
			}
			if newer > 0 != (fault == "newer schema") || unknown > 0 != (fault == "unknown type") || gaps > 0 && fault != "reorder" {
				t.Errorf("%s with %s: %d gaps, %d newer, %d unknown", name, fault, gaps, newer, unknown)
			}
		}
		if _, gaps, _, _ := folded(t, s.Gap(0)); gaps == 0 {
			t.Errorf("%s: a gap that nobody sees", name)
		}
		var packed bytes.Buffer
		if err := s.Pack(&packed); err != nil {
			t.Fatal(err)
		}
		again, err := consumetest.Unpack(&packed)
		if diff := cmp.Diff(s, again); diff != "" || err != nil {
			t.Errorf("%s: %v\n%s", name, err, diff)
		}
	}
	if _, err := consumetest.Scenario("nothing"); err == nil || !strings.Contains(err.Error(), "town-hall") {
		t.Error(err)
	}
}

func TestANewEpochFindsWhatWasThere(t *testing.T) {
	s := scenario(t, "kick-and-return")[:6]
	faulty := s.NewEpoch()
	if len(faulty) == len(s) || faulty.Events()[len(s)].Sequence != 1 {
		t.Fatalf("%d messages after %d", len(faulty), len(s))
	}
	if diff := cmp.Diff(s.Rosters(), faulty.Rosters(), cmpopts.EquateEmpty()); diff != "" {
		t.Error(diff)
	}
}

// What is put in a stream is what Watch finds there, in 1,500 meetings too, and
// also where an event is missing or a record is partial.
func TestWatchFindsWhatIsPut(t *testing.T) {
	s := scenario(t, "two-devices")
	partial, err := s[:4].PartialRecord()
	if err != nil || len(partial) != 5 {
		t.Fatalf("%d messages, %v", len(partial), err)
	}
	for name, put := range map[string]consumetest.Sequence{"many": s[:4].Many(1500), "gap": s[:9], "partial": append(partial, s[4:9]...)} {
		t.Run(name, func(t *testing.T) {
			want := put.Rosters()
			whole := put
			if name != "partial" {
				if whole, err = put.WithRecords(); err != nil {
					t.Fatal(err)
				}
			}
			if name == "gap" {
				whole = whole.Gap(2)
			}
			server := natstest.Start(t)
			js := server.JetStream(t)
			if err := whole[:1].Put(t.Context(), js); err != nil {
				t.Fatal(err)
			}
			meetings, err := consume.Watch(t.Context(), js.Conn(), consume.Options{})
			if err != nil {
				t.Fatal(err)
			}
			<-meetings.Synced()
			if err := whole[1:].Put(t.Context(), js); err != nil {
				t.Fatal(err)
			}
			limit := time.Now().Add(time.Minute)
			for diff := "x"; diff != ""; {
				got := map[string][]rollcall.Participant{}
				for _, m := range meetings.List() {
					got[m.ConferenceID] = m.People
				}
				if diff = cmp.Diff(want, got, cmpopts.EquateEmpty()); time.Now().After(limit) {
					t.Fatalf("%.2000s", diff)
				}
				<-time.After(20 * time.Millisecond)
			}
		})
	}
}

func ExampleScenario() {
	s, err := consumetest.Scenario("two-devices")
	if err != nil {
		panic(err)
	}
	var r consume.Roster
	for _, m := range s[:4].Repeat() { // your consumer in place of the roster
		e, _ := consume.Parse(m.Data)
		_, _ = r.Apply(e)
	}
	fmt.Println(r.Present())
	// Output: 2
}
