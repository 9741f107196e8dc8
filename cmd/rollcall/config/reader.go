package config

import (
	"fmt"
	"reflect"
	"strings"

	yaml "go.yaml.in/yaml/v4"

	"rollcall/internal/safetext"
)

// reader walks the YAML beside the types of [Config]. The library's own
// decoder is strict too, but says neither the path of a key nor what it takes.
type reader struct {
	complaints Complaints
	lines      map[string]int    // by key: where it is written
	allowed    map[string]string // by key: what it takes
	refused    map[string]bool   // by key: there is a complaint about its value
	misspelt   map[string]bool   // by key: another key was written where this one was meant
}

func newReader() *reader {
	return &reader{lines: map[string]int{}, allowed: map[string]string{}, refused: map[string]bool{}, misspelt: map[string]bool{}}
}

// add complains about a place in the file.
func (r *reader) add(line int, key, problem string) {
	r.complaints = append(r.complaints, Complaint{Line: line, Key: key, Problem: problem})
}

// refuse complains about the value of a key, once: what could not be read is
// not also impossible, nor is what stands in it missing.
func (r *reader) refuse(key, problem string) {
	for k := key; k != ""; k = parent(k) {
		if r.refused[k] {
			return
		}
	}
	r.refused[key] = true
	if allowed := r.allowed[key]; allowed != "" {
		problem += "; allowed: " + allowed
	}
	r.add(r.line(key), key, problem)
}

// line is where a key is written, or the section in which it is missing.
func (r *reader) line(key string) int {
	for k := key; k != ""; k = parent(k) {
		if line, ok := r.lines[k]; ok {
			return line
		}
	}
	return 1
}

// parent is the key of the section or the list that holds the key.
func parent(key string) string { return key[:max(strings.LastIndexAny(key, ".["), 0)] }

// join is the path of a key in a section.
func join(section, key string) string {
	if section == "" {
		return key
	}
	return section + "." + key
}

// allowAll notes what the keys of a section take, written or not.
func (r *reader) allowAll(section string, t reflect.Type) {
	for i := range t.NumField() {
		field := t.Field(i)
		key := join(section, field.Tag.Get("yaml"))
		r.allowed[key] = field.Tag.Get("allow")
		if field.Type.Kind() == reflect.Struct {
			r.allowAll(key, field.Type)
		}
	}
}

// value reads n into v. A null leaves the default: it is a key whose value
// was commented out.
func (r *reader) value(key string, n *yaml.Node, v reflect.Value) {
	switch {
	case n.Kind == yaml.AliasNode || n.Anchor != "":
		r.refuse(key, "is given by an anchor or an alias (& or *): write the value out")
	case n.Style&yaml.TaggedStyle != 0:
		r.refuse(key, "has a YAML tag (!): write the value without it")
	case n.Kind == yaml.ScalarNode && n.Tag == "!!null":
	case v.Kind() == reflect.Struct:
		r.section(key, n, v)
	case v.Kind() == reflect.Slice:
		r.list(key, n, v)
	case n.Kind != yaml.ScalarNode:
		r.refuse(key, "is a "+shape(n)+" where a single value belongs")
	default:
		r.scalar(key, n.Value, n.Tag, v)
	}
}

func shape(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "section of keys"
	case yaml.SequenceNode:
		return "list"
	}
	return "single value"
}

// list reads a sequence; a tenant in it starts from a tenant's defaults.
func (r *reader) list(key string, n *yaml.Node, v reflect.Value) {
	if n.Kind != yaml.SequenceNode {
		r.refuse(key, "is a "+shape(n)+" where a list belongs")
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), len(n.Content), len(n.Content)))
	for i, item := range n.Content {
		at := fmt.Sprintf("%s[%d]", key, i)
		r.lines[at] = item.Line
		if tenant, ok := v.Index(i).Addr().Interface().(*Tenant); ok {
			*tenant = TenantDefaults()
			r.allowAll(at, v.Type().Elem())
		}
		r.value(at, item, v.Index(i))
	}
}

// section reads a mapping into a struct.
func (r *reader) section(path string, n *yaml.Node, v reflect.Value) {
	fields := fieldsOf(v)
	if n.Kind != yaml.MappingNode {
		r.refuse(path, "is a "+shape(n)+" where keys with values belong"+fields.hint(""))
		return
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		r.entry(path, n.Content[i], n.Content[i+1], fields)
	}
}

// entry reads one key of a section with its value.
func (r *reader) entry(section string, name, value *yaml.Node, fields sectionFields) {
	shown := safetext.Field(name.Value, 40)
	if name.Kind != yaml.ScalarNode {
		shown = shape(name)
	}
	key := join(section, shown)
	field, known := fields.byKey[name.Value]
	if name.Kind != yaml.ScalarNode || !known {
		near := nearest(name.Value, fields.names)
		r.misspelt[join(section, near)] = true
		r.add(name.Line, key, "no such key"+fields.hint(near))
		return
	}
	if first, twice := r.lines[key]; twice {
		r.add(name.Line, key, fmt.Sprintf("is given twice, first in line %d; allowed: once", first))
		return
	}
	r.lines[key] = name.Line
	r.value(key, value, field)
}

// sectionFields are the keys that a section takes.
type sectionFields struct {
	names []string // in the order of the type
	byKey map[string]reflect.Value
}

func fieldsOf(v reflect.Value) sectionFields {
	fields := sectionFields{byKey: map[string]reflect.Value{}}
	for i := range v.NumField() {
		name := v.Type().Field(i).Tag.Get("yaml")
		fields.names = append(fields.names, name)
		fields.byKey[name] = v.Field(i)
	}
	return fields
}

// hint says which key was probably meant, if any, and which there are.
func (f sectionFields) hint(near string) string {
	all := "allowed here: " + strings.Join(f.names, ", ")
	if near != "" {
		return "; did you mean " + near + "? " + all
	}
	return "; " + all
}
