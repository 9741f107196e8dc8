package scenario_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
	"go.uber.org/zap"

	"rollcall"
	"rollcall/internal/contracttest"
	"rollcall/internal/ledgertest"
	"rollcall/internal/secret"
	"rollcall/poller"
	"rollcall/poller/dingtalk"
	"rollcall/simulator"
	"rollcall/simulator/scenario"
	"rollcall/wire"
	"rollcall/worker"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// shelf is where the scenarios are that come with Rollcall.
const shelf = "../../deploy/scenarios"

var names = wire.Names{Stream: "MEETINGS", Prefix: "meetings"}

func load(t *testing.T, file string) *scenario.Scenario {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	s, err := scenario.Load(data)
	if err != nil {
		t.Fatalf("%s:\n%v", file, err)
	}
	return s
}

// terms are how a scenario is played and watched.
type terms struct {
	speed float64
	pace  time.Duration // of the polls
	late  time.Duration // by which Rollcall starts after a tick
}

// TestEveryScenarioComesOutAsExpected sends the scenarios down the whole way:
// the simulator over HTTP, DingTalk's client, the poller, the worker, and the
// ledger, from which the events are read as subscribers get them.
func TestEveryScenarioComesOutAsExpected(t *testing.T) {
	files, err := filepath.Glob(shelf + "/*.yaml")
	if err != nil || len(files) < 12 {
		t.Fatalf("%d scenarios were found, want a dozen: %v", len(files), err)
	}
	schemas := contracttest.Load(t)
	for _, file := range files {
		s := load(t, file)
		if want := strings.TrimSuffix(filepath.Base(file), ".yaml"); s.Name != want {
			t.Errorf("%s says that its name is %s", file, s.Name)
		}
		for _, how := range []terms{
			{1, s.Poll, 0},
			{1, s.Poll, s.Poll * 7 / 10},
			{1, time.Second, 300 * time.Millisecond},
			{s.MaxSpeed(), time.Second, 0},
			{s.MaxSpeed(), time.Second, 450 * time.Millisecond},
		} {
			t.Run(fmt.Sprintf("%s/speed %g, polled every %s, late by %s", s.Name, how.speed, how.pace, how.late), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { comesOut(t, s, how, schemas) })
			})
		}
	}
}

func comesOut(t *testing.T, s *scenario.Scenario, how terms, schemas contracttest.Schemas) {
	ledger := perform(t, s, how)
	conforms(t, ledger, schemas)
	for _, id := range s.ConferenceIDs() {
		if len(s.Expect[id]) == 0 {
			t.Errorf("nothing is expected of %s", id)
		}
		events := published(t, ledger, id)
		if err := s.Check(id, events); err != nil {
			t.Error(err)
			for _, e := range events {
				t.Logf("  %d of %d in the poll: %s", e.Index, e.Count, scenario.WordOf(e))
			}
		}
	}
}

// conforms holds all events, records and statuses against the schemas of the contract.
func conforms(t *testing.T, ledger *ledgertest.Memory, schemas contracttest.Schemas) {
	t.Helper()
	for _, msg := range ledger.Messages() {
		var err error
		switch kind := strings.Split(msg.Subject, ".")[1]; {
		case kind == "event":
			err = schemas.Event(msg.Data)
		case kind == "state":
			err = schemas.Check("record", msg.Data)
		case kind == "status":
			err = schemas.Check("status", msg.Data)
		}
		if err != nil {
			t.Error(err)
		}
	}
}

// perform plays a scenario to a worker, and gives the ledger it wrote to.
func perform(t *testing.T, s *scenario.Scenario, how terms) *ledgertest.Memory {
	ledger, _ := performed(t, s, how)
	return ledger
}

// performed also gives the world in which it was played.
func performed(t *testing.T, s *scenario.Scenario, how terms) (*ledgertest.Memory, *simulator.Simulator) {
	player, err := scenario.NewPlayer(s, how.speed, simulator.Config{})
	if err != nil {
		t.Fatal(err)
	}
	player.Patience = time.Minute
	wire := simulator.NewWire(player.Handler())
	defer wire.Close()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	played := make(chan error, 1)
	go func() { played <- player.Run(ctx) }()

	time.Sleep(how.late)
	ledger := ledgertest.NewMemory(names)
	stop := watch(t, ledger, wire, s.ConferenceIDs(), how.pace)
	if err := <-played; err != nil {
		t.Error(err)
	}
	if state := player.Progress().State; state != scenario.Done {
		t.Errorf("the scenario is %s when it has been played", state)
	}
	stop()
	return ledger, player.World()
}

// watch runs a worker until it is stopped.
func watch(t *testing.T, ledger *ledgertest.Memory, wire *simulator.Wire, ids []string, pace time.Duration) (stop func()) {
	client, err := dingtalk.New(dingtalk.Config{
		Endpoint: "http://127.0.0.1", Transport: wire.Client().Transport,
		Auth: dingtalk.Auth{Kind: dingtalk.KindInternal, ClientID: simulator.DefaultAppKey, ClientSecret: appSecret},
	})
	if err != nil {
		t.Fatal(err)
	}
	schedule, err := poller.ParseSchedule("@every "+pace.String(), "UTC")
	if err != nil {
		t.Fatal(err)
	}
	w, err := worker.New(worker.Config{
		ID: "w", Names: names, Ledger: ledger, Committer: ledger, Logger: zap.NewNop(),
		Tenants: []worker.Tenant{{
			Name: "acme", Schedule: schedule, Decode: client.Decode, Conferences: ids,
			Asker: &poller.Poller{Source: client, Tenant: "acme"},
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- w.Run(ctx) }()
	return func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		client.Close()
	}
}

func appSecret() (secret.String, error) { return secret.New(simulator.DefaultAppSecret), nil }

// published gives the events of a meeting in the order in which they were stored.
func published(t *testing.T, ledger *ledgertest.Memory, id string) []rollcall.Event {
	t.Helper()
	var all []rollcall.Event
	prefix := names.Prefix + ".event.acme." + wire.Token(id) + "."
	for _, msg := range ledger.Messages() {
		if !strings.HasPrefix(msg.Subject, prefix) {
			continue
		}
		e, err := wire.DecodeEvent(msg.Data)
		if err != nil {
			t.Fatal(err)
		}
		if err := e.CheckTime(); err != nil {
			t.Errorf("%s: event %d: %v", id, e.Sequence, err)
		}
		if e.Sequence != uint64(len(all)+1) {
			t.Errorf("%s: event %d has sequence %d", id, len(all)+1, e.Sequence)
		}
		all = append(all, e)
	}
	return all
}
