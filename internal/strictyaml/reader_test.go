package strictyaml

import (
	"testing"

	yaml "go.yaml.in/yaml/v4"
)

// read reads a file of the keys name (a text) and parts (a list of them).
func read(data string, emptyRefused bool) error {
	r := New()
	r.EmptyRefused = emptyRefused
	root, err := r.Document([]byte(data), 100, "a test")
	if err != nil || root == nil {
		return err
	}
	text := func(_ string, n *yaml.Node) string {
		if n.Kind != yaml.ScalarNode {
			return "is " + Shape(n)
		}
		return ""
	}
	r.Value("", root, func(path string, n *yaml.Node) string {
		written := r.Section(path, n, []Key{
			{Name: "name", Allowed: "a text", Read: text},
			{Name: "parts", Allowed: "texts", Read: func(path string, n *yaml.Node) string {
				r.List(path, n, func(_ int, at string, n *yaml.Node) string { return text(at, n) })
				return ""
			}},
		})
		if !written["name"] {
			r.Missing("name", "is missing")
		}
		return ""
	})
	return r.Err()
}

func TestEveryMistakeIsMetAtOnce(t *testing.T) {
	for data, want := range map[string]string{
		"":                                  "",
		"name: a\nparts: [b]":               "",
		"name:":                             "line 1: name: is empty; allowed: a text",
		"parts: [[b], c]":                   "line 1: parts[0]: is a list\nline 1: name: is missing; allowed: a text",
		"nam: a\nparts: 1":                  "line 1: nam: no such key; did you mean name? allowed here: name, parts\nline 2: parts: is a single value where a list belongs; allowed: texts",
		"parts: [b]\n\nname: &x a":          "line 3: name: is given by an anchor or an alias (& or *): write the value out; allowed: a text",
		"name: !!str a":                     "line 1: name: has a YAML tag (!): write the value without it; allowed: a text",
		"name: a\nname: b":                  "line 2: name: is given twice, first in line 1; allowed: once",
		"name: a\n---\nname: b":             "line 2: a second YAML document begins here; a test is one document",
		"name: a\n---\n[":                   "line 4: this is not YAML: did not find expected node content",
		"[name]":                            "line 1: is a list where keys with values belong; allowed here: name, parts",
		"name: \"\x1b\"":                    "line 1: the file holds the control character U+001B; remove it",
		"\"a\\u202E\": b\nname: a":          "line 1: a\\u202e: no such key; allowed here: name, parts",
		"name: " + string(make([]byte, 99)): "the file has more than 100 bytes, the most that is read",
	} {
		got := ""
		if err := read(data, true); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%q:\n got %q\nwant %q", data, got, want)
		}
	}
	if err := read("name:", false); err != nil {
		t.Errorf("a value that was commented out: %v", err)
	}
}
