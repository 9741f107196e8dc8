package config_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall"
	"rollcall/cmd/rollcall/config"
)

func TestNothingSaidGivesTheDefaults(t *testing.T) {
	for _, data := range []string{"", "\n", "# only a comment\n", "---\n", "{}\n", "nats:\ntenants:\n", "\ufeffdata_dir:\n"} {
		got, err := config.Load([]byte(data), environment)
		if err != nil {
			t.Errorf("Load(%q): %v", data, err)
		}
		if diff := cmp.Diff(config.Defaults(), got); diff != "" {
			t.Errorf("Load(%q) (-want +got):\n%s", data, diff)
		}
	}
}

func TestEveryKeyIsRead(t *testing.T) {
	const data = `
data_dir: /data
tenants_dir: ""
nats:
  url: tls://a:4222, nats://b
  user: u
  password_file: p
  inbox_prefix: _INBOX.acme
  domain: hub
  tls: {ca_file: ca, cert_file: cert, key_file: key}
  embedded: {listen: "[::1]:0", sync: interval, operator_token_file: o}
stream: {name: M-1, prefix: a.b_c, replicas: 3, retention: 1h30m, max_bytes: 1000, workers_max_bytes: 2000, budget_max_bytes: 3000, source: "https://r.example/prod"}
tenants:
  - name: one
    endpoint: http://localhost:9099/
    auth: {kind: corp, suite_key: k, suite_secret_file: s, corp_id: c, suite_ticket_file: t}
    poll: {schedule: "*/5 * * * *", timezone: Asia/Shanghai, batch_size: 7, qps: 0.5, in_flight: 3, timeout: 1m,
           monthly_calls: 5000, shards: 2, missing_after_polls: 4, expire_unstarted: 48h}
    track: {conferences: [007, "b c", {id: lab, labels: {team: blue, floor: 3}}], users: [u1], users_schedule: "@hourly", organization: {enabled: true, schedule: "@every 1m",
            include: {titles: ["*sales*"], creators: [b]}, exclude: {titles: [x], creators: ["y?"]}, labels: {from: list}}}
    members: on_end
    push: {enabled: true, client_id: ding2, client_secret_file: ps, monthly_pushes: 700}
    privacy: {nicks: omit, ids: pseudonym, pseudonym_key_file: p}
  - name: two
    auth: {kind: unified, corp_id: c, client_id: 12, client_secret_env: SECRET_SET}
    poll: {monthly_calls: unlimited}
forward:
  listen: "127.0.0.1:0"
  targets:
    - {name: team, kind: dingtalk, url_file: a, secret_file: b, keyword: k, at: [all], language: zh, templates: t, monthly_messages: 100, on_failure: hook2}
    - {name: hook2, kind: feishu, urls: [c, {url_file: d, secret_file: e}]}
    - {name: hook, kind: webhook, url_file: f, old_secret_files: [g], allow_private: true}
  routes:
    - name: kicks
      match: {tenants: [one], types: ["*.kicked_out"], titles: ["*x*"], labels: {team: blue}, users: [u], provenances: [observed]}
      targets: [team, hook]
      group_by: tenant
      group_wait: 1s
      group_interval: 2m
      timezone: Asia/Shanghai
      max_waiting: 7
      max_age: 1h
egress_qps: 12.5
journal: {max_bytes: 2000000}
http: {listen: "127.0.0.1:0", hosts: [rollcall.example], pprof: true, page: {enabled: false, token_file: pt, proxies: [10.0.0.7, "fd00::/8"], names: hide}}
log: {level: debug, format: console}
`
	const others = `
nats: {url: nats://b, credentials_file: creds, js_prefix: JS.x.API}
tenants: [{name: one, auth: {client_id: c, client_secret_file: s}, poll: {monthly_calls: 1}}]
` // which do not go with those above
	for _, key := range keysOf("", reflect.TypeFor[config.Config]()) {
		if name := key[strings.LastIndex(key, ".")+1:]; !strings.Contains(data+others, name+": ") {
			t.Errorf("key %s is not read here", key)
		}
	}
	two := config.TenantDefaults()
	two.Name, two.Auth = "two", config.Auth{Kind: "unified", CorpID: "c", ClientID: "12", ClientSecretEnv: "SECRET_SET"}
	two.Poll.MonthlyCalls, two.Members = config.Unlimited, config.MembersOnChange
	want := config.Config{
		DataDir: "/data",
		NATS: config.NATS{
			URL: "tls://a:4222, nats://b", User: "u", PasswordFile: "p", InboxPrefix: "_INBOX.acme", Domain: "hub",
			TLS:      config.TLS{CAFile: "ca", CertFile: "cert", KeyFile: "key"},
			Embedded: config.Embedded{Listen: "[::1]:0", Sync: "interval", OperatorTokenFile: "o"},
		},
		Stream: config.Stream{Name: "M-1", Prefix: "a.b_c", Replicas: 3, Retention: 90 * time.Minute, MaxBytes: 1000, WorkersMaxBytes: 2000, BudgetMaxBytes: 3000, Source: "https://r.example/prod"},
		Tenants: []config.Tenant{{
			Name: "one", Endpoint: "http://localhost:9099/",
			Auth: config.Auth{Kind: "corp", SuiteKey: "k", SuiteSecretFile: "s", CorpID: "c", SuiteTicketFile: "t"},
			Poll: config.Poll{
				Schedule: "*/5 * * * *", Timezone: "Asia/Shanghai", BatchSize: 7, QPS: 0.5, InFlight: 3, Timeout: time.Minute,
				MonthlyCalls: 5000, Shards: 2, MissingAfterPolls: 4, ExpireUnstarted: 48 * time.Hour,
			},
			Track: config.Track{
				Conferences: []string{"007", "b c", "lab"}, Labels: map[string]rollcall.Labels{"lab": {"team": "blue", "floor": "3"}}, Users: []string{"u1"}, UsersSchedule: "@hourly",
				Organization: config.Organization{
					Enabled: true, Schedule: "@every 1m",
					Include: config.Patterns{Titles: []string{"*sales*"}, Creators: []string{"b"}},
					Exclude: config.Patterns{Titles: []string{"x"}, Creators: []string{"y?"}},
					Labels:  rollcall.Labels{"from": "list"},
				},
			},
			Members: "on_end",
			Push:    config.Push{Enabled: true, ClientID: "ding2", ClientSecretFile: "ps", MonthlyPushes: 700},
			Privacy: config.Privacy{Nicks: "omit", IDs: "pseudonym", PseudonymKeyFile: "p"},
		}, two},
		Forward: config.Forward{
			Listen: "127.0.0.1:0",
			Targets: []config.ForwardTarget{
				{Name: "team", Kind: "dingtalk", URLFile: "a", SecretFile: "b", Keyword: "k", At: []string{"all"}, Language: "zh", Templates: "t", MonthlyMessages: 100, OnFailure: "hook2"},
				{Name: "hook2", Kind: "feishu", URLs: []config.ForwardAddress{{URLFile: "c"}, {URLFile: "d", SecretFile: "e"}}, Language: "en", MonthlyMessages: config.Unlimited},
				{Name: "hook", Kind: "webhook", URLFile: "f", OldSecretFiles: []string{"g"}, AllowPrivate: true, Language: "en", MonthlyMessages: config.Unlimited},
			},
			Routes: []config.ForwardRoute{{
				Name: "kicks", Targets: []string{"team", "hook"}, GroupBy: "tenant", GroupWait: time.Second, GroupInterval: 2 * time.Minute,
				Timezone: "Asia/Shanghai", MaxWaiting: 7, MaxAge: time.Hour,
				Match: config.ForwardMatch{
					Tenants: []string{"one"}, Types: []string{"*.kicked_out"}, Titles: []string{"*x*"},
					Labels: rollcall.Labels{"team": "blue"}, Users: []string{"u"}, Provenances: []string{"observed"},
				},
			}},
		},
		Journal: config.Journal{MaxBytes: 2_000_000}, EgressQPS: 12.5,
		HTTP: config.HTTP{Listen: "127.0.0.1:0", Hosts: []string{"rollcall.example"}, Pprof: true, Page: config.Page{TokenFile: "pt", Proxies: []string{"10.0.0.7", "fd00::/8"}, Names: "hide"}},
		Log:  config.Log{Level: "debug", Format: "console"},
	}
	got, err := config.Load([]byte(data), environment)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	got, err = config.Load([]byte(others), environment)
	if err != nil || got.NATS.CredentialsFile != "creds" || got.NATS.JSPrefix != "JS.x.API" || got.Tenants[0].Auth.ClientSecretFile != "s" {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestHugeFileIsRefusedUnread(t *testing.T) {
	data := bytes.Repeat([]byte("#"), config.MaxBytes+1)
	if _, err := config.Load(data, environment); err == nil || !strings.Contains(err.Error(), "4194304 bytes") {
		t.Errorf("error %v", err)
	}
}

func TestComplaintsAreBoundedWhenPrinted(t *testing.T) {
	_, err := config.Load([]byte(strings.Repeat("zzz: 1\n", 300)), environment)
	complaints, ok := errors.AsType[config.Complaints](err)
	if !ok || len(complaints) != 300 {
		t.Fatalf("%d complaints, want 300", len(complaints))
	}
	lines := strings.Split(err.Error(), "\n")
	if len(lines) != 101 || lines[100] != "and 200 more" {
		t.Errorf("%d lines, the last %q", len(lines), lines[len(lines)-1])
	}
}

func FuzzLoad(f *testing.F) {
	f.Add([]byte("tenants:\n  - name: acme\n    poll: {timeout: 5}\n"))
	f.Add([]byte("log: &a {level: *a}\n---\n"))
	f.Add([]byte("tenants: [{auth: {kind: corp}, poll: {schedule: 'TZ=UTC', qps: .nan}}]\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		cfg, err := config.Load(data, environment)
		if err == nil {
			if cfg.DataDir == "" || cfg.Stream.Retention < time.Hour {
				t.Fatalf("an incomplete configuration without a complaint: %+v", cfg)
			}
			return
		}
		complaints, ok := errors.AsType[config.Complaints](err)
		if !ok || len(complaints) == 0 {
			t.Fatalf("an error that is no complaint: %v", err)
		}
		for _, c := range complaints {
			if strings.ContainsAny(c.String(), "\n\x1b\x00") {
				t.Fatalf("a complaint that is not one safe line: %q", c)
			}
		}
	})
}

// When lists of members are read depends on the calls that may be spent, unless the
// tenant says it.
func TestMembersAreReadAsTheCallsAllow(t *testing.T) {
	for _, c := range []struct{ calls, members, want string }{
		{"unlimited", "", config.MembersOnChange},
		{"5000", "", config.MembersOnEnd},
		{"5000", "members: , ", config.MembersOnEnd},
		{"unlimited", "members: , ", config.MembersOnChange},
		{"unlimited", "members: on_end, ", config.MembersOnEnd},
		{"5000", "members: on_change, ", config.MembersOnChange},
		{"unlimited", "members: off, ", config.MembersOff},
	} {
		data := fmt.Sprintf("tenants: [{name: a, auth: {client_id: c, client_secret_file: s}, %spoll: {monthly_calls: %s}}]", c.members, c.calls)
		loaded, err := config.Source{Name: "f.yaml", Data: []byte(data), Env: os.LookupEnv}.Load()
		if err != nil || loaded.Config.Tenants[0].Members != c.want {
			t.Errorf("%s: %q, %v; want %q", data, loaded.Config.Tenants[0].Members, err, c.want)
		}
		if line := "members: " + c.want; !strings.Contains(loaded.YAML(), line) {
			t.Errorf("%s: what is in force is shown without %q", data, line)
		}
	}
	over := config.Source{
		Data: []byte("tenants: [{name: a, auth: {client_id: c, client_secret_file: s}, poll: {monthly_calls: 5000}}]"),
		Env:  func(string) (string, bool) { return "", false }, Set: []string{"tenants[0].poll.monthly_calls=unlimited"},
	}
	if loaded, err := over.Load(); err != nil || loaded.Config.Tenants[0].Members != config.MembersOnChange {
		t.Errorf("--set gives it %q, %v", loaded.Config.Tenants[0].Members, err)
	}
}
