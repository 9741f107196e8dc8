package scenario

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	yaml "go.yaml.in/yaml/v4"

	"rollcall/internal/safetext"
	"rollcall/simulator"
)

// maxRepeat is how often a step can be repeated: a meeting lists no more people.
const maxRepeat = 500

// Step is an act or a fault at an instant, or an act that is repeated.
type Step struct {
	Line   int           // of the file
	At     time.Duration // since the clock of the scenario started
	Repeat int           // how often the act happens, from 1
	Over   time.Duration // the span over which the repetitions are spread
	Act    simulator.Act // its verb is "" for a fault
	Fault  simulator.Fault
	// Loose says that the step may fall together with others in one poll, or
	// not; what is expected has to allow both.
	Loose bool

	path string
	bad  bool // it was complained of
}

// IsFault says that the step is a fault.
func (s Step) IsFault() bool { return s.Fault.Name != "" }

// end is when the last of the step has happened; a fault ends with its For.
func (s Step) end() time.Duration {
	if s.IsFault() {
		return s.At + s.Fault.For
	}
	return s.instant(s.Repeat - 1)
}

// instant is when the n-th repetition happens, counted from 0.
func (s Step) instant(n int) time.Duration {
	return s.At + s.Over*time.Duration(n)/time.Duration(max(s.Repeat, 1))
}

// act is what the n-th repetition does, counted from 0.
func (s Step) act(n int) simulator.Act {
	act, number := s.Act, fmt.Sprintf("%03d", n+1)
	act.UserID = strings.ReplaceAll(act.UserID, "{n}", number)
	act.Nick = strings.ReplaceAll(act.Nick, "{n}", number)
	return act
}

// String returns the step as a line that is safe to show. It names people by
// their id, or not at all.
func (s Step) String() string {
	if s.IsFault() {
		return s.Fault.Name + " befalls " + orText(string(s.Fault.Operation), "every") + " call" + s.extent()
	}
	words := []string{s.Act.ConferenceID + ":", s.Act.Verb}
	switch {
	case s.Repeat > 1:
		words = append(words, s.act(0).UserID, "to", s.act(s.Repeat-1).UserID)
	case s.Act.UserID != "":
		words = append(words, s.Act.UserID)
	case s.Act.Nick != "":
		words = append(words, "somebody without an id")
	}
	if s.Over > 0 {
		words = append(words, "over", s.Over.String())
	}
	return safetext.Line(strings.Join(words, " "))
}

func (s Step) extent() string {
	var b strings.Builder
	if s.Fault.Times > 0 {
		fmt.Fprintf(&b, " %d times", s.Fault.Times)
	}
	if s.Fault.For > 0 {
		fmt.Fprintf(&b, " for %s", s.Fault.For)
	}
	return b.String()
}

func orText(word, otherwise string) string {
	if word == "" {
		return otherwise
	}
	return word
}

func (r reader) step(path string, n *yaml.Node) Step {
	step, before := Step{Line: n.Line, Repeat: 1, path: path}, r.Count()
	keys := append([]key{
		{"at", "a duration from 0s, such as 20s", span(&step.At, 0)},
		{"loose", "true or false", truth(&step.Loose)},
		{"repeat", "a number from 1 to 500", count(&step.Repeat, 1, maxRepeat)},
		{"over", "a duration, such as 60s", span(&step.Over, 0)},
	}, append(actKeys(&step.Act), faultKeys(&step.Fault)...)...)
	if n.Kind == yaml.MappingNode && has(n, "fault") {
		keys = append(keys[:2], faultKeys(&step.Fault)...)
	} else if n.Kind == yaml.MappingNode && has(n, "act") {
		keys = append(keys[:4], actKeys(&step.Act)...)
	}
	written := r.section(path, n, keys)
	r.demand(path, written, "at")
	if !written["act"] && !written["fault"] {
		r.Add(n.Line, path, "says neither act nor fault; allowed: one of them")
	}
	if step.Over > 0 && step.Repeat == 1 {
		r.Add(n.Line, path+".over", "goes with repeat, which says how often; allowed: both or none")
	}
	step.bad = r.Count() > before
	return step
}

// person reads somebody who is there at the beginning: a userId, or an act.
func (r reader) person(path string, n *yaml.Node) Step {
	step, before := Step{Line: n.Line, Repeat: 1, path: path}, r.Count()
	step.Act.Verb = "join"
	if n.Kind == yaml.ScalarNode {
		step.Act.UserID = n.Value
		return step
	}
	r.section(path, n, append([]key{{"repeat", "a number from 1 to 500", count(&step.Repeat, 1, maxRepeat)}}, actKeys(&step.Act)...))
	step.bad = r.Count() > before
	return step
}

func has(n *yaml.Node, name string) bool {
	for i := 0; i < len(n.Content); i += 2 {
		if n.Content[i].Value == name {
			return true
		}
	}
	return false
}

// actKeys are those of POST /_sim/act that make sense in a file.
func actKeys(act *simulator.Act) []key {
	return []key{
		{"act", "a verb of the simulator, see rollcall simulate and GET /_sim/", scalar(&act.Verb, func(word string) (string, bool) { return word, word != "" && word != "create" })},
		{"conferenceId", "the conferenceId of a meeting", text(&act.ConferenceID)},
		{"userId", "a text", text(&act.UserID)},
		{"nick", "a text", text(&act.Nick)},
		{"device", "a number from 1", count(&act.Device, 1, maxRepeat)},
		{"rejectDescription", "a text", text(&act.RejectDescription)},
		{"title", "a text", text(&act.Title)},
		{"startTime", "a time, such as 2026-08-03T10:00:00Z", scalar(&act.StartTime, func(word string) (time.Time, bool) {
			t, err := time.Parse(time.RFC3339, word)
			return t, err == nil
		})},
		{"drop", "true or false", truth(&act.Drop)},
		{"endStyle", "status, omitted or resource_closed", text(&act.EndStyle)},
	}
}

// faultKeys are those of POST /_sim/fault.
func faultKeys(f *simulator.Fault) []key {
	return []key{
		{"fault", "a fault of the simulator, see GET /_sim/", text(&f.Name)},
		{"operation", "an operation of the simulator, see GET /_sim/", text(&f.Operation)},
		{"times", "a number from 1", count(&f.Times, 1, 1e6)},
		{"for", "a duration, such as 40s", span(&f.For, 0)},
		{"probability", "a number above 0, up to 1", scalar(&f.Probability, share)},
		{"status", "an HTTP status from 200 to 599", count(&f.Status, 200, 599)},
		{"capitals", "true or false", truth(&f.Capitals)},
		{"retryAfter", "a duration, such as 2s", span(&f.RetryAfter, 0)},
		{"delay", "a duration, such as 300ms", span(&f.Delay, 0)},
		{"bytes", "a number from 0", count(&f.Bytes, 0, 1<<30)},
	}
}

func share(word string) (float64, bool) {
	p, err := strconv.ParseFloat(word, 64)
	return p, err == nil && p > 0 && p <= 1
}
