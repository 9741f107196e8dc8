package scenario

import (
	"fmt"
	"strconv"
	"strings"

	"rollcall/internal/strictyaml"

	yaml "go.yaml.in/yaml/v4"

	"rollcall"
)

// Expected is one item of what is expected of a meeting: one event, or a group
// of events whose order is open.
type Expected struct {
	Line  int // of the file
	Wants []Want
}

// Want is one kind of event of a group, and how often it may come.
type Want struct {
	Word        Word
	Least, Most int
}

// String returns a want as a file has it.
func (w Want) String() string {
	switch {
	case w.Least == 1 && w.Most == 1:
		return w.Word.String()
	case w.Least == w.Most:
		return fmt.Sprintf("%s: %d", w.Word, w.Least)
	}
	return fmt.Sprintf("%s: %d-%d", w.Word, w.Least, w.Most)
}

// String returns an item in one line.
func (x Expected) String() string {
	parts := make([]string, len(x.Wants))
	for i, w := range x.Wants {
		parts[i] = w.String()
	}
	return strings.Join(parts, ", ")
}

// expect reads the lists of events of all meetings.
func (r reader) expect(path string, n *yaml.Node, into map[string][]Expected) {
	var keys []key
	for i := 0; i+1 < len(n.Content) && n.Kind == yaml.MappingNode; i += 2 {
		id := n.Content[i].Value
		into[id] = []Expected{}
		add := r.each(func(path string, n *yaml.Node) { into[id] = append(into[id], r.expected(path, n)) })
		keys = append(keys, key{id, "a list of events", add})
	}
	r.section(path, n, keys)
}

// expected reads one item.
func (r reader) expected(path string, n *yaml.Node) Expected {
	item := Expected{Line: n.Line}
	switch n.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			item.Wants = append(item.Wants, r.want(path, n.Content[i], n.Content[i+1].Value))
		}
	case yaml.SequenceNode:
		for _, content := range n.Content {
			item.Wants = append(item.Wants, r.want(path, content, "1"))
		}
	default:
		item.Wants = append(item.Wants, r.want(path, n, "1"))
	}
	if len(item.Wants) == 0 {
		r.Add(n.Line, path, "is empty; allowed: at least one event")
	}
	return item
}

func (r reader) want(path string, n *yaml.Node, often string) Want {
	want := Want{}
	var err error
	if n.Kind != yaml.ScalarNode {
		r.Add(n.Line, path, "is "+strictyaml.Shape(n)+" where the text of an event belongs")
		return want
	}
	if want.Word, err = parseWord(n.Value); err != nil {
		r.Add(n.Line, path, err.Error())
	}
	least, most, isRange := strings.Cut(often, "-")
	if !isRange {
		most = least
	}
	var errLeast, errMost error
	want.Least, errLeast = strconv.Atoi(least)
	want.Most, errMost = strconv.Atoi(most)
	if errLeast != nil || errMost != nil || want.Least < 0 || want.Most < max(want.Least, 1) {
		r.Add(n.Line, path, fmt.Sprintf("%q is not how often; allowed: a number from 1, or a range such as 0-5", often))
	}
	return want
}

// Check holds the events of a meeting, in the order of their sequence, against
// what is expected of it. Its error names the first difference.
func (s *Scenario) Check(conferenceID string, events []rollcall.Event) error {
	next := 0
	for _, item := range s.Expect[conferenceID] {
		counts := make([]int, len(item.Wants))
		for next < len(events) && item.take(counts, events[next]) {
			next++
		}
		for i, want := range item.Wants {
			if counts[i] < want.Least {
				return fmt.Errorf("scenario %s, meeting %s, line %d: %s is expected and came %d times; then came %s",
					s.Name, conferenceID, item.Line, want, counts[i], following(events, next))
			}
		}
	}
	if next < len(events) {
		return fmt.Errorf("scenario %s, meeting %s: nothing more is expected; then came %s", s.Name, conferenceID, following(events, next))
	}
	return nil
}

// take counts an event as the first want that means it and has room for it.
func (x Expected) take(counts []int, e rollcall.Event) bool {
	for i, want := range x.Wants {
		if counts[i] < want.Most && want.Word.Fits(e) {
			counts[i]++
			return true
		}
	}
	return false
}

// following says what came where something else was expected.
func following(events []rollcall.Event, next int) string {
	if next >= len(events) {
		return "nothing more"
	}
	return fmt.Sprintf("%s as event %d of %d", WordOf(events[next]), next+1, len(events))
}
