package config

import (
	"fmt"
	"reflect"
	"strings"

	yaml "go.yaml.in/yaml/v4"

	"rollcall"
	"rollcall/internal/strictyaml"
)

// reader reads YAML into the types of [Config] by their tags.
type reader struct {
	*strictyaml.Reader
	labelled map[string]rollcall.Labels // of meetings, by the place where they are written
}

// join is the path of a key in a section.
func join(section, key string) string { return strictyaml.Join(section, key) }

// allowAll notes what the keys of a section take, written or not.
func (r reader) allowAll(section string, t reflect.Type) {
	for i := range t.NumField() {
		field := t.Field(i)
		key := join(section, field.Tag.Get("yaml"))
		r.Allow(key, field.Tag.Get("allow"))
		if field.Type.Kind() == reflect.Struct {
			r.allowAll(key, field.Type)
		}
	}
}

// value reads n into v, and returns what is wrong with it.
func (r reader) value(key string, n *yaml.Node, v reflect.Value) string {
	switch {
	case v.Kind() == reflect.Struct:
		r.section(key, n, v)
	case v.Kind() == reflect.Map:
		r.labels(key, n, v)
	case v.Kind() == reflect.Slice:
		r.list(key, n, v)
	case n.Kind != yaml.ScalarNode:
		return "is " + strictyaml.Shape(n) + " where a single value belongs"
	default:
		return scalar(n.Value, n.Tag, v)
	}
	return ""
}

// section reads a mapping into a struct.
func (r reader) section(path string, n *yaml.Node, v reflect.Value) {
	var keys []strictyaml.Key
	for i := range v.NumField() {
		tag := v.Type().Field(i).Tag
		if tag.Get("yaml") == "-" {
			continue
		}
		keys = append(keys, strictyaml.Key{
			Name: tag.Get("yaml"), Allowed: tag.Get("allow"),
			Read: func(path string, n *yaml.Node) string { return r.value(path, n, v.Field(i)) },
		})
	}
	r.Section(path, n, keys)
}

// defaults puts what holds where nothing is said into an item of a list.
func defaults(item any) {
	switch item := item.(type) {
	case *Tenant:
		*item = TenantDefaults()
	case *ForwardTarget:
		*item = TargetDefaults()
	case *ForwardRoute:
		*item = RouteDefaults()
	}
}

// list reads a sequence.
func (r reader) list(key string, n *yaml.Node, v reflect.Value) {
	if n.Kind == yaml.SequenceNode {
		v.Set(reflect.MakeSlice(v.Type(), len(n.Content), len(n.Content)))
	}
	r.List(key, n, func(i int, at string, item *yaml.Node) string {
		if v.Type().Elem().Kind() == reflect.Struct {
			return r.item(at, item, v.Index(i))
		}
		if item.Kind == yaml.MappingNode && strings.HasSuffix(key, ".track.conferences") {
			return r.conference(at, item, v.Index(i))
		}
		return r.value(at, item, v.Index(i))
	})
}

// item reads a section of a list, beginning with its defaults.
func (r reader) item(at string, n *yaml.Node, v reflect.Value) string {
	defaults(v.Addr().Interface())
	if tenant, is := v.Addr().Interface().(*Tenant); is {
		tenant.Members = "" // its calls are not read yet
	}
	r.allowAll(at, v.Type())
	if address, is := v.Addr().Interface().(*ForwardAddress); is && n.Kind == yaml.ScalarNode {
		return scalar(n.Value, n.Tag, reflect.ValueOf(&address.URLFile).Elem())
	}
	return r.value(at, n, v)
}

// conference reads a meeting that is written as a section into its id; its labels
// are put in their place when all is read.
func (r reader) conference(at string, n *yaml.Node, id reflect.Value) string {
	var written conference
	problem := r.value(at, n, reflect.ValueOf(&written).Elem())
	id.SetString(written.ID)
	r.labelled[at] = written.Labels
	return problem
}

// label returns each meeting the labels that are written with it.
func (r reader) label(tenants []Tenant) {
	for i := range tenants {
		track := &tenants[i].Track
		for j, id := range track.Conferences {
			labels := r.labelled[fmt.Sprintf("tenants[%d].track.conferences[%d]", i, j)]
			if labels != nil && track.Labels == nil {
				track.Labels = map[string]rollcall.Labels{}
			}
			if labels != nil {
				track.Labels[id] = labels
			}
		}
	}
}

// labels reads a mapping of texts, whose keys are the operator's.
func (r reader) labels(path string, n *yaml.Node, v reflect.Value) {
	if n.Kind != yaml.MappingNode {
		r.Refuse(path, "is "+strictyaml.Shape(n)+" where keys with values belong")
		return
	}
	labels := rollcall.Labels{}
	var keys []strictyaml.Key
	for i := 0; i+1 < len(n.Content); i += 2 {
		name := n.Content[i].Value
		keys = append(keys, strictyaml.Key{Name: name, Read: func(_ string, n *yaml.Node) string {
			if n.Kind != yaml.ScalarNode {
				return "is " + strictyaml.Shape(n) + " where a single value belongs"
			}
			labels[name] = n.Value
			if err := rollcall.CheckLabel(name, n.Value); err != nil {
				return err.Error()
			}
			return ""
		}})
	}
	r.Section(path, n, keys)
	if len(labels) > rollcall.MaxLabels {
		r.Refuse(path, fmt.Sprintf("%d labels are given", len(labels)))
	}
	if len(labels) > 0 {
		v.Set(reflect.ValueOf(labels))
	}
}
