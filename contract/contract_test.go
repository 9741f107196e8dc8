package contract_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rollcall"
	"rollcall/contract"
	"rollcall/internal/contracttest"
	"rollcall/wire"
)

// golden are the golden files, by name.
func golden(t *testing.T) map[string][]byte {
	t.Helper()
	files, err := contract.Golden.ReadDir("golden")
	if err != nil {
		t.Fatal(err)
	}
	all := map[string][]byte{}
	for _, file := range files {
		data, err := contract.Golden.ReadFile("golden/" + file.Name())
		if err != nil {
			t.Fatal(err)
		}
		all[strings.TrimSuffix(file.Name(), ".json")] = data
	}
	return all
}

// schemaOf is the name of a golden file's schema.
func schemaOf(name string) string {
	if name == "record" || name == "status" {
		return name
	}
	parts := strings.Split(name, ".")
	return "event." + parts[0] + "." + parts[1]
}

func TestGoldenEventsAreValidAndReadBack(t *testing.T) {
	schemas := contracttest.Load(t)
	all := golden(t)
	for name, data := range all {
		if err := schemas.Check(schemaOf(name), data); err != nil {
			t.Error(err)
		}
		if !strings.HasPrefix(schemaOf(name), "event.") {
			continue
		}
		if strings.HasPrefix(name, "watch.") {
			if _, err := wire.DecodeWatch(data); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if e, err := wire.DecodeEvent(data); err != nil || e.CheckTime() != nil {
			t.Errorf("%s: %v, %v", name, err, e.CheckTime())
		}
	}
	for _, typ := range rollcall.Types() {
		for _, reason := range rollcall.Reasons(typ) {
			if name := strings.TrimSuffix(string(typ)+"."+string(reason), "."); all[name] == nil {
				t.Errorf("there is no golden event %s", name)
			}
		}
	}
}

// A golden event shows its person as that event leaves it: folded into a roster
// that has the person so, it changes nothing, and whom it takes out is in none.
func TestGoldenEventsShowWhatTheyTell(t *testing.T) {
	for name, data := range golden(t) {
		e, err := wire.DecodeEvent(data)
		if err != nil || e.Participant == nil {
			continue
		}
		want := []rollcall.Participant{*e.Participant}
		if !e.Participant.Attendance.InRoster() && e.Type != rollcall.ParticipantForgotten {
			want = nil
		}
		if diff := cmp.Diff(want, rollcall.Fold([]rollcall.Participant{*e.Participant}, []rollcall.Event{e})); diff != "" {
			t.Errorf("%s: say in generate/golden.go how the person is after it (-golden +folded):\n%s", name, diff)
		}
	}
}

// What the schemas take, the decoder takes; and a member of another type, or with
// a word that is none, neither does.
func TestSchemasAndDecoderAgree(t *testing.T) {
	schemas := contracttest.Load(t)
	others := []any{"another word", 1.5, -1, true, nil, []any{}, map[string]any{}}
	all := golden(t)
	for _, name := range []string{"participant.joined", "participant.left.meeting_ended", "meeting.started", "meeting.ended.status"} {
		data := all[name]
		for _, at := range paths(decoded(t, data), nil) {
			for _, other := range others {
				event := decoded(t, data)
				put(event, at, other)
				changed, err := json.Marshal(event)
				if err != nil {
					t.Fatal(err)
				}
				_, decodeErr := wire.DecodeEvent(changed)
				schemaErr := schemas.Check(schemaOf(name), changed)
				if schemaErr == nil && decodeErr != nil && !related(at) {
					t.Errorf("%s: %s as %v is valid, and not decoded: %v", name, strings.Join(at, "."), other, decodeErr)
				}
				if schemaErr != nil && decodeErr == nil && !lenient(at, other) {
					t.Errorf("%s: %s as %v is decoded, and not valid: %v", name, strings.Join(at, "."), other, schemaErr)
				}
			}
		}
	}
}

// related are members of which a schema cannot say that they must fit others.
func related(at []string) bool {
	switch at[len(at)-1] {
	case "id", "source", "subject", "type", "sequence", "partitionkey", "epoch", "tenant", "conferenceId", "key", "index", "count", "time", "after", "before":
		return true
	}
	return false
}

// lenient are the deviations that Go's decoder passes over: members that are null
// or missing, as in what an older version has stored, and reasons that it does not know.
func lenient(at []string, other any) bool {
	return other == nil || reflect.DeepEqual(other, map[string]any{}) || at[len(at)-1] == "reason"
}

func decoded(t *testing.T, data []byte) map[string]any {
	t.Helper()
	var value map[string]any
	if err := json.Unmarshal(data, &value); err != nil {
		t.Fatal(err)
	}
	return value
}

// paths are those of all members, also of members.
func paths(value map[string]any, at []string) [][]string {
	var all [][]string
	for _, name := range slices.Sorted(maps.Keys(value)) {
		here := append(slices.Clone(at), name)
		all = append(all, here)
		if inner, ok := value[name].(map[string]any); ok {
			all = append(all, paths(inner, here)...)
		}
		if list, ok := value[name].([]any); ok {
			for _, item := range list {
				if inner, ok := item.(map[string]any); ok {
					all = append(all, paths(inner, here)...)
				}
			}
		}
	}
	slices.SortFunc(all, func(a, b []string) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
	return slices.CompactFunc(all, slices.Equal)
}

func put(value map[string]any, at []string, other any) {
	for _, name := range at[:len(at)-1] {
		value = value[name].(map[string]any)
	}
	value[at[len(at)-1]] = other
}
