package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"

	yaml "go.yaml.in/yaml/v4"
)

// MaxBytes is the size of the largest configuration that is read: room for
// tens of thousands of conference ids.
const MaxBytes = 4 << 20

// Load reads a configuration. The result is complete, with the defaults where
// data says nothing (all of it may: data can be empty), or the error is
// [Complaints] with every mistake there is. env looks up the environment
// variables that data names; their values are not kept.
func Load(data []byte, env func(string) (string, bool)) (Config, error) {
	root, complaint := parse(data)
	if complaint != nil {
		return Config{}, Complaints{*complaint}
	}
	config := Defaults()
	r := newReader()
	r.allowAll("", reflect.TypeFor[Config]())
	if root.second > 0 {
		r.add(root.second, "", "a second YAML document begins here; a configuration is one document")
	}
	if root.node != nil {
		r.value("", root.node, reflect.ValueOf(&config).Elem())
	}
	checker{reader: r, env: env}.config(config)
	if len(r.complaints) > 0 {
		return Config{}, r.complaints.sorted()
	}
	return config, nil
}

// document is what a file of YAML holds.
type document struct {
	node   *yaml.Node // nil: nothing
	second int        // line of a second document; 0: there is none
}

// parse reads the YAML. What it complains of makes the rest unreadable.
func parse(data []byte) (document, *Complaint) {
	if len(data) > MaxBytes {
		return document{}, &Complaint{Problem: fmt.Sprintf("the file has more than %d bytes, the most that is read", MaxBytes)}
	}
	if complaint := notText(data); complaint != nil {
		return document{}, complaint
	}
	loader, err := yaml.NewLoader(bytes.NewReader(data))
	if err != nil {
		return document{}, syntax(data, err)
	}
	var doc document
	var first, second yaml.Node
	switch err := loader.Load(&first); {
	case errors.Is(err, io.EOF):
		return doc, nil
	case err != nil:
		return doc, syntax(data, err)
	case len(first.Content) > 0:
		doc.node = first.Content[0]
	}
	switch err := loader.Load(&second); {
	case errors.Is(err, io.EOF):
	case err != nil:
		return doc, syntax(data, err)
	default:
		doc.second = max(second.Line, 1)
	}
	return doc, nil
}
