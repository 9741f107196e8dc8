package scenario_test

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	yaml "go.yaml.in/yaml/v4"

	"rollcall/simulator"
	"rollcall/simulator/scenario"
)

// good is a file without a mistake; its lines are changed one at a time.
const good = `name: good
poll: 10s
world: {endStyle: omitted}
meetings:
  - {conferenceId: one, people: [ann]}
  - {conferenceId: two, people: [ben]}
steps:
  - {at: 20s, act: mic_on, conferenceId: one, userId: ann}
  - {at: 40s, act: join, conferenceId: one, userId: "g{n}", repeat: 3, over: 30s}
  - {at: 90s, fault: systemError, for: 30s}
  - {at: 140s, act: leave, conferenceId: one, userId: ann}
expect:
  one:
    - meeting.started
    - participant.joined ann session=1
    - participant.joined: 3
`

func TestGoodFilesAreRead(t *testing.T) {
	s, err := scenario.Load([]byte(good))
	if err != nil {
		t.Fatal(err)
	}
	if s.Length() != 140*time.Second || s.MaxSpeed() != 10 || len(s.Steps) != 4 || len(s.Expect["one"]) != 3 {
		t.Errorf("read %s long, at most speed %g, %d steps, %d expected", s.Length(), s.MaxSpeed(), len(s.Steps), len(s.Expect["one"]))
	}
	if bulk := s.Steps[1]; bulk.String() != "one: join g001 to g003 over 30s" || bulk.Repeat != 3 {
		t.Errorf("the bulk step is %q", bulk)
	}
}

func TestEveryMistakeIsToldWithItsLine(t *testing.T) {
	for name, c := range map[string]struct {
		old, new string
		line     int
		key      string
		says     string
	}{
		"unknown key":          {"poll: 10s", "pol: 10s", 2, "pol", "no such key; did you mean poll? allowed here: name, description"},
		"unknown key below":    {"endStyle: omitted", "end: omitted", 3, "world.end", "allowed here: endStyle, maxBatch"},
		"bad name":             {"name: good", "name: Good One", 1, "name", "allowed: a word of a-z"},
		"no name":              {"name: good\n", "", 1, "name", "is missing"},
		"empty value":          {"poll: 10s", "poll:", 2, "poll", "is empty; allowed: a duration"},
		"no unit":              {"poll: 10s", "poll: 10", 2, "poll", "such as 10s"},
		"too fast a poll":      {"poll: 10s", "poll: 100ms", 2, "poll", "1s to 24h"},
		"end style":            {"endStyle: omitted", "endStyle: vanish", 1, "world", "status, omitted, resource_closed"},
		"not a list":           {"steps:\n", "steps: {at: 1s}\nmore:\n", 7, "steps", "where a list belongs"},
		"a list":               {"poll: 10s", "poll: [10s]", 2, "poll", "is a list where a single value belongs"},
		"given twice":          {"poll: 10s", "poll: 10s\npoll: 20s", 3, "poll", "given twice"},
		"anchor":               {"people: [ben]", "people: [&x ben]", 6, "meetings[1].people[0]", "write the value out"},
		"same meeting twice":   {"conferenceId: two", "conferenceId: one", 6, "meetings[1]", "each once"},
		"meeting without id":   {"conferenceId: two, ", "", 6, "meetings[1].conferenceId", "is missing"},
		"person who cannot":    {"people: [ben]", "people: [{act: leave, userId: ben}]", 6, "meetings[1].people[0]", "cannot happen"},
		"no such meeting":      {"mic_on, conferenceId: one", "mic_on, conferenceId: none", 8, "steps[0].conferenceId", "allowed: one, two"},
		"which meeting":        {"mic_on, conferenceId: one", "mic_on", 8, "steps[0].conferenceId", "allowed: one, two"},
		"no such verb":         {"act: mic_on", "act: sing", 8, "steps[0]", "camera_off"},
		"create":               {"act: mic_on", "act: create", 8, "steps[0].act", "a verb"},
		"cannot happen":        {"act: mic_on", "act: mic_off", 8, "steps[0]", "device 1 is present with microphone closed"},
		"a key of no act":      {"act: mic_on", "act: mic_on, times: 2", 8, "steps[0].times", "no such key"},
		"a key of no fault":    {"systemError", "systemError, userId: x", 10, "steps[2].userId", "no such key"},
		"act and fault":        {"act: mic_on", "fault: html, act: mic_on", 8, "steps[0].act", "no such key"},
		"neither":              {"act: mic_on, ", "", 8, "steps[0]", "neither act nor fault"},
		"no such fault":        {"systemError", "sistemError", 10, "steps[2]", "systemError"},
		"no such operation":    {"systemError", "systemError, operation: ask", 10, "steps[2]", "members"},
		"no instant":           {"at: 20s, ", "", 8, "steps[0].at", "is missing"},
		"too many":             {"repeat: 3", "repeat: 501", 9, "steps[1].repeat", "1 to 500"},
		"over what":            {"repeat: 3, ", "", 9, "steps[1].over", "goes with repeat"},
		"repeated in vain":     {`"g{n}"`, "g", 9, "steps[1]", "cannot happen"},
		"not true":             {"repeat: 3", "drop: maybe, repeat: 3", 9, "steps[1].drop", "true or false"},
		"bad time":             {"act: mic_on", "act: reschedule, startTime: soon", 8, "steps[0].startTime", "2026-08-03T10:00:00Z"},
		"too close":            {"at: 40s", "at: 35s", 9, "steps[1]", "comes 15s after what line 8 does"},
		"too close to a bulk":  {"at: 90s", "at: 61s", 10, "steps[2]", "comes 1s after what line 9 does"},
		"too close to a fault": {"at: 140s", "at: 139s", 11, "steps[3]", "loose: true"},
		"expected elsewhere":   {"  one:\n", "  three:\n", 14, "expect.three", "allowed: one, two"},
		"expected twice":       {"  one:\n", "  one: []\n  one:\n", 14, "expect.one", "given twice"},
		"no type":              {"meeting.started", "meeting.begun", 14, "expect.one[0]", "meeting.ended"},
		"nobody in particular": {"meeting.started", "meeting.started ann", 14, "expect.one[0]", "nobody in particular"},
		"no detail":            {"session=1", "visit=1", 15, "expect.one[1]", "excuse, nick, present"},
		"detail of a meeting":  {"meeting.started", "meeting.started nick=x", 14, "expect.one[0]", "allowed: present, provenance"},
		"no reason":            {"meeting.started", "meeting.started reason=why", 14, "expect.one[0]", "called_again"},
		"too many words":       {"session=1", "ben", 15, "expect.one[1]", "too many"},
		"open quote":           {"joined ann", `joined "ann`, 15, "expect.one[1]", "does not close"},
		"how often":            {"joined: 3", "joined: many", 16, "expect.one[2]", "0-5"},
		"how often backwards":  {"joined: 3", "joined: 5-3", 16, "expect.one[2]", "0-5"},
		"never":                {"joined: 3", "joined: 0", 16, "expect.one[2]", "0-5"},
		"no list of events":    {"  one:\n", "  two: 5\n  one:\n", 13, "expect.two", "a list of events"},
	} {
		t.Run(name, func(t *testing.T) {
			if strings.Count(good, c.old) != 1 {
				t.Fatalf("%q is there %d times", c.old, strings.Count(good, c.old))
			}
			_, err := scenario.Load([]byte(strings.Replace(good, c.old, c.new, 1)))
			complaints, ok := errors.AsType[scenario.Complaints](err)
			if !ok {
				t.Fatalf("it was accepted: %v", err)
			}
			if !slices.ContainsFunc(complaints, func(told scenario.Complaint) bool {
				return told.Line == c.line && told.Key == c.key && strings.Contains(told.Problem, c.says)
			}) {
				t.Errorf("want line %d: %s: …%s…, got\n%v", c.line, c.key, c.says, err)
			}
		})
	}
}

func TestAllMistakesAreToldAtOnceInTheOrderOfTheFile(t *testing.T) {
	broken := strings.NewReplacer("poll: 10s", "pol: 10s", "act: mic_on", "act: sing", "systemError", "nonsense", "session=1", "visit=1").Replace(good)
	_, err := scenario.Load([]byte(broken))
	complaints, _ := errors.AsType[scenario.Complaints](err)
	var lines []int
	for _, complaint := range complaints {
		lines = append(lines, complaint.Line)
	}
	if !slices.Equal(lines, []int{2, 8, 10, 15}) {
		t.Errorf("complaints about lines %v, want 2, 8, 10 and 15:\n%v", lines, err)
	}
}

func TestWhatIsNoScenarioIsRefused(t *testing.T) {
	for name, c := range map[string]struct{ data, says string }{
		"nothing":          {"", "the file is empty"},
		"comment":          {"# nothing", "the file is empty"},
		"not YAML":         {"name: [", "this is not YAML: did not find"},
		"text":             {"hello", "where keys with values belong"},
		"second document":  {good + "---\nname: more\n", "line 17: a second YAML document"},
		"far too large":    {strings.Repeat("#", 2<<20), "most that is read"},
		"broken afterward": {good + "---\n[", "this is not YAML"},
	} {
		if _, err := scenario.Load([]byte(c.data)); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want …%s…", name, err, c.says)
		}
	}
}

// TestEveryFieldOfAnActCanBeWritten holds the keys of a file against those of
// the control API, so that a new one is not forgotten.
func TestEveryFieldOfAnActCanBeWritten(t *testing.T) {
	_, err := scenario.Load([]byte(strings.Replace(good, "act: mic_on", "act: mic_on, nonsense: 1", 1)))
	if err == nil {
		t.Fatal("nonsense was accepted")
	}
	_, allowed, _ := strings.Cut(err.Error(), "allowed here: ")
	words := strings.Split(strings.TrimSpace(allowed), ", ")
	act := reflect.TypeFor[simulator.Act]()
	for i := range act.NumField() {
		name := act.Field(i).Tag.Get("json")
		if want := name != "people"; slices.Contains(words, name) != want { // which is for worlds of chance
			t.Errorf("key %s can be written: %v, want %v", name, !want, want)
		}
	}
}

func TestDescribedFileIsGood(t *testing.T) {
	doc, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	_, file, _ := strings.Cut(string(doc), "# A file\n//\n")
	file, _, _ = strings.Cut(file, "//\n// Acts and faults")
	file = strings.ReplaceAll(file, "//\t", "")
	if _, err := scenario.Load([]byte(file)); err != nil {
		t.Errorf("the file of the package comment:\n%v", err)
	}
}

func FuzzLoad(f *testing.F) {
	f.Add([]byte(good))
	f.Add([]byte("steps: [{at: 1s, act: join}, &a {}, *a]\nexpect: {[a]: [b], c: {d: e}}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := scenario.Load(data)
		if (s == nil) != (err != nil) {
			t.Fatalf("Load gave %v and %v", s, err)
		}
		for _, line := range strings.Split(fmt.Sprint(err), "\n") {
			if strings.ContainsAny(line, "\r\x1b\x00") {
				t.Errorf("a complaint holds controls: %q", line)
			}
		}
	})
}

// TestShelfIsReadByOthersToo: the files are plain YAML, whatever reads them.
func TestShelfIsReadByOthersToo(t *testing.T) {
	data, err := os.ReadFile(shelf + "/stand-up.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var file map[string]any
	if err := yaml.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	want := []string{"description", "expect", "meetings", "name", "poll", "steps"}
	if got := slices.Sorted(maps.Keys(file)); !slices.Equal(got, want) {
		t.Errorf("keys %v, want %v", got, want)
	}
}
