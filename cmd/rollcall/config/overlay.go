package config

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	yaml "go.yaml.in/yaml/v4"

	"rollcall"
	"rollcall/internal/strictyaml"
)

// Variable is the environment variable of a key: ROLLCALL_NATS_URL of nats.url. A
// tenant's keys have two: with its number, as ROLLCALL_TENANTS_0_POLL_QPS, and
// with its name, as ROLLCALL_TENANTS_ACME_POLL_QPS.
func Variable(key string) string {
	return "ROLLCALL_" + loud(key)
}

// inVariables says what stands in variables for what no variable can have. It is
// made once, since there are a thousand keys.
var inVariables = strings.NewReplacer(".", "_", "[", "_", "]", "", "-", "_")

// loud is a key, or a part of one, as variables are written.
func loud(key string) string { return strings.ToUpper(inVariables.Replace(key)) }

// overlay puts the environment and the command line over what was read.
type overlay struct {
	reader
	env func(string) (string, bool)
	set map[string]*setting
}

// setting is one KEY=VALUE of the command line.
type setting struct {
	value string
	used  bool // there is such a key
}

func sets(all []string) map[string]*setting {
	set := map[string]*setting{}
	for _, one := range all {
		key, value, _ := strings.Cut(one, "=")
		set[strings.TrimSpace(key)] = &setting{value: value}
	}
	return set
}

// unknown complains about what the command line sets and is no key.
func (o overlay) unknown() {
	for _, key := range slices.Sorted(maps.Keys(o.set)) {
		if !o.set[key].used {
			o.Collect(Complaints{{File: "--set", Problem: shown(key) + " is no key that can be set; write KEY=VALUE with a key of docs/configuration.md, such as http.listen=:8080 or tenants[0].poll.qps=5"}})
		}
	}
}

// section goes through the keys of a struct. variables are what the variables of
// its keys begin with.
func (o overlay) section(path string, variables []string, v reflect.Value) {
	for i := range v.NumField() {
		name := v.Type().Field(i).Tag.Get("yaml")
		if name == "-" {
			continue
		}
		key, own := join(path, name), make([]string, len(variables))
		for n, variable := range variables {
			own[n] = variable + "_" + loud(name)
		}
		o.value(key, own, v.Field(i))
	}
}

// key is a single key, with its own variable.
func (o overlay) key(key string, v reflect.Value) { o.value(key, []string{Variable(key)}, v) }

func (o overlay) value(key string, variables []string, v reflect.Value) {
	if v.Kind() == reflect.Struct {
		o.section(key, variables, v)
		return
	}
	for _, variable := range variables {
		if text, _ := o.env(variable); text != "" {
			o.put(key, "$"+variable, text, v)
		}
	}
	if s := o.set[key]; s != nil {
		s.used = true
		o.put(key, "--set", s.value, v)
	}
	if v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.Struct {
		o.items(key, variables, v)
	}
}

// items goes through the keys of a list's sections, which have a number and may
// have a name.
func (o overlay) items(key string, variables []string, v reflect.Value) {
	for i := range v.Len() {
		item := v.Index(i)
		own := []string{variables[0] + "_" + strconv.Itoa(i)}
		if name := item.FieldByName("Name"); name.IsValid() && name.String() != "" {
			own = append(own, variables[0]+"_"+loud(name.String()))
		}
		o.section(fmt.Sprintf("%s[%d]", key, i), own, item)
	}
}

// put reads a text in the place of what a key says. What is not text is YAML, so that
// a list can be given as well.
func (o overlay) put(key, place, text string, v reflect.Value) {
	o.File = place
	defer func() { o.File = "" }()
	o.Forget(key)
	maps.DeleteFunc(o.labelled, func(at string, _ rollcall.Labels) bool { return strings.HasPrefix(at, key+"[") })
	o.Mark(key, strictyaml.Place{File: place})
	if v.Kind() == reflect.String {
		v.SetString(text)
		return
	}
	root, err := o.Document([]byte(text), MaxBytes, "a value")
	switch {
	case err != nil:
		o.Refuse(key, "is not a value in YAML")
	case root != nil:
		o.Value(key, root, func(path string, n *yaml.Node) string { return o.reader.value(path, n, v) })
	}
}
