package config

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"rollcall"
)

// The files that are made of the types of [Config], with [Update].
const (
	pageFile    = "../../../docs/configuration.md"
	exampleFile = "../../../config.example.yaml"
)

// Update writes what is made of the types, and the complaints, anew.
var Update = flag.Bool("update", false, "write the manual, the schema or the complaints anew")

// The page and the example say what the types say: `go generate ./cmd/rollcall/config`
// writes them.
func TestTheManualIsCurrent(t *testing.T) {
	m := manual{comments: comments(t)}
	m.section("", "", "", reflect.ValueOf(exampleConfig()), reflect.ValueOf(Defaults()))
	for file, want := range map[string]string{pageFile: pageHead + m.page.String(), exampleFile: exampleHead + m.example.String()} {
		if *Update {
			if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		got, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, string(got)); diff != "" {
			t.Errorf("%s is not made of the types (run go generate ./cmd/rollcall/config; -want +got):\n%s", file, diff)
		}
	}
}

// exampleConfig is the defaults, with a tenant in which what has no default is there.
func exampleConfig() Config {
	cfg, tenant := Defaults(), TenantDefaults()
	tenant.Name = "acme"
	tenant.Auth.ClientID, tenant.Auth.ClientSecretFile = "dingxxxxxxxxxxxxxxxx", "./secrets/acme"
	tenant.Poll.MonthlyCalls, tenant.Members = Unlimited, MembersOnChange
	cfg.Tenants = []Tenant{tenant}
	team, route := TargetDefaults(), RouteDefaults()
	team.Name, team.Kind, team.URLFile, team.SecretFile = "team", "dingtalk", "./secrets/robot", "./secrets/robot-sign"
	route.Name, route.Targets = "meetings", []string{"team"}
	cfg.Forward = Forward{Targets: []ForwardTarget{team}, Routes: []ForwardRoute{route}}
	return cfg
}

const pageHead = `# Configuration

<!-- Made by go generate ./cmd/rollcall/config of the comments and tags of its types. -->

Every key, with its default, what it does and what it takes. [config.example.yaml](../config.example.yaml) is the same as a file to begin with;
` + "`rollcall check --config FILE`" + ` says what is wrong with yours, all of it at once. The file is one YAML document and is read strictly: a key that
is not known, is given twice, or has an impossible value is refused at the start, as are anchors, aliases and tags. A key without a value keeps its
default. Durations need a unit: 500ms, 15s, 10m, 24h.

A value on the command line (` + "`--set stream.replicas=3`" + `) stands over the environment, which stands over the file. Each key has a variable: nats.url is
` + "`ROLLCALL_NATS_URL`" + `, tenants[0].poll.qps is ` + "`ROLLCALL_TENANTS_0_POLL_QPS`" + `, or ` + "`ROLLCALL_TENANTS_ACME_POLL_QPS`" + ` with the tenant's name; a list is given as YAML. An
empty variable says nothing. ` + "`rollcall config`" + ` prints what is in force and where each value comes from; ` + "`rollcall config --schema`" + ` prints a JSON Schema for
editors, which a file names in a line ` + "`# yaml-language-server: $schema=rollcall.schema.json`" + `.

A worker reads the configuration again every 30 s and at SIGHUP. Changed tenants, targets and routes of forward, and the log's level take effect at
once, while all others go on; other keys at the next start. One with mistakes changes nothing. What is *read anew* by itself is said below.
`

const exampleHead = `# yaml-language-server: $schema=cmd/rollcall/config/schema.json
# (elsewhere: rollcall config --schema > rollcall.schema.json)
#
# Rollcall's configuration: every key with its default, and what it is for.
# What you leave out keeps the default shown; only what is under "tenants" has
# keys without one. Durations need a unit: 500ms, 15s, 10m, 24h.
#
#   rollcall check --config FILE    says what is wrong with yours, all of it at once
#
# docs/configuration.md says besides what each key takes. Both are made of
# cmd/rollcall/config.
`

// manual writes both.
type manual struct {
	comments      map[string]string // by Type.Field
	page, example strings.Builder
}

// section writes the keys of a struct. usual has their defaults; first stands
// before the first key in the example, and indent before the others.
func (m *manual) section(path, first, indent string, shown, usual reflect.Value) {
	for i := range shown.NumField() {
		field := shown.Type().Field(i)
		name := field.Tag.Get("yaml")
		if name == "-" {
			continue // what another key says
		}
		comment := strings.TrimSpace(m.comments[shown.Type().Name()+"."+field.Name])
		value, kind := shown.Field(i), shown.Field(i).Kind()
		key := join(path, name)
		m.entry(key, comment, field.Tag, usual.Field(i))
		if shown.Type() == reflect.TypeFor[Auth]() && value.IsZero() {
			continue // a key of another kind of app
		}
		if path == "" {
			m.example.WriteString("\n")
		}
		m.wrap(strings.TrimSuffix(first, "- "), comment)
		if takes := field.Tag.Get("allow"); len(takes) < 90 && choices().MatchString(takes) {
			m.wrap(strings.TrimSuffix(first, "- "), "Takes "+takes+".")
		}
		switch {
		case kind == reflect.Slice && value.Type().Elem().Kind() == reflect.Struct:
			usual := reflect.New(value.Type().Elem())
			defaults(usual.Interface())
			if value.Len() == 0 { // the page alone says what may stand there
				quiet := manual{comments: m.comments}
				quiet.section(key+"[]", "", "", usual.Elem(), usual.Elem())
				m.page.WriteString(quiet.page.String())
				m.example.WriteString(first + name + ": []\n")
				break
			}
			m.example.WriteString(first + name + ":\n")
			m.section(key+"[]", indent+"  - ", indent+"    ", value.Index(0), usual.Elem())
		case kind == reflect.Struct:
			m.example.WriteString(first + name + ":\n")
			m.section(key, indent+"  ", indent+"  ", value, usual.Field(i))
		default:
			m.example.WriteString(first + name + ": " + written(value) + "\n")
		}
		first = indent
	}
}

// entry writes a key on the page.
func (m *manual) entry(key, comment string, tag reflect.StructTag, usual reflect.Value) {
	level := "##"
	if strings.Contains(key, ".") {
		level = "###"
	}
	fmt.Fprintf(&m.page, "\n%s %s\n\n%s\n", level, key, comment)
	if usual.Kind() == reflect.Struct {
		return
	}
	fmt.Fprintf(&m.page, "\n- takes: %s\n", tag.Get("allow"))
	if usual.IsZero() && usual.Kind() != reflect.Bool && usual.Type() != reflect.TypeFor[int64]() {
		m.page.WriteString("- default: none\n")
	} else {
		fmt.Fprintf(&m.page, "- default: `%s`\n", written(usual))
	}
	if live := tag.Get("live"); live != "" {
		fmt.Fprintf(&m.page, "- the file is read anew %s\n", live)
	}
}

// choices finds the tags that are worth a line in the example.
func choices() *regexp.Regexp { return regexp.MustCompile("^a (whole )?number|^a duration| or ") }

// wrap writes a comment into the example.
func (m *manual) wrap(indent, comment string) {
	const width = 80
	indent += "#"
	for i, paragraph := range strings.Split(comment, "\n\n") {
		if i > 0 {
			m.example.WriteString(indent + "\n")
		}
		line := indent
		for _, word := range strings.Fields(paragraph) {
			if len(line)+1+len(word) > width {
				m.example.WriteString(line + "\n")
				line = indent
			}
			line += " " + word
		}
		m.example.WriteString(line + "\n")
	}
}

// written is a value as YAML.
func written(v reflect.Value) string {
	switch value := v.Interface().(type) {
	case time.Duration:
		return durationText(value)
	case Calls:
		if value == Unlimited {
			return "unlimited"
		}
	case string:
		if value == "" || strings.HasPrefix(value, "@") {
			return fmt.Sprintf("%q", value)
		}
	case []string:
		return "[" + strings.Join(value, ", ") + "]"
	case rollcall.Labels:
		return "{}"
	}
	return fmt.Sprint(v.Interface())
}

// comments reads the comments of all fields of this package's types.
func comments(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, file := range []string{"config.go", "tenant.go", "forward.go"} {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			spec, is := n.(*ast.TypeSpec)
			if !is {
				return true
			}
			if of, is := spec.Type.(*ast.StructType); is {
				for _, field := range of.Fields.List {
					all[spec.Name.Name+"."+field.Names[0].Name] = field.Doc.Text()
				}
			}
			return false
		})
	}
	return all
}

// Every key says what it is for, what it takes, and stands in the example.
func TestEveryKeyIsExplained(t *testing.T) {
	example, err := os.ReadFile(exampleFile)
	if err != nil {
		t.Fatal(err)
	}
	said := comments(t)
	var look func(of reflect.Type)
	look = func(of reflect.Type) {
		for i := range of.NumField() {
			field := of.Field(i)
			if field.Tag.Get("yaml") == "-" {
				continue
			}
			inner := field.Type
			if inner.Kind() == reflect.Slice {
				inner = inner.Elem()
			}
			if inner.Kind() == reflect.Struct {
				look(inner)
			}
			if name := of.Name() + "." + field.Name; said[name] == "" || field.Type.Kind() != reflect.Struct && field.Tag.Get("allow") == "" {
				t.Errorf("%s wants a comment for the manual, and a tag allow", name)
			}
			if !strings.Contains(string(example), field.Tag.Get("yaml")) {
				t.Errorf("key %s is not in the example", field.Tag.Get("yaml"))
			}
		}
	}
	look(reflect.TypeFor[Config]())
}

// What the example shows is what holds when nothing is said, except for what has
// no default.
func TestExampleShowsTheDefaults(t *testing.T) {
	data, err := os.ReadFile(exampleFile)
	if err != nil {
		t.Fatal(err)
	}
	got, err := Load(data, os.LookupEnv)
	if err != nil {
		t.Fatalf("the example is refused:\n%v", err)
	}
	if diff := cmp.Diff(exampleConfig(), got, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("the example shows other values than the defaults (-default +example):\n%s", diff)
	}
}

// No key is read and then of no effect: the service, check or what is made of the
// configuration uses it.
func TestEveryKeyIsUsed(t *testing.T) {
	var source strings.Builder
	for _, pattern := range []string{"../service/*.go", "../forward/*.go", "../check/*.go", "../cost/*.go", "../page/*.go", "../*.go", "page.go", "names.go", "credentials.go", "tenants_dir.go"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			source.Write(text)
		}
	}
	for name := range comments(t) {
		field := name[strings.LastIndex(name, ".")+1:]
		if !regexp.MustCompile(`\.`+field+`\b`).MatchString(source.String()) && !strings.HasPrefix(name, "Patterns.") {
			t.Errorf("%s has no effect: nobody reads it", name)
		}
	}
}
