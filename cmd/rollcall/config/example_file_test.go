package config_test

import (
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rollcall/cmd/rollcall/config"
)

const exampleFile = "../../../config.example.yaml"

// What the example shows is what holds when nothing is said, except for what
// has no default: then its reason is that it cannot.
func TestExampleShowsTheDefaults(t *testing.T) {
	data, err := os.ReadFile(exampleFile)
	if err != nil {
		t.Fatal(err)
	}
	got, err := config.Load(data, environment)
	if err != nil {
		t.Fatalf("the example is refused:\n%v", err)
	}
	tenant := config.TenantDefaults()
	tenant.Name = "acme"
	tenant.Auth.ClientID, tenant.Auth.ClientSecretFile = "dingxxxxxxxxxxxxxxxx", "./secrets/acme"
	tenant.Poll.MonthlyCalls = config.Unlimited
	tenant.Track.Conferences, tenant.Track.Users = []string{}, []string{}
	none := config.Patterns{Titles: []string{}, Creators: []string{}}
	tenant.Track.Organization.Include, tenant.Track.Organization.Exclude = none, none
	want := config.Defaults()
	want.HTTP.Hosts = []string{}
	want.Tenants = []config.Tenant{tenant}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the example shows other values than the defaults (-default +example):\n%s", diff)
	}
}

func TestExampleNamesEveryKey(t *testing.T) {
	data, err := os.ReadFile(exampleFile)
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range keysOf(reflect.TypeFor[config.Config]()) {
		if !strings.Contains(string(data), key) {
			t.Errorf("key %s is not in the example", key)
		}
	}
}

func keysOf(t reflect.Type) []string {
	var keys []string
	for i := range t.NumField() {
		field := t.Field(i)
		keys = append(keys, field.Tag.Get("yaml"))
		inner := field.Type
		if inner.Kind() == reflect.Slice {
			inner = inner.Elem()
		}
		if inner.Kind() == reflect.Struct {
			keys = append(keys, keysOf(inner)...)
		}
	}
	return keys
}
