package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// interfaces names the members whose shape is a type of its own in TypeScript.
var interfaces = map[string]string{
	"meeting": "Meeting", "media": "Media", "participant": "Participant", "poll": "Poll", "window": "Window",
	"roster": "Person", "memory": "Memory", "partial": "PartialPoll",
	"summary": "Summary", "participants": "Attendee", "visits": "Visit", "micOpenMs": "Bounds", "cameraOpenMs": "Bounds",
	"startedAt": "Moment", "endedAt": "Moment", "joined": "Moment", "left": "Moment",
}

// typescript is what clients/typescript reads, from the schemas: an interface
// for each type of event, the union of them, the record and the status.
func typescript(all map[string]object) ([]byte, error) {
	w := typeWriter{named: map[string]string{}}
	events, watches := map[string]object{}, map[string]object{}
	for name, schema := range all {
		plain, err := decoded(schema)
		if err != nil {
			return nil, err
		}
		switch {
		case strings.HasPrefix(name, "event.watch."):
			watches[name] = plain
		case strings.HasPrefix(name, "event."):
			events[name] = plain
		case name == "record":
			w.declare("StoredRecord", w.members(plain))
		case name == "status":
			w.declare("Status", w.members(plain))
		}
	}
	w.union("Event", "Envelope", "Data", events)
	w.union("WatchEvent", "WatchEnvelope", "WatchData", watches)
	return w.bytes(), nil
}

// decoded is a schema as JSON says it, whatever it was made of.
func decoded(schema object) (plain object, err error) {
	text, err := indented(schema)
	if err == nil {
		err = json.Unmarshal(text, &plain)
	}
	return plain, err
}

// typeWriter collects declarations by their names.
type typeWriter struct{ named map[string]string }

func (w typeWriter) bytes() []byte {
	var text bytes.Buffer
	text.WriteString("// Code generated from contract/schemas by go generate ./contract. DO NOT EDIT.\n")
	for _, name := range slices.Sorted(maps.Keys(w.named)) {
		text.WriteString("\n" + w.named[name] + "\n")
	}
	return text.Bytes()
}

func (w typeWriter) declare(name, members string) {
	w.set(name, "export interface "+name+" "+members)
}

// set panics where one name has two shapes: they need two names in interfaces.
func (w typeWriter) set(name, text string) {
	if was := w.named[name]; was != "" && was != text {
		panic(fmt.Sprintf("generate: two shapes for the type %s:\n%s\n%s", name, was, text))
	}
	w.named[name] = text
}

// union declares an interface for each event, what their envelopes and their
// data have in common, and the type that is any of them.
func (w typeWriter) union(name, envelope, data string, events map[string]object) {
	names := slices.Sorted(maps.Keys(events))
	var heads, bodies []object
	for _, event := range names {
		head := properties(events[event])
		heads, bodies = append(heads, without(head, "data")), append(bodies, properties(head["data"].(object)))
	}
	commonHead, commonBody := common(heads), common(bodies)
	w.declare(envelope, w.members(object{"properties": commonHead, "required": events[names[0]]["required"]}))
	w.declare(data, w.members(object{"properties": commonBody, "required": properties(events[names[0]])["data"].(object)["required"]}))
	var titles []string
	for i, event := range names {
		own := without(heads[i], slices.Collect(maps.Keys(commonHead))...)
		own["data"] = object{
			"type": "object", "extends": data, "properties": without(bodies[i], slices.Collect(maps.Keys(commonBody))...),
			"required": properties(events[event])["data"].(object)["required"],
		}
		title := camel(strings.TrimPrefix(event, "event."))
		w.declare(title, "extends "+envelope+" "+w.members(object{"properties": own, "required": events[event]["required"]}))
		titles = append(titles, title)
	}
	w.set(name, "export type "+name+" =\n  | "+strings.Join(titles, "\n  | ")+";")
}

func properties(schema object) object { return schema["properties"].(object) }

func without(members object, names ...string) object {
	rest := maps.Clone(members)
	for _, name := range names {
		delete(rest, name)
	}
	return rest
}

// common are the members that all have, and alike.
func common(all []object) object {
	shared := maps.Clone(all[0])
	for _, members := range all[1:] {
		maps.DeleteFunc(shared, func(name string, schema any) bool { return !reflect.DeepEqual(schema, members[name]) })
	}
	return shared
}

// members writes an object's members, one a line.
func (w typeWriter) members(schema object) string {
	required, _ := schema["required"].([]any)
	var text strings.Builder
	text.WriteString("{\n")
	for _, name := range slices.Sorted(maps.Keys(properties(schema))) {
		mark := "?"
		if slices.Contains(required, any(name)) {
			mark = ""
		}
		fmt.Fprintf(&text, "  %s%s: %s;\n", name, mark, w.of(name, properties(schema)[name].(object)))
	}
	return text.String() + "}"
}

// of is the type of a member.
func (w typeWriter) of(name string, schema object) string {
	if fixed, ok := schema["const"]; ok {
		return literal(fixed)
	}
	if words, ok := schema["enum"].([]any); ok {
		var all []string
		for _, word := range words {
			all = append(all, literal(word))
		}
		return strings.Join(all, " | ")
	}
	var all []string
	for _, kind := range kinds(schema["type"]) {
		all = append(all, w.kind(name, kind, schema))
	}
	return strings.Join(all, " | ")
}

func kinds(said any) []any {
	if list, ok := said.([]any); ok {
		return list
	}
	return []any{said}
}

func (w typeWriter) kind(name string, kind any, schema object) string {
	switch kind {
	case "integer", "number":
		return "number"
	case "array":
		return w.of(name, schema["items"].(object)) + "[]"
	case "object":
		return w.object(name, schema)
	}
	return kind.(string) // string, boolean and null are called alike
}

func (w typeWriter) object(name string, schema object) string {
	if values, ok := schema["additionalProperties"].(object); ok {
		return "{ [name: string]: " + w.of(name, values) + " }"
	}
	inline := strings.NewReplacer("\n  ", " ", "\n", " ").Replace(w.members(schema))
	if parent, ok := schema["extends"]; ok {
		return parent.(string) + " & " + inline
	}
	title, ok := interfaces[name]
	if closed := schema["additionalProperties"] == false; closed || !ok {
		return inline
	}
	w.declare(title, w.members(schema))
	return title
}

func literal(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		panic(fmt.Sprintf("generate: %v is no literal: %v", value, err))
	}
	return string(text)
}

// camel is meeting.title_changed as MeetingTitleChanged.
func camel(word string) (name string) {
	for _, part := range strings.FieldsFunc(word, func(r rune) bool { return r == '.' || r == '_' }) {
		name += strings.ToUpper(part[:1]) + part[1:]
	}
	return name
}
