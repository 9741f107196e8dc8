package scenario

import (
	"strconv"
	"time"

	yaml "go.yaml.in/yaml/v4"

	"rollcall/internal/safetext"
	"rollcall/internal/strictyaml"
)

// Complaint is one mistake in a file.
type Complaint = strictyaml.Complaint

// Complaints is the error of [Load]: every mistake, in the order of the lines.
type Complaints = strictyaml.Complaints

// maxBytes is the size of the largest file that is read.
const maxBytes = 1 << 20

// reader walks a file and gathers what is wrong with it.
type reader struct{ *strictyaml.Reader }

// key is one key that a section takes. read returns what is wrong with a value;
// "" for nothing, or if it has complained itself.
type key struct {
	name, allowed string
	read          func(path string, n *yaml.Node) string
}

// section reads the keys of a mapping, and reports which were written.
func (r reader) section(path string, n *yaml.Node, keys []key) map[string]bool {
	all := make([]strictyaml.Key, len(keys))
	for i, k := range keys {
		all[i] = strictyaml.Key{Name: k.name, Allowed: k.allowed, Read: k.read}
	}
	return r.Section(path, n, all)
}

// each reads the items of a list.
func (r reader) each(item func(path string, n *yaml.Node)) func(string, *yaml.Node) string {
	return func(path string, n *yaml.Node) string {
		r.List(path, n, func(_ int, at string, n *yaml.Node) string {
			item(at, n)
			return ""
		})
		return ""
	}
}

// demand complains of keys that must be there.
func (r reader) demand(path string, written map[string]bool, names ...string) {
	for _, name := range names {
		if !written[name] {
			r.Missing(strictyaml.Join(path, name), "is missing")
		}
	}
}

// scalar reads a single value through parse, which returns false for a bad one.
func scalar[T any](target *T, parse func(string) (T, bool)) func(string, *yaml.Node) string {
	return func(_ string, n *yaml.Node) string {
		if n.Kind != yaml.ScalarNode {
			return "is " + strictyaml.Shape(n) + " where a single value belongs"
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
