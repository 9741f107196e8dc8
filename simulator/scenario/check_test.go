package scenario_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"rollcall"
	"rollcall/simulator/scenario"
)

// expecting reads a scenario that expects these items of the meeting one.
func expecting(t *testing.T, items ...string) *scenario.Scenario {
	t.Helper()
	head, _, _ := strings.Cut(good, "expect:")
	s, err := scenario.Load([]byte(head + "expect:\n  one:\n    - " + strings.Join(items, "\n    - ") + "\n"))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func joined(key string) rollcall.Event {
	return rollcall.Event{
		Type: rollcall.ParticipantJoined, Provenance: rollcall.ProvenanceObserved,
		Participant: &rollcall.Participant{Key: key, Nick: strings.ToUpper(key), Session: 1},
	}
}

func left(key string) rollcall.Event {
	e := joined(key)
	e.Type, e.Reason = rollcall.ParticipantLeft, rollcall.ReasonLeft
	return e
}

func TestCheckTellsTheFirstDifference(t *testing.T) {
	ended := rollcall.Event{Type: rollcall.MeetingEnded, Reason: rollcall.ReasonStatus}
	for name, c := range map[string]struct {
		items  []string
		events []rollcall.Event
		says   string // "": no difference
	}{
		"as expected": {
			[]string{"participant.joined a nick=A session=1", "participant.left a reason=left", "meeting.ended reason=status"},
			[]rollcall.Event{joined("a"), left("a"), ended},
			"",
		},
		"nothing of something": {[]string{"participant.joined a"}, nil, "participant.joined a is expected and came 0 times; then came nothing more"},
		"somebody else":        {[]string{"participant.joined a"}, []rollcall.Event{joined("b")}, "then came participant.joined b as event 1 of 1"},
		"another reason":       {[]string{"participant.left a reason=vanished"}, []rollcall.Event{left("a")}, "then came participant.left a reason=left"},
		"another detail":       {[]string{"participant.joined a session=2"}, []rollcall.Event{joined("a")}, "session=2 is expected"},
		"one too many":         {[]string{"participant.joined a"}, []rollcall.Event{joined("a"), ended}, "nothing more is expected; then came meeting.ended reason=status as event 2 of 2"},
		"twice":                {[]string{"participant.joined a"}, []rollcall.Event{joined("a"), joined("a")}, "nothing more is expected"},
		"another order":        {[]string{"participant.joined a", "participant.joined b"}, []rollcall.Event{joined("b"), joined("a")}, "line 14: participant.joined a is expected"},
		"any order":            {[]string{"[participant.joined a, participant.joined b]"}, []rollcall.Event{joined("b"), joined("a")}, ""},
		"any order, one short": {[]string{"[participant.joined a, participant.joined b]"}, []rollcall.Event{joined("b")}, "participant.joined a is expected and came 0"},
		"counted":              {[]string{"participant.joined: 2"}, []rollcall.Event{joined("b"), joined("a")}, ""},
		"counted, short":       {[]string{"participant.joined: 2"}, []rollcall.Event{joined("b")}, "participant.joined: 2 is expected and came 1 times"},
		"counted, long":        {[]string{"participant.joined: 2"}, []rollcall.Event{joined("a"), joined("b"), joined("c")}, "nothing more is expected"},
		"mixed":                {[]string{"{participant.joined: 2, participant.left: 0-2}"}, []rollcall.Event{joined("b"), left("b"), joined("a")}, ""},
		"mixed, none":          {[]string{"{participant.joined: 2, participant.left: 0-2}"}, []rollcall.Event{joined("b"), joined("a")}, ""},
		"mixed, beyond":        {[]string{"{participant.joined: 2, participant.left: 0-1}"}, []rollcall.Event{joined("b"), left("b"), left("a"), joined("a")}, "participant.joined: 2 is expected and came 1 times; then came participant.left a"},
		"takes all it can":     {[]string{"participant.joined: 1-3", "participant.joined d"}, []rollcall.Event{joined("a"), joined("b"), joined("c"), joined("d")}, ""},
		"range told":           {[]string{"participant.joined: 2-3"}, nil, "participant.joined: 2-3 is expected"},
		"first that fits":      {[]string{"{participant.joined a: 1, participant.joined: 1}"}, []rollcall.Event{joined("a"), joined("b")}, ""},
		"quoted":               {[]string{`participant.joined "a b"`}, []rollcall.Event{joined("a b")}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			err := expecting(t, c.items...).Check("one", c.events)
			if (err != nil) != (c.says != "") || err != nil && !strings.Contains(err.Error(), c.says) {
				t.Errorf("%v, want …%s…", err, c.says)
			}
		})
	}
}

// TestAScenarioThatIsBrokenFails guards the test of all scenarios: what is not
// expected is seen.
func TestAScenarioThatIsBrokenFails(t *testing.T) {
	s := load(t, shelf+"/kick-and-return.yaml")
	items := s.Expect["workshop"]
	synctest.Test(t, func(t *testing.T) {
		events := published(t, perform(t, s, terms{10, time.Second, 0}), "workshop")
		for i := range items {
			s.Expect["workshop"] = append(append([]scenario.Expected{}, items[:i]...), items[i+1:]...)
			if s.Check("workshop", events) == nil {
				t.Errorf("nobody misses %s", items[i])
			}
		}
		for i := range events {
			s.Expect["workshop"] = items
			if s.Check("workshop", append(append([]rollcall.Event{}, events[:i]...), events[i+1:]...)) == nil {
				t.Errorf("nobody misses event %d, %s", i+1, scenario.WordOf(events[i]))
			}
		}
	})
}

func TestWordsAreWrittenAsTheyAreRead(t *testing.T) {
	for _, word := range []string{
		"meeting.started", "participant.left a.b.> reason=left", `participant.joined "anon:+86 139****0001#1" nick="x \x1b\u202e" session=2`,
		`participant.declined "x y=\"z\"" excuse=抱歉，正在开会`,
	} {
		item := expecting(t, "'"+word+"'").Expect["one"][0]
		if got := expecting(t, "'"+item.String()+"'").Expect["one"][0]; got.String() != item.String() || got.Wants[0].Word.Key != item.Wants[0].Word.Key {
			t.Errorf("%s was read as %s, and that as %s", word, item, got)
		}
	}
}
