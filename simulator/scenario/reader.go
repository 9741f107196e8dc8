package scenario

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	yaml "go.yaml.in/yaml/v4"

	"rollcall/internal/safetext"
)

// reader walks a file and gathers what is wrong with it.
type reader struct{ complaints Complaints }

// key is one key that a section takes. read gives what is wrong with a value;
// "" for nothing, or if it has complained itself.
type key struct {
	name, allowed string
	read          func(path string, n *yaml.Node) string
}

func (r *reader) add(line int, path, problem string) {
	r.complaints = append(r.complaints, Complaint{line, safetext.Line(path), safetext.Line(problem)})
}

// section reads the keys of a mapping, and says which were written.
func (r *reader) section(path string, n *yaml.Node, keys []key) map[string]bool {
	written := map[string]bool{}
	if n.Kind != yaml.MappingNode {
		r.add(n.Line, path, "is "+shape(n)+" where keys with values belong; allowed: "+namesOf(keys))
		return written
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		name := n.Content[i]
		at := join(path, safetext.Field(name.Value, 40))
		if written[name.Value] {
			r.add(name.Line, at, "is given twice; allowed: once")
			continue
		}
		written[name.Value] = true
		r.entry(at, name, n.Content[i+1], keys)
	}
	return written
}

func (r *reader) entry(at string, name, value *yaml.Node, keys []key) {
	i := slices.IndexFunc(keys, func(k key) bool { return k.name == name.Value })
	if name.Kind != yaml.ScalarNode || i < 0 {
		r.add(name.Line, at, "no such key; allowed here: "+namesOf(keys))
		return
	}
	problem := veiled(value)
	if problem == "" {
		problem = keys[i].read(at, value)
	}
	if problem != "" {
		r.add(value.Line, at, problem+"; allowed: "+keys[i].allowed)
	}
}

// veiled says what keeps a value from standing for itself.
func veiled(n *yaml.Node) string {
	switch {
	case n.Kind == yaml.AliasNode || n.Anchor != "" || n.Style&yaml.TaggedStyle != 0:
		return "has an anchor, an alias or a tag (&, *, !): write the value out"
	case n.Kind == yaml.ScalarNode && n.Tag == "!!null":
		return "is empty"
	}
	return ""
}

// each reads the items of a list.
func (r *reader) each(item func(path string, n *yaml.Node)) func(string, *yaml.Node) string {
	return func(path string, n *yaml.Node) string {
		if n.Kind != yaml.SequenceNode {
			return "is " + shape(n) + " where a list belongs"
		}
		for i, content := range n.Content {
			at := fmt.Sprintf("%s[%d]", path, i)
			if problem := veiled(content); problem != "" {
				r.add(content.Line, at, problem)
				continue
			}
			item(at, content)
		}
		return ""
	}
}

// demand complains of keys that must be there.
func (r *reader) demand(line int, path string, written map[string]bool, names ...string) {
	for _, name := range names {
		if !written[name] {
			r.add(line, join(path, name), "is missing")
		}
	}
}

// scalar reads a single value through parse, which gives false for a bad one.
func scalar[T any](target *T, parse func(string) (T, bool)) func(string, *yaml.Node) string {
	return func(_ string, n *yaml.Node) string {
		if n.Kind != yaml.ScalarNode {
			return "is " + shape(n) + " where a single value belongs"
		}
		value, ok := parse(n.Value)
		if !ok {
			return "is " + strconv.Quote(safetext.Field(n.Value, 40))
		}
		*target = value
		return ""
	}
}

func text[T ~string](target *T) func(string, *yaml.Node) string {
	return scalar(target, func(word string) (T, bool) { return T(word), word != "" })
}

func truth(target *bool) func(string, *yaml.Node) string {
	return scalar(target, func(word string) (bool, bool) { return word == "true", word == "true" || word == "false" })
}

func count(target *int, least, most int) func(string, *yaml.Node) string {
	return scalar(target, func(word string) (int, bool) {
		n, err := strconv.Atoi(word)
		return n, err == nil && n >= least && n <= most
	})
}

// maxSpan is the longest duration of a file: everything beyond is a slip.
const maxSpan = 24 * time.Hour

func span(target *time.Duration, least time.Duration) func(string, *yaml.Node) string {
	return scalar(target, func(word string) (time.Duration, bool) {
		d, err := time.ParseDuration(word)
		return d, err == nil && d >= least && d <= maxSpan
	})
}

func shape(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a section of keys"
	case yaml.SequenceNode:
		return "a list"
	}
	return "a single value"
}

func namesOf(keys []key) string {
	names := make([]string, len(keys))
	for i, k := range keys {
		names[i] = k.name
	}
	return strings.Join(names, ", ")
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}
