package service_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"rollcall"
	"rollcall/cmd/rollcall/config"
	"rollcall/cmd/rollcall/service"
	"rollcall/simulator"
	"rollcall/wire"
)

// TestTheConfigurationIsReloaded adds a tenant to a running service, changes one, refuses
// mistakes, and takes a tenant out.
func TestTheConfigurationIsReloaded(t *testing.T) {
	sim, cfg := simulated(t)
	core, logs := observer.New(zap.DebugLevel)
	s, err := service.New(cfg, "0.0.1", zap.New(core))
	if err != nil {
		t.Fatal(err)
	}
	var next atomic.Pointer[config.Config]
	level := zap.NewAtomicLevel()
	s.Level, s.Commit = &level, "abc"
	s.Reload = func(context.Context) (config.Config, error) {
		if cfg := next.Load(); cfg != nil {
			return *cfg, nil
		}
		return config.Config{}, errors.New("line 3: a mistake")
	}
	conn, err := nats.Connect(s.NATS())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	got := make(chan rollcall.Event, 1000)
	if _, err := conn.Subscribe("meetings.event.>", func(m *nats.Msg) {
		if e, err := wire.DecodeEvent(m.Data); err == nil {
			got <- e
		}
	}); err != nil {
		t.Fatal(err)
	}
	if err := conn.Flush(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	ids := sim.ConferenceIDs()
	await(t, got, func(e rollcall.Event) bool { return e.Type == rollcall.MeetingStarted && e.ConferenceID == ids[0] })

	until := func(what string, holds func() bool) {
		t.Helper()
		late := time.After(time.Minute)
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for !holds() {
			select {
			case <-tick.C:
			case <-late:
				t.Fatalf("waited in vain until %s: %v", what, logs.All())
			}
		}
	}
	said := func(message string, times int) {
		t.Helper()
		until("it says "+message, func() bool { return logs.FilterMessage(message).Len() >= times })
	}
	metric := func(lines ...string) {
		t.Helper()
		body := page(t, "http://"+s.HTTP().String()+"/metrics")
		for _, line := range lines {
			if !strings.Contains(body, line) {
				t.Errorf("the metrics lack %q", line)
			}
		}
	}
	metric("rollcall_config_last_reload_successful 1", `rollcall_build_info{commit="abc"`, `version="0.0.1"} 1`, `rollcall_workers{version="0.0.1"} 1`, `rollcall_clock_skew_seconds{tenant="acme"}`,
		`rollcall_torn_batches_total{tenant="acme"} 0`, `rollcall_unreadable_total{tenant="acme",what="record"} 0`)
	s.Hangup()
	const failing = "reloading the configuration (the one before stays in force) fails"
	said(failing, 1)
	metric("rollcall_config_last_reload_successful 0")

	// A second tenant, with a number of calls; the first one tracks less.
	changed := cfg
	changed.Log.Level, changed.HTTP.Hosts = "debug", []string{"rollcall.example"}
	beta := cfg.Tenants[0]
	beta.Name, beta.Poll.MonthlyCalls, beta.Track.Conferences = "beta", 40_000_000, ids[1:]
	acme := cfg.Tenants[0]
	acme.Track.Conferences = ids[:1]
	changed.Tenants = []config.Tenant{acme, beta}
	next.Store(&changed)
	s.Hangup()
	began, untracked := false, false
	await(t, got, func(e rollcall.Event) bool {
		began = began || e.Tenant == "beta" && e.Type == rollcall.MeetingStarted
		untracked = untracked || e.Tenant == "acme" && e.Type == rollcall.MeetingUntracked && e.ConferenceID == ids[1]
		return began && untracked
	})
	said("configuration reloaded", 1)
	said("configuration changed in keys that take effect at the next start", 1)
	if keys := logs.FilterMessage("configuration changed in keys that take effect at the next start").All()[0].ContextMap()["keys"]; len(keys.([]any)) != 1 || keys.([]any)[0] != "http.hosts" {
		t.Errorf("the keys are %v", keys)
	}
	if level.Level() != zapcore.DebugLevel {
		t.Errorf("the level is %s", level)
	}
	metric("rollcall_config_last_reload_successful 1", "rollcall_config_restart_needed 1", `rollcall_budget_calls{tenant="beta"}`)
	if _, err := sim.Act(simulator.Act{Verb: "join", ConferenceID: ids[0], UserID: "newcomer", Nick: "N"}); err != nil {
		t.Fatal(err)
	}
	await(t, got, func(e rollcall.Event) bool {
		return e.Tenant == "acme" && e.Type == rollcall.ParticipantJoined && e.Participant.UserID == "newcomer"
	})
	if answer, err := conn.Request("rollcall.MEETINGS.api.beta.list", []byte("{}"), time.Minute); err != nil || !strings.Contains(string(answer.Data), ids[1]) {
		t.Errorf("the new tenant's list is %v, %v", answer, err)
	}

	everyMetricIsExplained(t, page(t, "http://"+s.HTTP().String()+"/metrics"))

	// A tenant whose secret is missing changes nothing.
	broken := changed
	other := acme
	other.Auth.ClientSecretFile = filepath.Join(t.TempDir(), "absent")
	broken.Tenants = []config.Tenant{other, beta}
	next.Store(&broken)
	s.Hangup()
	said(failing, 2)
	if body := page(t, "http://"+s.HTTP().String()+"/readyz"); !strings.Contains(body, "poll acme") || !strings.Contains(body, "budget beta") {
		t.Errorf("/readyz shows %s", body)
	}

	// Without the second one, its metrics and its requests end.
	alone := changed
	alone.Tenants = []config.Tenant{acme}
	next.Store(&alone)
	s.Hangup()
	until("beta is gone", func() bool { return !strings.Contains(page(t, "http://"+s.HTTP().String()+"/readyz"), "poll beta") })
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("it stopped with %v", err)
	}
	for _, entry := range logs.All() {
		if entry.Level >= zapcore.ErrorLevel {
			t.Errorf("an error is logged: %v %v", entry.Message, entry.ContextMap())
		}
	}
}

// everyMetricIsExplained wants each metric of a running worker in docs/operations.md or
// docs/forwarding.md, and in the dashboard or the alerts of deploy/observability where there are any.
func everyMetricIsExplained(t *testing.T, body string) {
	t.Helper()
	docs := ""
	for _, page := range []string{"operations.md", "forwarding.md"} {
		text, err := os.ReadFile("../../../docs/" + page)
		if err != nil {
			t.Fatal(err)
		}
		docs += string(text)
	}
	var watched strings.Builder
	_ = filepath.WalkDir("../../../deploy/observability", func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return nil // there are none
		}
		text, err := os.ReadFile(file)
		watched.Write(text)
		return err
	})
	found := 0
	for _, line := range strings.Split(body, "\n") {
		name, is := strings.CutPrefix(line, "# TYPE rollcall_")
		if !is {
			continue
		}
		found++
		name, kind, _ := strings.Cut(name, " ")
		name = "rollcall_" + name
		if !strings.Contains(docs, "`"+name+"`") && !strings.Contains(docs, "`"+name+"{") {
			t.Errorf("%s is neither in docs/operations.md nor in docs/forwarding.md", name)
		}
		if watched.Len() > 0 && !strings.Contains(watched.String(), name) {
			t.Errorf("%s is neither in the dashboard nor in the alerts", name)
		}
		if strings.HasSuffix(name, "_total") != (kind == "counter") {
			t.Errorf("%s is a %s", name, kind)
		}
	}
	if found < 15 {
		t.Errorf("only %d metrics are shown", found)
	}
	bounded := []string{"tenant", "operation", "class", "state", "type", "outcome", "reason", "field", "what", "version", "commit", "goversion", "le", "route", "target", "kind"}
	for _, line := range strings.Split(body, "\n") {
		for _, label := range regexp.MustCompile(`[{,]([a-z_]+)="`).FindAllStringSubmatch(line, -1) {
			if strings.HasPrefix(line, "rollcall_") && !slices.Contains(bounded, label[1]) {
				t.Errorf("label %s is not one of the bounded ones: %s", label[1], line)
			}
		}
	}
}
