package simulator

import (
	"encoding/json"
	"errors"
	"sync"
	"testing"
	"time"
)

func TestTogetherIsNeverSeenInHalves(t *testing.T) {
	s, id := staged(t, Config{})
	c := newCaller(t, s)
	present := func() (n int) {
		for _, info := range c.query(id).body["infos"].([]any) {
			for _, user := range info.(map[string]any)["userList"].([]any) {
				if user.(map[string]any)["attendStatus"] == 3.0 {
					n++
				}
			}
		}
		return n
	}
	before := present()
	var acting sync.WaitGroup
	acting.Go(func() {
		for range 100 {
			for _, verb := range []string{"join", "leave"} {
				acts := []Act{{Verb: verb, ConferenceID: id, UserID: "x"}, {Verb: verb, ConferenceID: id, UserID: "y"}}
				if _, err := s.Together(acts); err != nil {
					t.Error(err)
				}
			}
		}
	})
	for range 100 {
		if n := present() - before; n != 0 && n != 2 {
			t.Errorf("an answer shows %d of two who come together", n)
		}
	}
	acting.Wait()
}

func TestTogetherStopsAtWhatCannotHappen(t *testing.T) {
	s, id := staged(t, Config{})
	facts, err := s.Together([]Act{
		{Verb: "join", ConferenceID: id, UserID: "x"},
		{Verb: "leave", ConferenceID: id, UserID: "nobody"},
		{Verb: "join", ConferenceID: id, UserID: "y"},
	})
	if _, refused := errors.AsType[*Refusal](err); !refused || len(facts) != 1 {
		t.Errorf("Together gave %d facts and %v, want the first one and a refusal", len(facts), err)
	}
}

func TestAPlannedStartIsShownUntilTheRealOne(t *testing.T) {
	s := newStill(t, Config{Meetings: 1, Empty: true})
	id := s.ConferenceIDs()[0]
	c := newCaller(t, s)
	shown := func() any {
		var answer struct{ Infos []struct{ StartTime int64 } }
		if err := json.Unmarshal(c.query(id).raw, &answer); err != nil {
			t.Fatal(err)
		}
		return answer.Infos[0].StartTime
	}
	if got := shown(); got != int64(0) {
		t.Errorf("nobody has planned a start, shown is %v", got)
	}
	planned := time.Date(2026, 12, 24, 18, 0, 0, 0, time.FixedZone("", 3600))
	if _, err := s.Act(Act{Verb: "reschedule", ConferenceID: id, StartTime: planned}); err != nil {
		t.Fatal(err)
	}
	if got := shown(); got != planned.UnixMilli() {
		t.Errorf("the planned start is shown as %v, want %v", got, planned.UnixMilli())
	}
	if _, err := s.Act(Act{Verb: "reschedule", ConferenceID: id, StartTime: planned.UTC()}); err == nil {
		t.Error("the same start was taken for a change")
	}
	if _, err := s.Act(Act{Verb: "start", ConferenceID: id}); err != nil {
		t.Fatal(err)
	}
	if got := shown(); got != epoch.UnixMilli() {
		t.Errorf("the start is shown as %v, want %v", got, epoch.UnixMilli())
	}
}
