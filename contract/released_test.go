package contract_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"rollcall/contract"
)

// The rule of change: within schema 1 things are added. What programs that were
// written against the last release lean on is still there, and as it was.
func TestNothingIsTakenAwaySinceTheLastRelease(t *testing.T) {
	for _, complaint := range compareAll(released(t), current(t)) {
		t.Error(complaint)
	}
}

// Each member of each golden event is guarded: without it, or with another type,
// the comparison fails and names it.
func TestEveryMemberOfEveryGoldenEventIsGuarded(t *testing.T) {
	before, texts := released(t), map[string][]byte{}
	for name, schema := range current(t) {
		text, err := json.Marshal(schema)
		if err != nil {
			t.Fatal(err)
		}
		texts[name] = text
	}
	for name, data := range golden(t) {
		for _, at := range paths(decoded(t, data), nil) {
			known, _, named := place(before[schemaOf(name)], at)
			path := schemaOf(name) + ": " + named
			if known == nil {
				t.Logf("%s is new since the last release", path)
				continue
			}
			for how, spoil := range map[string]func(properties map[string]any, name string){
				"removed":         func(p map[string]any, name string) { delete(p, name) },
				"another type":    func(p map[string]any, name string) { p[name] = map[string]any{"type": "array", "items": true} },
				"one more type":   func(p map[string]any, name string) { p[name] = widened(p[name].(map[string]any)) },
				"anything at all": func(p map[string]any, name string) { p[name] = map[string]any{} },
			} {
				after := parsed(t, texts[schemaOf(name)])
				holder, key, _ := place(after, at)
				spoil(holder, key)
				complaints := compareAll(one(schemaOf(name), before[schemaOf(name)]), one(schemaOf(name), after))
				if !slices.ContainsFunc(complaints, func(c string) bool { return strings.HasPrefix(c, path+" ") }) {
					t.Errorf("%s: %s goes unnoticed: %q", path, how, complaints)
				}
			}
		}
	}
}

// Each kind of change that the rule forbids is found and named, and those that it
// allows are not.
func TestTheRuleOfChange(t *testing.T) {
	const before = `{"type":"object","required":["a"],"properties":{"a":{"type":"string","enum":["x","y"]},"b":{"type":["string","null"]},
		"c":{"const":1},"d":{"type":"array","items":{"type":"object","properties":{"e":{"type":"integer"}}}},"f":{"type":"object","additionalProperties":{"type":"string"}}}}`
	for name, c := range map[string]struct{ was, is, want string }{
		"nothing":                {`"x"`, `"x"`, ""},
		"a member":               {`"b":`, `"new":{"type":"string"},"b":`, ""},
		"a word more":            {`"x","y"`, `"x","y","z"`, ""},
		"one need less":          {`"required":["a"]`, `"required":[]`, "test: a may be missing now"},
		"a member less":          {`"b":{"type":["string","null"]},`, ``, "test: b is removed"},
		"one need more":          {`["a"]`, `["a","b"]`, "test: b is required now"},
		"a new need":             {`["a"],"properties":{`, `["a","n"],"properties":{"n":{"type":"string"},`, "test: n is required now"},
		"a type":                 {`["string","null"]`, `["integer","null"]`, "test: b has another type"},
		"a type less":            {`["string","null"]`, `"string"`, "test: b has another type"},
		"a word less":            {`"x","y"`, `"x"`, `test: a can no longer be "y"`},
		"words where were none":  {`{"type":["string","null"]}`, `{"type":["string","null"],"enum":["q"]}`, "test: b can no longer be anything of its type"},
		"another constant":       {`"const":1`, `"const":2`, "test: c can no longer be 1"},
		"a member in a list":     {`"e":{"type":"integer"}`, ``, "test: d.e is removed"},
		"the values of a map":    {`"additionalProperties":{"type":"string"}`, `"additionalProperties":{"type":"integer"}`, "test: f.* has another type"},
		"a map that is none now": {`,"additionalProperties":{"type":"string"}`, ``, "test: f.* is removed"},
	} {
		after := strings.Replace(before, c.was, c.is, 1)
		got := strings.Join(compareAll(one("test", parsed(t, []byte(before))), one("test", parsed(t, []byte(after)))), "\n")
		if !strings.HasPrefix(got, c.want) || c.want == "" && got != "" {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
	if got := compareAll(map[string]map[string]any{"event.x.y": {}}, nil); len(got) != 1 || got[0] != "event.x.y is removed" {
		t.Errorf("a type less: %q", got)
	}
}

func one(name string, schema map[string]any) map[string]map[string]any {
	return map[string]map[string]any{name: schema}
}

func compareAll(before, after map[string]map[string]any) (complaints []string) {
	for _, name := range slices.Sorted(maps.Keys(before)) {
		if after[name] == nil {
			complaints = append(complaints, name+" is removed")
			continue
		}
		compare(before[name], after[name], "", func(at, complaint string) {
			complaints = append(complaints, fmt.Sprintf("%s: %s %s", name, at, complaint))
		})
	}
	return complaints
}

// compare complains of what is less or other in a schema than it was.
func compare(before, after map[string]any, at string, complain func(at, complaint string)) {
	if !slices.Equal(types(before), types(after)) {
		complain(at, fmt.Sprintf("has another type: %v, not %v", types(after), types(before)))
	}
	compareWords(before, after, at, complain)
	was, is := needs(before), needs(after)
	for _, name := range is {
		if !slices.Contains(was, name) {
			complain(join(at, name), "is required now: what was stored before has no such member; say omitempty")
		}
	}
	for _, name := range was {
		if !slices.Contains(is, name) {
			complain(join(at, name), "may be missing now")
		}
	}
	for name, inner := range members(before) {
		if now := members(after)[name]; now == nil {
			complain(join(at, name), "is removed")
		} else {
			compare(inner, now, join(at, name), complain)
		}
	}
	if items, ok := before["items"].(map[string]any); ok {
		now, _ := after["items"].(map[string]any)
		compare(items, now, at, complain)
	}
}

func compareWords(before, after map[string]any, at string, complain func(at, complaint string)) {
	was, is := wordsOf(before), wordsOf(after)
	if was == nil && is != nil {
		complain(at, "can no longer be anything of its type")
	}
	for _, word := range was {
		if is != nil && !slices.ContainsFunc(is, func(other any) bool { return reflect.DeepEqual(word, other) }) {
			text, _ := json.Marshal(word)
			complain(at, "can no longer be "+string(text))
		}
	}
}

func types(schema map[string]any) []string {
	switch t := schema["type"].(type) {
	case string:
		return []string{t}
	case []any:
		var all []string
		for _, one := range t {
			all = append(all, one.(string))
		}
		slices.Sort(all)
		return all
	}
	return nil
}

func wordsOf(schema map[string]any) []any {
	if word, ok := schema["const"]; ok {
		return []any{word}
	}
	words, _ := schema["enum"].([]any)
	return words
}

func needs(schema map[string]any) (names []string) {
	list, _ := schema["required"].([]any)
	for _, name := range list {
		names = append(names, name.(string))
	}
	return names
}

// members are those that a schema names, and * for all others of a map.
func members(schema map[string]any) map[string]map[string]any {
	all := map[string]map[string]any{}
	properties, _ := schema["properties"].(map[string]any)
	for name, inner := range properties {
		all[name], _ = inner.(map[string]any)
	}
	if others, ok := schema["additionalProperties"].(map[string]any); ok {
		all["*"] = others
	}
	return all
}

func join(at, name string) string { return strings.TrimPrefix(at+"."+name, ".") }

// place is where the schema of a member of a golden file stands: the key of holder,
// nil where there is none, and the member's name in complaints. A label is one of
// many that no schema names.
func place(schema map[string]any, at []string) (holder map[string]any, key, named string) {
	for i, name := range at {
		if items, ok := schema["items"].(map[string]any); ok {
			schema = items
		}
		if i > 0 && at[i-1] == "labels" {
			return schema, "additionalProperties", strings.Join(at[:i], ".") + ".*"
		}
		holder, _ = schema["properties"].(map[string]any)
		schema, _ = holder[name].(map[string]any)
		if schema == nil {
			return nil, name, strings.Join(at, ".")
		}
	}
	return holder, at[len(at)-1], strings.Join(at, ".")
}

// widened is a schema that takes another type as well.
func widened(schema map[string]any) map[string]any {
	wide := maps.Clone(schema)
	wide["type"] = []any{"array"}
	for _, t := range types(schema) {
		wide["type"] = append(wide["type"].([]any), t)
	}
	return wide
}

func parsed(t *testing.T, data []byte) map[string]any {
	t.Helper()
	var schema map[string]any
	if err := json.NewDecoder(bytes.NewReader(data)).Decode(&schema); err != nil {
		t.Fatal(err)
	}
	return schema
}

func released(t *testing.T) map[string]map[string]any {
	t.Helper()
	files, err := filepath.Glob("released/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("find the schemas of the last release: %v, %d found", err, len(files))
	}
	schemas := map[string]map[string]any{}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		schemas[strings.TrimSuffix(filepath.Base(file), ".json")] = parsed(t, data)
	}
	return schemas
}

func current(t *testing.T) map[string]map[string]any {
	t.Helper()
	schemas := map[string]map[string]any{}
	files, err := contract.Schemas.ReadDir("schemas")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		data, err := contract.Schemas.ReadFile("schemas/" + file.Name())
		if err != nil {
			t.Fatal(err)
		}
		schemas[strings.TrimSuffix(file.Name(), ".json")] = parsed(t, data)
	}
	return schemas
}
