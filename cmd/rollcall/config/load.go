package config

import (
	"reflect"

	yaml "go.yaml.in/yaml/v4"

	"rollcall"
	"rollcall/internal/strictyaml"
)

// Complaint is one mistake in a configuration. It never shows a secret.
type Complaint = strictyaml.Complaint

// Complaints is the error of [Load]: all mistakes, in the order of their lines.
type Complaints = strictyaml.Complaints

// MaxBytes is the size of the largest configuration that is read: room for
// tens of thousands of conference ids.
const MaxBytes = 4 << 20

// Load reads a configuration. The result is complete, with the defaults where
// data says nothing (all of it may: data can be empty), or the error is
// [Complaints] with every mistake there is. env looks up the environment
// variables that data names; their values are not kept.
func Load(data []byte, env func(string) (string, bool)) (Config, error) {
	config := Defaults()
	r := reader{strictyaml.New(), map[string]rollcall.Labels{}}
	r.allowAll("", reflect.TypeFor[Config]())
	root, err := r.Document(data, MaxBytes, "a configuration")
	if err != nil {
		return Config{}, err
	}
	if root != nil {
		r.Value("", root, func(path string, n *yaml.Node) string { return r.value(path, n, reflect.ValueOf(&config).Elem()) })
	}
	r.label(config.Tenants)
	checker{reader: r, env: env}.config(config)
	if err := r.Err(); err != nil {
		return Config{}, err
	}
	return config, nil
}
