package config

import (
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"regexp"
	"strings"
	"time"

	"rollcall"
	"rollcall/internal/safetext"
)

// Loaded is a configuration with the origin of each value.
type Loaded struct {
	Config Config
	name   string // of the document
	reader reader
}

// Value is one key with what holds for it.
type Value struct {
	Key    string `json:"key"`    // tenants[0].poll.qps
	Value  any    `json:"value"`  // text, a number, true or false, a list, or labels
	Origin string `json:"origin"` // as of [Loaded.Origin]
}

// Origin says where the value of a key comes from: rollcall.yaml:12,
// $ROLLCALL_NATS_URL, --set, or default.
func (l Loaded) Origin(key string) string {
	at, written := l.reader.Written(key)
	switch {
	case !written:
		return "default"
	case at.File == "":
		return fmt.Sprintf("%s:%d", safetext.Line(l.name), at.Line)
	case at.File[0] == '$' || at.File == "--set":
		return at.File
	}
	return fmt.Sprintf("%s:%d", safetext.Line(at.File), at.Line)
}

// Values are all keys in the order of the manual. Secrets stand in files, and only
// their paths are here; what names no file that is there may be a secret in the
// wrong place, and is left out.
func (l Loaded) Values() (all []Value) {
	each(0, "", reflect.ValueOf(l.Config), func(_ int, key string, v, in reflect.Value) {
		if v.Kind() != reflect.Struct && !sections(v) {
			all = append(all, Value{key, presentable(key, v, in), l.Origin(key)})
		}
	})
	return all
}

// YAML is the configuration as a document that can be loaded again, with the
// origin of each value behind it.
func (l Loaded) YAML() string {
	var lines [][2]string // a key, and its origin
	width, begins := 0, false
	each(0, "", reflect.ValueOf(l.Config), func(depth int, key string, v, in reflect.Value) {
		if strings.HasSuffix(key, "]") {
			begins = true // an item, at its first key
			return
		}
		line := strings.Repeat("  ", depth) + key[strings.LastIndex(key, ".")+1:] + ":"
		if begins {
			line, begins = line[:2*depth-2]+"- "+line[2*depth:], false
		}
		origin := l.Origin(key)
		switch {
		case sections(v) && v.Len() > 0 || v.Kind() == reflect.Struct:
			origin = ""
		case key == "tenants_dir" && v.String() != "":
			line, origin = line+` ""`, safetext.Line(v.String())+" ("+origin+"), whose tenants stand below"
		default:
			line += " " + inYAML(presentable(key, v, in))
		}
		lines, width = append(lines, [2]string{line, origin}), max(width, min(len(line), 60))
	})
	var out strings.Builder
	for _, line := range lines {
		if line[1] != "" {
			line[0] = fmt.Sprintf("%-*s  # %s", width, line[0], line[1])
		}
		out.WriteString(line[0] + "\n")
	}
	return out.String()
}

// each goes through a struct's keys, sections and items in order.
func each(depth int, path string, v reflect.Value, visit func(depth int, key string, v, in reflect.Value)) {
	for i := range v.NumField() {
		name, field := v.Type().Field(i).Tag.Get("yaml"), v.Field(i)
		if name == "-" || v.Type() == reflect.TypeFor[Auth]() && field.IsZero() {
			continue // said elsewhere, or of another kind of app
		}
		key := join(path, name)
		visit(depth, key, field, v)
		if field.Kind() == reflect.Struct {
			each(depth+1, key, field, visit)
		}
		for n := 0; sections(field) && n < field.Len(); n++ {
			item := fmt.Sprintf("%s[%d]", key, n)
			visit(depth+1, item, field.Index(n), v)
			each(depth+2, item, field.Index(n), visit)
		}
	}
}

// sections reports whether a value is a list of sections.
func sections(v reflect.Value) bool {
	return v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.Struct
}

// presentable is a value of a section as it may be shown to anybody.
func presentable(key string, v, in reflect.Value) any {
	switch value := v.Interface().(type) {
	case time.Duration:
		return word(durationText(value))
	case Calls:
		if value == Unlimited {
			return "unlimited"
		}
	case string:
		if _, err := os.Stat(value); strings.HasSuffix(key, "_file") && value != "" && err != nil {
			return "(there is no such file)"
		}
	}
	if track, is := in.Interface().(Track); is && strings.HasSuffix(key, ".conferences") {
		return track.written()
	}
	if v.Kind() == reflect.Slice && v.IsNil() {
		return []any{}
	}
	return v.Interface()
}

// written are the conferences, those with labels as a section.
func (t Track) written() []any {
	all := []any{}
	for _, id := range t.Conferences {
		if labels := t.Labels[id]; len(labels) > 0 {
			all = append(all, map[string]any{"id": id, "labels": labels})
		} else {
			all = append(all, id)
		}
	}
	return all
}

// word is text that needs no quotes.
type word string

// durationText is a duration as people write it.
func durationText(d time.Duration) string {
	text := d.String()
	for _, none := range []string{"m0s", "h0m"} {
		if strings.HasSuffix(text, none) {
			text = text[:len(text)-2]
		}
	}
	return text
}

// inYAML writes a value on one line.
func inYAML(value any) string {
	if text, is := value.(word); is {
		return string(text)
	}
	if text, is := value.(string); is && plain().MatchString(text) && !strings.EqualFold(text, "null") {
		return text
	}
	if labels, is := value.(rollcall.Labels); is && labels == nil {
		return "{}"
	}
	text, err := json.Marshal(value) // which YAML reads, too
	if err != nil {
		return fmt.Sprintf("%q", fmt.Sprint(value))
	}
	return string(safetext.JSON(text))
}

// plain finds text that YAML reads as text without quotes.
func plain() *regexp.Regexp {
	return regexp.MustCompile(`^[A-Za-z./][A-Za-z0-9_./:-]*[A-Za-z0-9_]$`)
}
