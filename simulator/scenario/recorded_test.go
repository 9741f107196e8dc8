package scenario_test

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"rollcall"
	"rollcall/consume/consumetest"
	"rollcall/wire"
)

const (
	recordings = "../../consume/consumetest/testdata/"
	recordAnew = "record it anew: ROLLCALL_RECORD=1 go test -run Recorded ./simulator/scenario"
)

// What package consumetest holds is what every scenario expects.
func TestRecordedScenariosComeOutAsExpected(t *testing.T) {
	files, err := filepath.Glob(shelf + "/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, file := range files {
		s := load(t, file)
		all = append(all, s.Name)
		if os.Getenv("ROLLCALL_RECORD") != "" {
			synctest.Test(t, func(t *testing.T) { record(t, s.Name, comeOut(t, file)) })
			continue
		}
		events, err := consumetest.Scenario(s.Name)
		if err != nil {
			t.Errorf("%v; %s", err, recordAnew)
			continue
		}
		for _, id := range s.ConferenceIDs() {
			own := slices.DeleteFunc(events.Events(), func(e rollcall.Event) bool { return e.ConferenceID != id })
			if err := s.Check(id, own); err != nil {
				t.Errorf("%s: %v; %s", s.Name, err, recordAnew)
			}
		}
	}
	if got := consumetest.Scenarios(); os.Getenv("ROLLCALL_RECORD") == "" && !slices.Equal(got, all) {
		t.Errorf("recorded are %v, there are %v", got, all)
	}
}

func comeOut(t *testing.T, file string) (events []rollcall.Event) {
	s := load(t, file)
	ledger := perform(t, s, terms{1, s.Poll, s.Poll * 7 / 10})
	for _, m := range ledger.Messages() {
		if !strings.HasPrefix(m.Subject, names.Prefix+".event.") {
			continue
		}
		e, err := wire.DecodeEvent(m.Data)
		if err != nil {
			t.Fatal(err)
		}
		events = append(events, e)
	}
	return events
}

func record(t *testing.T, name string, events []rollcall.Event) {
	var packed bytes.Buffer
	if err := consumetest.Of(events).Pack(&packed); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(recordings+name+".jsonl.gz", packed.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}
