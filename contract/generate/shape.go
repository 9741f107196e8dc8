package main

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"rollcall/wire"
)

// object is a JSON object.
type object = map[string]any

// shape makes the schema of a type as encoding/json writes it. What a member may
// be beside its type stands in said, by its path, or by its name behind "*.".
type shape struct{ said map[string]object }

// of is the schema of a type at a path.
func (s shape) of(t reflect.Type, path string) object {
	schema := s.plain(t, path)
	maps.Copy(schema, s.said["*."+path[strings.LastIndexByte(path, '.')+1:]])
	maps.Copy(schema, s.said[path])
	return schema
}

func (s shape) plain(t reflect.Type, path string) object {
	switch {
	case t == reflect.TypeFor[wire.Time]():
		return object{"type": []string{"string", "null"}, "format": "date-time", "pattern": `^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$`}
	case t.Kind() == reflect.Map: // labels are the only ones
		return object{
			"type": "object", "maxProperties": maxLabels, "propertyNames": object{"pattern": labelKey},
			"additionalProperties": object{"type": "string", "maxLength": maxLabelValue},
		}
	}
	switch t.Kind() {
	case reflect.Pointer:
		return s.of(t.Elem(), path)
	case reflect.Struct:
		return s.structure(t, path)
	case reflect.Slice:
		return object{"type": "array", "items": s.of(t.Elem(), path)}
	case reflect.String:
		return object{"type": "string"}
	case reflect.Bool:
		return object{"type": "boolean"}
	case reflect.Int, reflect.Int64:
		return object{"type": "integer"}
	case reflect.Uint64:
		return object{"type": "integer", "minimum": 0}
	}
	panic(fmt.Sprintf("generate: %s is a %s: say here what its schema is", path, t))
}

func (s shape) structure(t reflect.Type, path string) object {
	properties, required := object{}, []string{}
	for field := range fields(t) {
		name, options, _ := strings.Cut(field.Tag.Get("json"), ",")
		at := strings.TrimPrefix(path+"."+name, ".")
		schema := s.of(field.Type, at)
		said, known := schema["optional"].(bool)
		optional := strings.Contains(options, "omit") || said
		delete(schema, "optional")
		if field.Type.Kind() == reflect.Pointer && !optional && !known {
			schema["type"] = []string{schema["type"].(string), "null"}
		}
		properties[name] = schema
		if !optional {
			required = append(required, name)
		}
	}
	slices.Sort(required)
	return object{"type": "object", "properties": properties, "required": required}
}

// fields are those of a structure, and of what it embeds.
func fields(t reflect.Type) func(yield func(reflect.StructField) bool) {
	return func(yield func(reflect.StructField) bool) {
		for _, field := range reflect.VisibleFields(t) {
			if !field.Anonymous && !yield(field) {
				return
			}
		}
	}
}
