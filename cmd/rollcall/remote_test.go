package main

import (
	"context"
	"encoding/json"
	"errors"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/spf13/cobra"
	"go.uber.org/zap"

	"rollcall"
	"rollcall/cmd/rollcall/config"
	"rollcall/cmd/rollcall/control"
	"rollcall/cmd/rollcall/service"
	"rollcall/internal/fulltest"
	"rollcall/internal/natstest"
	"rollcall/simulator"
	"rollcall/simulator/chat"
	"rollcall/wire"
)

// Each script has a worker of its own, and a simulated DingTalk in which
// nothing happens by itself.
func TestOrderScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:   "testdata/orders",
		Setup: func(env *testscript.Env) error { return startWorld(t, env) },
		Cmds:  map[string]func(*testscript.TestScript, bool, []string){"exits": orderedExit, "act": act},
	})
}

// worldKey finds the script's simulator.
type worldKey struct{}

func startWorld(t *testing.T, env *testscript.Env) error {
	sim, err := simulator.New(simulator.Config{Seed: 1, Meetings: 1})
	if err != nil {
		return err
	}
	api := httptest.NewServer(sim.Handler())
	env.Defer(api.Close)
	env.Values[worldKey{}] = sim
	tenants := []string{"acme"}
	if strings.HasSuffix(env.WorkDir, "tenants") {
		tenants = append(tenants, "beta")
	}
	cfg, err := orderConfig(env.WorkDir, api.URL, tenants)
	if err != nil {
		return err
	}
	if strings.HasSuffix(env.WorkDir, "budget") {
		frugal := cfg.Tenants[0]
		frugal.Name, frugal.Poll.MonthlyCalls = "frugal", 1_000_000
		cfg.Tenants = append(cfg.Tenants, frugal)
	}
	if strings.HasSuffix(env.WorkDir, "forward") { // its own server makes what others write
		cfg.Forward.Targets = []config.ForwardTarget{{Name: "team"}}
		if err := startChat(env); err != nil {
			return err
		}
	}
	s, err := service.New(cfg, "v1.2.3", zap.NewNop())
	if err != nil {
		return err
	}
	env.Vars = append(env.Vars, "MEETING="+sim.ConferenceIDs()[0], "NATS="+s.NATS(), "ROLLCALL_CONFIG="+filepath.Join(env.WorkDir, "reader.yaml"))
	if err := os.WriteFile(filepath.Join(env.WorkDir, "reader.yaml"), []byte("nats: {url: \""+s.NATS()+"\"}\n"), 0o600); err != nil {
		return err
	}
	if err := work(t, env, s); err != nil || !strings.HasSuffix(env.WorkDir, "past") {
		return err
	}
	env.Vars = append(env.Vars, "OTHER="+natstest.Start(t).URL())
	return storeExample(s)
}

// storeExample stores the event whose id stands in the help of explain.
func storeExample(s *service.Service) error {
	e := rollcall.Event{
		Tenant: "acme", ConferenceID: "7c3d4e", Epoch: 1795963736091, Sequence: 1, Type: rollcall.ParticipantJoined, Index: 1, Count: 1,
		Meeting:     rollcall.Conference{Title: "Weekly", Status: rollcall.StatusStarted, Present: 1},
		Participant: &rollcall.Participant{Key: "u1", UserID: "u1", Nick: "Ada", Attendance: rollcall.AttendancePresent, Mic: rollcall.DeviceClosed, Camera: rollcall.DeviceClosed, Session: 1},
		Provenance:  rollcall.ProvenanceBaseline,
	}
	e.Time = time.UnixMilli(e.Epoch).UTC()
	e.Window.Before = e.Time
	names := wire.Names{Stream: "MEETINGS", Prefix: "meetings"}
	if err := s.Conn().Publish(names.Commit(names.Event(e.Tenant, e.ConferenceID, e.Type)), wire.AppendEvent(nil, &e)); err != nil {
		return err
	}
	return s.Conn().Flush()
}

// startChat serves chat services, and writes the address of a robot of Slack's.
func startChat(env *testscript.Env) error {
	services, err := chat.New(chat.Config{})
	if err != nil {
		return err
	}
	server := httptest.NewServer(services.Handler())
	env.Defer(server.Close)
	for _, r := range services.Robots() {
		if r.Service == "slack" {
			return os.WriteFile(filepath.Join(env.WorkDir, "robot"), []byte(server.URL+r.Path()), 0o600)
		}
	}
	return errors.New("no robot of Slack's is served")
}

// work lets the worker work, and answer, until the script ends.
func work(t *testing.T, env *testscript.Env, s *service.Service) error {
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		if err := s.Run(ctx); err != nil {
			t.Errorf("the worker stopped with %v", err)
		}
	})
	env.Defer(func() { cancel(); running.Wait() })
	<-s.Ready()
	return s.Conn().Flush()
}

func orderConfig(dir, endpoint string, tenants []string) (config.Config, error) {
	cfg, err := demoConfig(dir, endpoint, nil)
	if err != nil {
		return cfg, err
	}
	one := cfg.Tenants[0]
	cfg.Tenants = nil
	for _, name := range tenants {
		one.Name = name
		cfg.Tenants = append(cfg.Tenants, one)
	}
	return cfg, nil
}

// orderedExit CODE rollcall ARGS… runs the program in this process and demands
// the code.
func orderedExit(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	p := withOrders(program{args: args[2:], stdout: ts.Stdout(), stderr: ts.Stderr(), env: func(name string) (string, bool) {
		value := ts.Getenv(name)
		return value, value != ""
	}})
	if code := p.run(context.Background()); code != want {
		ts.Fatalf("%v exits with %d, want %d", args[1:], code, want)
	}
}

// withOrders gives the program the commands that its root does not have yet.
func withOrders(p program) *program {
	has := p.root().Commands()
	for _, cmd := range workerCommands(&p) {
		if !slices.ContainsFunc(has, func(c *cobra.Command) bool { return c.Name() == cmd.Name() }) {
			p.more = append(p.more, cmd)
		}
	}
	return &p
}

// act JSON makes something happen in the simulated DingTalk.
func act(ts *testscript.TestScript, _ bool, args []string) {
	var wanted simulator.Act
	ts.Check(json.Unmarshal([]byte(args[0]), &wanted))
	_, err := ts.Value(worldKey{}).(*simulator.Simulator).Act(wanted)
	ts.Check(err)
}

func TestEveryExampleIsRunByAScript(t *testing.T) {
	var scripts strings.Builder
	files, err := filepath.Glob("testdata/orders/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		scripts.Write(text)
	}
	seen := 0
	for _, cmd := range workerCommands(&program{}) {
		for example := range strings.SplitSeq(cmd.Example, "\n") {
			command, _, _ := strings.Cut(strings.TrimSpace(example), " | ")
			if !strings.Contains(scripts.String(), "\nexits 0 "+command+"\n") {
				t.Errorf("no script runs %q", command)
			}
			seen++
		}
	}
	if seen < 8 {
		t.Errorf("only %d examples were found", seen)
	}
}

func TestStrangersCannotFakeALineOfATable(t *testing.T) {
	const evil = "x\n\x1b[2J\u202e\u2028"
	m := control.Meeting{Tenant: "acme", State: control.State{
		ConferenceID: evil, Tracked: true, Source: evil, Trouble: evil,
		Record: &control.Record{
			Meeting: wire.Meeting{Title: evil, Status: evil},
			Roster:  []wire.Person{{Key: evil, Nick: evil, Attendance: evil, Mic: evil, Camera: evil}},
		},
	}}
	for name, write := range map[string]struct {
		do    func(*program) error
		lines int
	}{
		"tell":      {func(p *program) error { return p.tell(m, false) }, 1},
		"tell JSON": {func(p *program) error { return p.tell(m, true) }, 1},
		"list":      {func(p *program) error { return p.tellList(control.List{Meetings: []control.State{m.State}}, false) }, 2},
		"show":      {func(p *program) error { return showMeeting(p.stdout, m, time.Now()) }, 11},
	} {
		var b strings.Builder
		if err := write.do(&program{stdout: &b}); err != nil {
			t.Error(err)
		}
		if got := b.String(); strings.Count(got, "\n") != write.lines || strings.ContainsAny(got, "\x1b\u202e\u2028") {
			t.Errorf("%s: %q", name, got)
		}
	}
}

// A field of a person that is zero looks otherwise than one that is set, but for
// those that need no column.
func TestShowPrintsEveryFieldOfAPerson(t *testing.T) {
	leftOut := []string{"UserID", "RejectDescription"} // the key has the one; nobody in a roster has the other
	var full wire.Person
	if err := json.Unmarshal(wire.AppendParticipant(nil, &fulltest.Record().Roster[0]), &full); err != nil {
		t.Fatal(err)
	}
	for i := range reflect.TypeFor[wire.Person]().NumField() {
		field, other := reflect.TypeFor[wire.Person]().Field(i).Name, full
		reflect.ValueOf(&other).Elem().Field(i).SetZero()
		shown := !slices.EqualFunc(peopleRows([]wire.Person{full}), peopleRows([]wire.Person{other}), slices.Equal)
		if shown == slices.Contains(leftOut, field) {
			t.Errorf("%s is shown: %v; show it in show.go or say here why not", field, shown)
		}
	}
}

func TestAgo(t *testing.T) {
	now := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	for d, want := range map[time.Duration]string{
		-time.Hour: "0s ago", 0: "0s ago", 59 * time.Second: "59s ago", 90 * time.Second: "1m ago",
		47 * time.Hour: "47h ago", 49 * time.Hour: "2d ago",
	} {
		if got := ago(wire.Time{Time: now.Add(-d)}, now); got != want {
			t.Errorf("%s: %q, want %q", d, got, want)
		}
	}
	if got := ago(wire.Time{}, now); got != "-" {
		t.Errorf("never: %q", got)
	}
}

func TestAnIncompleteListFails(t *testing.T) {
	var out strings.Builder
	p := &program{stdout: &out}
	if err := p.tellList(control.List{Schema: 1, Tenant: "acme", Meetings: []control.State{}, Incomplete: true}, true); err == nil || !strings.Contains(err.Error(), "may be missing") {
		t.Errorf("error %v", err)
	}
	if !strings.Contains(out.String(), `"incomplete":true`) {
		t.Errorf("written: %s", out.String())
	}
}
