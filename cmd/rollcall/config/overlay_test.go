package config_test

import (
	"fmt"
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
	"rollcall/cmd/rollcall/config"
)

// variables is an environment of these variables.
func variables(of map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		value, set := of[name]
		return value, set
	}
}

const acmeAlone = `data_dir: /file
nats:
  url: nats://file
tenants:
  - name: acme-eu
    auth: {client_id: c, client_secret_file: s}
    poll: {monthly_calls: 5000}
    track: {conferences: [a, {id: b, labels: {team: blue}}]}
`

func TestTheEnvironmentStandsOverTheFileAndFlagsOverBoth(t *testing.T) {
	loaded, err := config.Source{
		Name: "rollcall.yaml", Data: []byte(acmeAlone), Env: variables(map[string]string{
			"ROLLCALL_DATA_DIR": "/env", "ROLLCALL_NATS_URL": "nats://env", "ROLLCALL_HTTP_LISTEN": "127.0.0.1:9", "ROLLCALL_STREAM_RETENTION": "24h",
			"ROLLCALL_HTTP_PPROF": "true", "ROLLCALL_EGRESS_QPS": "7.5", "ROLLCALL_HTTP_HOSTS": "[a.example, b.example]", "ROLLCALL_LOG_LEVEL": "",
			"ROLLCALL_TENANTS_0_POLL_QPS": "3", "ROLLCALL_TENANTS_ACME_EU_POLL_MONTHLY_CALLS": "unlimited", "ROLLCALL_TENANTS_0_TRACK_ORGANIZATION_LABELS": "{team: red}",
		}), Set: []string{"nats.url=nats://flag", "tenants[0].poll.schedule=@every 5s"},
	}.Load()
	if err != nil {
		t.Fatal(err)
	}
	want, tenant := config.Defaults(), config.TenantDefaults()
	want.DataDir, want.NATS.URL, want.Stream.Retention, want.EgressQPS = "/env", "nats://flag", 24*time.Hour, 7.5
	want.HTTP.Listen, want.HTTP.Pprof, want.HTTP.Hosts = "127.0.0.1:9", true, []string{"a.example", "b.example"}
	tenant.Name, tenant.Auth.ClientID, tenant.Auth.ClientSecretFile = "acme-eu", "c", "s"
	tenant.Poll.QPS, tenant.Poll.MonthlyCalls, tenant.Poll.Schedule, tenant.Members = 3, config.Unlimited, "@every 5s", config.MembersOnChange
	tenant.Track.Organization.Labels = rollcall.Labels{"team": "red"}
	tenant.Track.Conferences, tenant.Track.Labels = []string{"a", "b"}, map[string]rollcall.Labels{"b": {"team": "blue"}}
	want.Tenants = []config.Tenant{tenant}
	if diff := cmp.Diff(want, loaded.Config); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for key, origin := range map[string]string{
		"data_dir": "$ROLLCALL_DATA_DIR", "nats.url": "--set", "log.level": "default", "tenants[0].name": "rollcall.yaml:5",
		"tenants[0].poll.qps": "$ROLLCALL_TENANTS_0_POLL_QPS", "tenants[0].poll.monthly_calls": "$ROLLCALL_TENANTS_ACME_EU_POLL_MONTHLY_CALLS", "tenants[0].poll.timeout": "default",
	} {
		if got := loaded.Origin(key); got != origin {
			t.Errorf("%s comes from %q, want %q", key, got, origin)
		}
	}
}

// A list in the environment takes the place of the file's, with all that was in it.
func TestAListInTheEnvironmentTakesTheFilesPlace(t *testing.T) {
	loaded, err := config.Source{Name: "f", Data: []byte(acmeAlone), Env: variables(map[string]string{
		"ROLLCALL_TENANTS": "[{name: other, auth: {client_id: c, client_secret_file: s}, poll: {monthly_calls: 1}, track: {conferences: [x, y]}}]",
	})}.Load()
	if err != nil {
		t.Fatal(err)
	}
	track := loaded.Config.Tenants[0].Track
	if len(loaded.Config.Tenants) != 1 || len(track.Conferences) != 2 || track.Labels != nil || loaded.Origin("tenants[0].name") != "$ROLLCALL_TENANTS" {
		t.Errorf("%+v, %s", loaded.Config.Tenants, loaded.Origin("tenants[0].name"))
	}
}

// Every key has a variable, and no two keys the same one.
func TestEveryKeyHasAVariableOfItsOwn(t *testing.T) {
	together := map[string]string{
		"nats.user": "nats.password_file", "nats.password_file": "nats.user",
		"nats.tls.cert_file": "nats.tls.key_file", "nats.tls.key_file": "nats.tls.cert_file",
	}
	keys := map[string]string{}
	for _, key := range keysOf("", reflect.TypeFor[config.Config]()) {
		name := config.Variable(key)
		if keys[name] != "" {
			t.Errorf("%s is of %s and of %s", name, key, keys[name])
		}
		keys[name] = key
		if regexp.MustCompile(`(tenants|targets|routes)\.|^tenants_dir$`).MatchString(key) {
			continue
		}
		set := map[string]string{name: "[[]]"} // which no key takes but those of text
		if other := together[key]; other != "" {
			set[config.Variable(other)], set["ROLLCALL_NATS_URL"] = "x", "nats://h"
		}
		loaded, err := config.Source{Env: variables(set)}.Load()
		if err == nil && loaded.Origin(key) != "$"+name || err != nil && !strings.Contains(err.Error(), "$"+name+":") {
			t.Errorf("%s does not reach %s: %v", name, key, err)
		}
	}
}

func TestMistakesBesideTheFileNameTheirPlace(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("a.yaml", "name: acme\nauth: {client_id: c, client_secret_file: s}\npol: {}\n")
	write("b.yml", "- {name: one, auth: {client_id: c, client_secret_file: s}, poll: {monthly_calls: 1}}\n- name: acme\n  auth: {client_id: c, client_secret_file: s}\n  poll: {qps: many}\n")
	write("c.yaml", "name: [")
	write("d.yaml", "# nobody\n")
	write("e.txt", "not read")
	write(".hidden.yaml", "not read")
	_, err := config.Source{Data: []byte("stream: {name: '.'}\ntenants_dir: " + dir), Env: variables(map[string]string{
		"ROLLCALL_NATS_URL": "http://x:hunter2@h", "ROLLCALL_LOG_LEVEL": "loud", "ROLLCALL_HTTP_HOSTS": "[", "ROLLCALL_EGRESS_QPS": "many",
	}), Set: []string{"log.format=xml", "htp.listen=:80", "nonsense"}}.Load()
	want := `$ROLLCALL_EGRESS_QPS: egress_qps: is not a number: "many"; allowed: a number above 0, at most 500 (where DingTalk blocks the address)
$ROLLCALL_HTTP_HOSTS: http.hosts: is not a value in YAML; allowed: a list of host names without scheme and port, each once, such as rollcall.example
$ROLLCALL_LOG_LEVEL: log.level: "loud" is not known; allowed: debug, info, warn or error
$ROLLCALL_NATS_URL: nats.url: holds a user, a password or a token, which every list of processes and many logs show: take them out, and name their files with nats.user and nats.password_file, or nats.token_file, in the configuration; allowed: nats://, tls://, ws:// or wss:// addresses without user and password, separated by commas, or nothing for the embedded server
--set: "htp.listen" is no key that can be set; write KEY=VALUE with a key of docs/configuration.md, such as http.listen=:8080 or tenants[0].poll.qps=5
--set: "nonsense" is no key that can be set; write KEY=VALUE with a key of docs/configuration.md, such as http.listen=:8080 or tenants[0].poll.qps=5
--set: log.format: "xml" is not known; allowed: json or console
DIR/a.yaml: line 1: tenants[0].poll.monthly_calls: is required: DingTalk meters calls, and only you know what yours may be spent on (the Standard edition has 5000); allowed: the calls a month that may be spent, 1 or more, or the word unlimited
DIR/a.yaml: line 3: tenants[0].pol: no such key; did you mean poll? allowed here: name, endpoint, auth, poll, track, members, push, privacy
DIR/b.yml: line 2: tenants[2].name: is also the name of tenants[0] (DIR/a.yaml, line 1); allowed: 1 to 32 of a-z, 0-9 and -, unlike every other tenant's
DIR/b.yml: line 4: tenants[2].poll.qps: is not a number: "many"; allowed: a number above 0, at most 500 (where DingTalk blocks the address)
DIR/b.yml: line 4: tenants[2].poll.monthly_calls: is required: DingTalk meters calls, and only you know what yours may be spent on (the Standard edition has 5000); allowed: the calls a month that may be spent, 1 or more, or the word unlimited
DIR/c.yaml: line 2: this is not YAML: did not find expected node content`
	got := ""
	if err != nil {
		got = strings.ReplaceAll(strings.TrimPrefix(err.Error(), "line 1: stream.name: \".\" cannot name a stream; allowed: 1 to 64 letters, digits, _ and -\n"), dir, "DIR")
	}
	if diff := cmp.Diff(strings.Split(want, "\n"), strings.Split(got, "\n")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if strings.Contains(got, "hunter2") {
		t.Error("a password shows")
	}
}

func TestTenantsOfADirectory(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"b.yaml": "name: second\nauth: {client_id: c, client_secret_file: s}\npoll: {monthly_calls: 1}\n",
		"c.yaml": "- {name: third, auth: {client_id: c, client_secret_file: s}, poll: {monthly_calls: 1}, track: {conferences: [{id: x, labels: {a: b}}]}}\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	loaded, err := config.Source{Name: "f", Data: []byte(acmeAlone), Env: variables(map[string]string{"ROLLCALL_TENANTS_DIR": dir, "ROLLCALL_TENANTS_THIRD_POLL_QPS": "9"})}.Load()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, tenant := range loaded.Config.Tenants {
		names = append(names, tenant.Name)
	}
	third := loaded.Config.Tenants[2]
	if strings.Join(names, " ") != "acme-eu second third" || third.Poll.QPS != 9 || third.Poll.Shards != 1 || third.Track.Labels["x"]["a"] != "b" {
		t.Errorf("%q, the third is %+v", names, third)
	}
	if got := loaded.Origin("tenants[1].name"); got != filepath.Join(dir, "b.yaml")+":1" {
		t.Errorf("it comes from %s", got)
	}
}

// What is printed loads again as the same configuration, and says of each value
// where it comes from.
func TestWhatIsPrintedIsAConfiguration(t *testing.T) {
	dir := t.TempDir()
	secret := filepath.Join(dir, "secret: #1")
	more := "name: more\nauth: {client_id: 'null', client_secret_file: " + `"` + secret + `"` + "}\npoll: {monthly_calls: unlimited, schedule: '@every 1m'}\n"
	for name, text := range map[string]string{secret: "x", filepath.Join(dir, "more.yaml"): more} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	loaded, err := config.Source{Name: "rollcall.yaml", Data: []byte(strings.Replace(acmeAlone, "client_secret_file: s", "client_secret_env: SECRET_SET", 1)), Env: variables(map[string]string{
		"SECRET_SET": "hunter2", "ROLLCALL_TENANTS_DIR": dir, "ROLLCALL_HTTP_HOSTS": "[a.example]", "ROLLCALL_STREAM_SOURCE": "https://r.example/a%20b",
	})}.Load()
	if err != nil {
		t.Fatal(err)
	}
	text := loaded.YAML()
	for _, want := range []string{"data_dir: /file", "# rollcall.yaml:1\n", "level: info", "# default\n", "($ROLLCALL_TENANTS_DIR)", "# " + filepath.Join(dir, "more.yaml") + ":1\n", `{"id":"b","labels":{"team":"blue"}}`} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
	again, err := config.Load([]byte(text), environment)
	if err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	want := loaded.Config
	want.TenantsDir = ""
	if diff := cmp.Diff(want, again, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("it loads otherwise (-want +got):\n%s\n%s", diff, text)
	}
	values := map[string]any{}
	for _, v := range loaded.Values() {
		values[v.Key] = v.Value
	}
	if values["tenants_dir"] != dir || fmt.Sprint(values["stream.retention"]) != "168h" || values["tenants[1].poll.monthly_calls"] != "unlimited" || values["nats.tls.ca_file"] != "" {
		t.Errorf("the values are %v", values)
	}
	for _, value := range []string{text, cmp.Diff(nil, values)} {
		if strings.Contains(value, "hunter2") {
			t.Error("a secret shows")
		}
	}
}

// A secret in the place of its file's path is not shown.
func TestASecretInTheWrongPlaceIsNotPrinted(t *testing.T) {
	loaded, err := config.Source{Data: []byte(strings.Replace(acmeAlone, "client_secret_file: s", "client_secret_file: hunter2", 1)), Env: environment}.Load()
	if err != nil {
		t.Fatal(err)
	}
	if text := loaded.YAML(); strings.Contains(text, "hunter2") || !strings.Contains(text, "there is no such file") {
		t.Errorf("it shows\n%s", text)
	}
}
