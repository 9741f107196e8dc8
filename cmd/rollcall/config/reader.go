package config

import (
	"reflect"

	yaml "go.yaml.in/yaml/v4"

	"rollcall/internal/strictyaml"
)

// reader reads YAML into the types of [Config] by their tags.
type reader struct{ *strictyaml.Reader }

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
		keys = append(keys, strictyaml.Key{
			Name: tag.Get("yaml"), Allowed: tag.Get("allow"),
			Read: func(path string, n *yaml.Node) string { return r.value(path, n, v.Field(i)) },
		})
	}
	r.Section(path, n, keys)
}

// list reads a sequence; a tenant in it starts from a tenant's defaults.
func (r reader) list(key string, n *yaml.Node, v reflect.Value) {
	if n.Kind == yaml.SequenceNode {
		v.Set(reflect.MakeSlice(v.Type(), len(n.Content), len(n.Content)))
	}
	r.List(key, n, func(i int, at string, item *yaml.Node) string {
		if tenant, ok := v.Index(i).Addr().Interface().(*Tenant); ok {
			*tenant = TenantDefaults()
			r.allowAll(at, v.Type().Elem())
		}
		return r.value(at, item, v.Index(i))
	})
}
