package config

import (
	"cmp"
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

// Source is what a configuration is made of, each part over the one before it:
// the defaults, the document, the files of tenants_dir, the environment, and the
// command line.
type Source struct {
	Name string // of the document, for [Loaded.Origin]
	Data []byte // the document; it may be empty
	// Env looks up environment variables: those that the document names, whose
	// values are not kept, and one for each key (see [Variable]). An empty one says
	// nothing. Never nil.
	Env func(string) (string, bool)
	Set []string // KEY=VALUE, as tenants[0].poll.qps=5
}

// Load reads a configuration from a document and the environment; see [Source.Load].
func Load(data []byte, env func(string) (string, bool)) (Config, error) {
	loaded, err := Source{Data: data, Env: env}.Load()
	return loaded.Config, err
}

// Load reads the configuration. The result is complete, with the defaults where
// nothing is said, or the error is [Complaints] with every mistake there is.
func (s Source) Load() (Loaded, error) {
	config := Defaults()
	r := reader{strictyaml.New(), map[string]rollcall.Labels{}}
	r.allowAll("", reflect.TypeFor[Config]())
	root, err := r.Document(s.Data, MaxBytes, "a configuration")
	if err != nil {
		return Loaded{}, err
	}
	if root != nil {
		r.Value("", root, func(path string, n *yaml.Node) string { return r.value(path, n, reflect.ValueOf(&config).Elem()) })
	}
	o := overlay{reader: r, env: s.Env, set: sets(s.Set)}
	o.key("tenants_dir", reflect.ValueOf(&config.TenantsDir).Elem()) // before it is looked at
	r.tenantFiles(&config)
	o.section("", []string{"ROLLCALL"}, reflect.ValueOf(&config).Elem())
	o.unknown()
	r.label(config.Tenants)
	for i := range config.Tenants {
		t := &config.Tenants[i]
		t.Members = cmp.Or(t.Members, MembersFor(t.Poll.MonthlyCalls == Unlimited))
	}
	checker{reader: r, env: s.Env}.config(config)
	if err := r.Err(); err != nil {
		return Loaded{}, err
	}
	return Loaded{Config: config, name: s.Name, reader: r}, nil
}
