package config_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rollcall/cmd/rollcall/config"
)

const oneTenant = `
tenants:
  - name: acme
    auth: {client_id: d, client_secret_env: SECRET_SET}
`

// What has no effect beside something else is never silent: it is refused
// (testdata/bad) or remarked upon.
func TestWhatHasNoEffectIsSaid(t *testing.T) {
	for text, want := range map[string]string{
		"nats: {url: nats://h, embedded: {sync: interval}}" + oneTenant + "    poll: {monthly_calls: 1}":              "nats.embedded",
		"nats: {url: nats://h, embedded: {listen: '127.0.0.1:1'}}" + oneTenant + "    poll: {monthly_calls: 1}":       "nats.embedded",
		oneTenant + "    poll: {monthly_calls: 1, timezone: Asia/Shanghai}":                                           "tenants[0].poll.timezone",
		oneTenant + "    poll: {monthly_calls: 1, schedule: '0 * * * *', timezone: Asia/Shanghai}":                    "",
		oneTenant + "    poll: {monthly_calls: 1, qps: 450}":                                                          "tenants[0].poll.qps",
		oneTenant + "    poll: {monthly_calls: 1}\n    track: {users_schedule: '@every 1h'}":                          "tenants[0].track.users_schedule",
		oneTenant + "    poll: {monthly_calls: 1}\n    track: {organization: {include: {titles: [x]}}}":               "tenants[0].track.organization",
		oneTenant + "    poll: {monthly_calls: 1}\n    track: {organization: {schedule: '@every 1h'}}":                "tenants[0].track.organization",
		oneTenant + "    poll: {monthly_calls: 1}\n    track: {organization: {enabled: true, schedule: '0 * * * *'}}": "",
		"nats: {token_file: none, embedded: {listen: '0.0.0.0:4222'}}":                                                "nats.embedded.listen nats.embedded.operator_token_file",
		"nats: {token_file: none, embedded: {listen: '0.0.0.0:4222', operator_token_file: x}}":                        "nats.embedded.listen",
		"nats: {token_file: none}": "",
	} {
		cfg, err := config.Load([]byte(text), environment)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		var keys []string
		for _, r := range cfg.Remarks() {
			if keys = append(keys, r.Key); r.Found == "" || r.Fix == "" {
				t.Errorf("a remark without words: %+v", r)
			}
		}
		if got := strings.Join(keys, " "); got != want {
			t.Errorf("%s\nremarks about %q, want %q", text, got, want)
		}
	}
}

func TestExposedSecretsAreSaid(t *testing.T) {
	dir := t.TempDir()
	for at := dir; at != filepath.Dir(at) && at != os.TempDir(); at = filepath.Dir(at) {
		if err := os.Chmod(at, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(dir, "secret")
	if err := os.WriteFile(path, []byte("hunter2"), 0o600); err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf(`
nats: {url: nats://h, user: u, password_file: %[1]q, tls: {cert_file: c, key_file: %[1]q}}
tenants:
  - {name: a, auth: {client_id: d, client_secret_file: %[1]q}, poll: {monthly_calls: 1}}
  - {name: b, auth: {kind: corp, suite_key: k, corp_id: c, suite_secret_file: %[1]q, suite_ticket_file: %[1]q}, poll: {monthly_calls: 1}}
`, path)
	cfg, err := config.Load([]byte(text), environment)
	if err != nil {
		t.Fatal(err)
	}
	if got := cfg.Remarks(); len(got) > 0 {
		t.Errorf("remarks about private files: %+v", got)
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	var keys []string
	for _, r := range cfg.Remarks() {
		if keys = append(keys, r.Key); !strings.Contains(r.Found, "mode 0644") || !strings.Contains(r.Fix, "chmod 600 "+path) {
			t.Errorf("%+v", r)
		}
	}
	want := []string{
		"nats.password_file", "nats.tls.key_file", "tenants[0].auth.client_secret_file",
		"tenants[1].auth.suite_secret_file", "tenants[1].auth.suite_ticket_file",
	}
	if diff := cmp.Diff(want, keys); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
