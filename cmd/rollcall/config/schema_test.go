package config

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
	yaml "go.yaml.in/yaml/v4"

	"rollcall"
)

const schemaFile = "schema.json"

// TestTheSchemaIsCurrent makes the schema anew, with -update.
func TestTheSchemaIsCurrent(t *testing.T) {
	s := schemas{comments(t)}
	whole := s.section(reflect.ValueOf(exampleConfig()), reflect.ValueOf(Defaults()))
	whole["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	whole["title"] = "The configuration of Rollcall"
	text, err := json.MarshalIndent(whole, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	want := string(text) + "\n"
	if *Update {
		if err := os.WriteFile(schemaFile, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("%s is not made of the types (run go generate ./cmd/rollcall/config; -want +got):\n%s", schemaFile, diff)
	}
}

type object = map[string]any

// schemas makes the schema of the types.
type schemas struct {
	comments map[string]string // by Type.Field
}

// section is the schema of a struct; usual has its defaults.
func (s schemas) section(v, usual reflect.Value) object {
	keys := object{}
	for i := range v.NumField() {
		field := v.Type().Field(i)
		if name := field.Tag.Get("yaml"); name != "-" {
			key := s.value(field.Tag, v.Field(i), usual.Field(i))
			key["description"] = strings.Join(strings.Fields(s.comments[v.Type().Name()+"."+field.Name]), " ")
			if takes := field.Tag.Get("allow"); takes != "" {
				key["description"] = key["description"].(string) + " Takes " + takes + "."
			}
			keys[name] = key
		}
	}
	section := object{"type": []string{"object", "null"}, "properties": keys, "additionalProperties": false}
	if needs := map[string][]string{"Tenant": {"name"}, "Poll": {"monthly_calls"}}[v.Type().Name()]; needs != nil {
		section["required"] = needs
	}
	return section
}

// value is the schema of a key's value. A key without one keeps its default.
func (s schemas) value(tag reflect.StructTag, v, usual reflect.Value) object {
	switch v.Interface().(type) {
	case time.Duration:
		return object{"type": []string{"string", "null"}, "pattern": `^[0-9.]+(ns|us|µs|ms|s|m|h)([0-9.]+(ns|us|µs|ms|s|m|h))*$`, "default": durationText(usual.Interface().(time.Duration))}
	case Calls:
		return object{"anyOf": []any{object{"type": "integer", "minimum": 1}, object{"enum": []any{"unlimited", nil}}}}
	case rollcall.Labels:
		return object{"type": []string{"object", "null"}, "additionalProperties": object{"type": []string{"string", "number", "boolean"}}, "maxProperties": rollcall.MaxLabels}
	}
	switch v.Kind() {
	case reflect.Struct:
		return s.section(v, usual)
	case reflect.Slice:
		return object{"type": []string{"array", "null"}, "items": s.item(tag, v.Type().Elem())}
	case reflect.Bool:
		return object{"type": []string{"boolean", "null"}, "default": usual.Bool()}
	case reflect.Float64:
		return object{"type": []string{"number", "null"}, "exclusiveMinimum": 0, "default": usual.Float()}
	case reflect.Int, reflect.Int64:
		return s.whole(tag.Get("allow"), usual.Int())
	}
	if words := regexp.MustCompile(`^([a-z_]+)((?:, [a-z_]+)*) or ([a-z_]+)$`).FindStringSubmatch(tag.Get("allow")); words != nil {
		all := []any{words[1]}
		for word := range strings.SplitSeq(strings.TrimPrefix(words[2], ", "), ", ") {
			if word != "" {
				all = append(all, word)
			}
		}
		return object{"enum": append(all, words[3], nil), "default": usual.String()}
	}
	text := object{"type": []string{"string", "number", "boolean", "null"}}
	if usual.String() != "" {
		text["default"] = usual.String()
	}
	return text
}

// whole is the schema of a whole number.
func (schemas) whole(takes string, usual int64) object {
	number := object{"type": []string{"integer", "null"}, "default": usual, "minimum": 0}
	for key, pattern := range map[string]string{"minimum": `(?:from|at least) (\d+)`, "maximum": `to (\d+)`} {
		if found := regexp.MustCompile(pattern).FindStringSubmatch(takes); found != nil {
			number[key], _ = strconv.Atoi(found[1])
		}
	}
	return number
}

// item is the schema of an item of a list.
func (s schemas) item(tag reflect.StructTag, of reflect.Type) object {
	one, usual := reflect.New(of).Elem(), reflect.New(of).Elem()
	if of == reflect.TypeFor[Tenant]() {
		usual.Set(reflect.ValueOf(TenantDefaults()))
	}
	item := s.value(tag, one, usual)
	if tag.Get("yaml") == "conferences" {
		written := s.section(reflect.ValueOf(conference{}), reflect.ValueOf(conference{}))
		written["type"], written["required"] = "object", []string{"id"}
		return object{"anyOf": []any{item, written}}
	}
	return item
}

// What can be loaded is valid, and the mistakes that a schema can see are not.
func TestTheSchemaJudgesAsTheReaderDoes(t *testing.T) {
	judge := judge(t)
	example, err := os.ReadFile(exampleFile)
	if err != nil {
		t.Fatal(err)
	}
	good := [][]byte{example, []byte("tenants:\nhttp: {pprof: }"), []byte(`
nats: {user: 12}
tenants: [{name: a, auth: {client_id: 12, client_secret_file: s}, poll: {monthly_calls: 5, timeout: 1m30s}, track: {conferences: [1, {id: x, labels: {a: 1}}]}}]`)}
	for _, data := range good {
		if err := judge(data); err != nil {
			t.Errorf("%s\nis refused: %v", data, err)
		}
	}
	for _, name := range []string{"unknown_key", "unknown_key_nested", "qps_word", "batch_size_large", "max_bytes_unit", "log_level", "timeout_no_unit"} {
		data, err := os.ReadFile(filepath.Join("testdata/bad", name+".yaml"))
		if err != nil {
			t.Error(err)
		} else if judge(data) == nil {
			t.Errorf("%s is not refused", name)
		}
	}
}

// judge holds configurations against the schema.
func judge(t *testing.T) func([]byte) error {
	t.Helper()
	compiler := jsonschema.NewCompiler()
	document, err := jsonschema.UnmarshalJSON(strings.NewReader(Schema))
	if err == nil {
		err = compiler.AddResource("config.json", document)
	}
	if err != nil {
		t.Fatal(err)
	}
	schema, err := compiler.Compile("config.json")
	if err != nil {
		t.Fatal(err)
	}
	return func(data []byte) error {
		var value any
		if err := yaml.Unmarshal(data, &value); err != nil {
			return err
		}
		return schema.Validate(value)
	}
}

// What the pages show of a configuration can be pasted.
func TestConfigurationsOnThePages(t *testing.T) {
	pages, err := filepath.Glob("../../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	judge, found := judge(t), 0
	for _, page := range append(pages, "../../../README.md", "../../../deploy/README.md") {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, block := range regexp.MustCompile("(?ms)^```yaml\n(.*?)^```").FindAllSubmatch(text, -1) {
			if !regexp.MustCompile(`(?m)\A(#.*\n)*(tenants|forward|http|nats):`).Match(block[1]) {
				continue // of something else, or a part
			}
			found++
			if err := judge(block[1]); err != nil {
				t.Errorf("%s shows\n%s\nwhich is refused: %v", filepath.Base(page), block[1], err)
			}
		}
	}
	if found < 6 {
		t.Errorf("found %d configurations: the pattern no longer fits", found)
	}
}
