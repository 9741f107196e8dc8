package strictyaml

import (
	"fmt"
	"slices"
	"strings"

	yaml "go.yaml.in/yaml/v4"

	"rollcall/internal/safetext"
)

// Key is one key that a section takes.
type Key struct {
	Name    string
	Allowed string // what it takes, for complaints to quote
	// Read returns what is wrong with a value; "" for nothing, or where it has
	// complained itself.
	Read func(path string, n *yaml.Node) (problem string)
}

// Value reads a value that stands for itself.
func (r *Reader) Value(path string, n *yaml.Node, read func(string, *yaml.Node) string) {
	problem := ""
	switch {
	case n.Kind == yaml.AliasNode || n.Anchor != "":
		problem = "is given by an anchor or an alias (& or *): write the value out"
	case n.Style&yaml.TaggedStyle != 0:
		problem = "has a YAML tag (!): write the value without it"
	case n.Kind != yaml.ScalarNode || n.Tag != "!!null":
		problem = read(path, n)
	case r.EmptyRefused:
		problem = "is empty"
	}
	if problem != "" {
		r.Refuse(path, problem)
	}
}

// Section reads the keys of a mapping, and reports which were written.
func (r *Reader) Section(path string, n *yaml.Node, keys []Key) (written map[string]bool) {
	written = map[string]bool{}
	if n.Kind != yaml.MappingNode {
		r.Refuse(path, "is "+Shape(n)+" where keys with values belong"+hint("", namesOf(keys)))
		return written
	}
	for _, k := range keys {
		r.Allow(Join(path, k.Name), k.Allowed)
	}
	first := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		name, value := n.Content[i], n.Content[i+1]
		at := Join(path, shownKey(name))
		if line, twice := first[name.Value]; twice {
			r.Add(name.Line, at, fmt.Sprintf("is given twice, first in line %d; allowed: once", line))
			continue
		}
		k := slices.IndexFunc(keys, func(k Key) bool { return k.Name == name.Value })
		if name.Kind != yaml.ScalarNode || k < 0 {
			near := nearest(name.Value, namesOf(keys))
			r.misspelt[Join(path, near)] = true
			r.Add(name.Line, at, "no such key"+hint(near, namesOf(keys)))
			continue
		}
		first[name.Value], r.places[at], written[name.Value] = name.Line, Place{r.File, name.Line}, true
		r.Value(at, value, keys[k].Read)
	}
	return written
}

// shownKey is a key as a path shows it.
func shownKey(name *yaml.Node) string {
	if name.Kind != yaml.ScalarNode {
		return strings.TrimPrefix(Shape(name), "a ")
	}
	return safetext.Field(name.Value, 40)
}

// hint says which key was probably meant, if any, and which there are.
func hint(near string, names []string) string {
	all := "allowed here: " + strings.Join(names, ", ")
	if near != "" {
		return "; did you mean " + near + "? " + all
	}
	return "; " + all
}

func namesOf(keys []Key) []string {
	names := make([]string, len(keys))
	for i, k := range keys {
		names[i] = k.Name
	}
	return names
}

// List reads the items of a sequence.
func (r *Reader) List(path string, n *yaml.Node, read func(i int, path string, n *yaml.Node) string) {
	if n.Kind != yaml.SequenceNode {
		r.Refuse(path, "is "+Shape(n)+" where a list belongs")
		return
	}
	for i, item := range n.Content {
		at := fmt.Sprintf("%s[%d]", path, i)
		r.places[at] = Place{r.File, item.Line}
		r.Value(at, item, func(path string, n *yaml.Node) string { return read(i, path, n) })
	}
}

// Shape says what a node is.
func Shape(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a section of keys"
	case yaml.SequenceNode:
		return "a list"
	}
	return "a single value"
}
