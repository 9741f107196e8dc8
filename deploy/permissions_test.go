package deploy_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"rollcall"
	"rollcall/cmd/rollcall/config"
	"rollcall/cmd/rollcall/control"
	"rollcall/cmd/rollcall/service"
	"rollcall/consume"
	"rollcall/internal/natstest"
	"rollcall/poller/budget"
	"rollcall/simulator"
	"rollcall/store"
	"rollcall/wire"
)

const overlay = "kubernetes/overlays/simulator"

// password is that of one of nats.conf's users.
func password(user string) string { return "of-" + user }

var names = wire.Names{Stream: "MEETINGS", Prefix: "meetings"}

// broker runs the overlay's nats.conf, on an address and a store of the test.
func broker(t *testing.T) string {
	t.Helper()
	return brokerOf(t, edition(t, []string{"nats.conf", "permissions.conf"}))
}

// brokerOf runs a nats-server by its configuration's file.
func brokerOf(t *testing.T, file string) string {
	t.Helper()
	for _, user := range []string{"worker", "reader", "forwarder", "operator", "listener", "stranger", "acme", "admin", "historian"} {
		t.Setenv(strings.ToUpper(user)+"_PASSWORD", password(user))
	}
	options, err := server.ProcessConfigFile(file)
	if err != nil {
		t.Fatal(err)
	}
	options.Host, options.Port, options.HTTPPort, options.StoreDir = "127.0.0.1", server.RANDOM_PORT, 0, t.TempDir()
	if options.Cluster.Port != 0 { // one of three stands for all of them
		options.Cluster, options.Routes, options.JetStreamMaxStore = server.ClusterOpts{}, nil, 3*options.JetStreamMaxStore
	}
	options.TLSConfig, options.TLS = nil, false // on loopback
	return natstest.StartWith(t, *options).URL()
}

// worker runs the overlay's worker with what is its own in a test, and logs to
// an observer. The function stops it and waits.
func worker(t *testing.T, url, endpoint string) (logs *observer.ObservedLogs, stop func()) {
	t.Helper()
	return running(t, overlaid(t, url, endpoint))
}

func overlaid(t *testing.T, url, endpoint string) config.Config {
	t.Helper()
	cfg := load(t, filepath.Join(overlay, "rollcall.yaml"))
	cfg.DataDir, cfg.HTTP.Listen, cfg.NATS.URL = t.TempDir(), "127.0.0.1:0", url
	cfg.NATS.PasswordFile = secret(t, password("worker"))
	cfg.Stream.MaxBytes, cfg.Stream.WorkersMaxBytes, cfg.Stream.BudgetMaxBytes = 1<<28, 1<<20, 1<<20 // accounts.conf demands them
	tenant := &cfg.Tenants[0]
	tenant.Endpoint, tenant.Auth.ClientSecretFile = endpoint, secret(t, simulator.DefaultAppSecret)
	tenant.Poll.Schedule, tenant.Poll.MonthlyCalls = "@every 1s", 10_000_000
	return cfg
}

func running(t *testing.T, cfg config.Config) (logs *observer.ObservedLogs, stop func()) {
	t.Helper()
	core, logs := observer.New(zapcore.InfoLevel)
	s, err := service.New(cfg, "test", zap.New(core))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the worker stopped with %v", err)
		}
	})
	t.Cleanup(stop)
	select {
	case <-s.Ready():
	case <-time.After(time.Minute):
		t.Fatalf("the worker never began: %v", logs.All())
	}
	return logs, stop
}

func secret(t *testing.T, content string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func connect(t *testing.T, url, user string) (conn *nats.Conn, refused chan error) {
	t.Helper()
	refused = make(chan error, 100)
	conn, err := nats.Connect(url, nats.UserInfo(user, password(user)), nats.CustomInboxPrefix("_INBOX."+user),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { refused <- err }))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	return conn, refused
}

// simulated serves the meetings that the overlay's configuration names.
func simulated(t *testing.T) string {
	t.Helper()
	sim, err := simulator.New(simulator.Config{Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	want := load(t, filepath.Join(overlay, "rollcall.yaml")).Tenants[0].Track.Conferences
	if got := sim.ConferenceIDs(); !slices.Equal(got, want) {
		t.Fatalf("the simulator's meetings are %q, the overlay tracks %q", got, want)
	}
	api := httptest.NewServer(sim.Handler())
	t.Cleanup(api.Close)
	return api.URL
}

func TestPermissionsSuffice(t *testing.T) {
	url, endpoint := broker(t), simulated(t)
	first, stopFirst := worker(t, url, endpoint)
	for _, user := range []string{"reader", "worker"} { // the worker's pod has its user alone, also for rollcall tail
		reader, refused := connect(t, url, user)
		js, err := jetstream.New(reader)
		if err != nil {
			t.Fatal(err)
		}
		read(t, reader, js)
		readAside(t, js, tenantOf(t).Name)
		readPast(t, reader, js, tenantOf(t).Name)
		unrefused(t, user, refused)
	}
	// A second worker reads what is stored, and passes on what it is asked.
	second, stopSecond := worker(t, url, endpoint)
	for _, user := range []string{"operator", "worker"} {
		operate(t, url, user)
	}
	stopFirst()
	stopSecond()
	quiet(t, slices.Concat(first.All(), second.All()))
}

// operate does what rollcall list and show do.
func operate(t *testing.T, url, user string) {
	t.Helper()
	tenant := tenantOf(t)
	conn, refused := connect(t, url, user)
	operator := &control.Client{Conn: conn, Names: names, Tenant: tenant.Name}
	tenants, err := control.Tenants(t.Context(), conn, names)
	if err != nil || !slices.Contains(tenants, tenant.Name) {
		t.Errorf("%s finds the tenants %q, %v", user, tenants, err)
	}
	for range 12 { // each is answered by one of the two workers
		if _, err := operator.Show(t.Context(), tenant.Track.Conferences[0]); err != nil {
			t.Errorf("%s is shown nothing: %v", user, err)
		}
	}
	forget(t, operator)
	unrefused(t, user, refused)
}

// forget has somebody forgotten, for which the worker erases events.
func forget(t *testing.T, operator *control.Client) {
	t.Helper()
	for _, id := range tenantOf(t).Track.Conferences {
		shown, err := operator.Show(t.Context(), id)
		if err != nil || shown.Record == nil {
			t.Fatalf("nothing is shown: %v", err)
		}
		for _, p := range shown.Record.Roster {
			if p.UserID == "" || rollcall.IsForgotten(p.UserID) {
				continue
			}
			if done, err := operator.Forget(t.Context(), p.UserID, id); err != nil || done.Meetings[0].Events == 0 {
				t.Errorf("nothing of %s is erased: %+v, %v", p.UserID, done, err)
			}
			return
		}
	}
	t.Error("nobody is there to be forgotten")
}

func unrefused(t *testing.T, user string, refused chan error) {
	t.Helper()
	if len(refused) > 0 {
		t.Errorf("NATS refuses %s: %v", user, <-refused)
	}
}

// quiet fails where a worker was refused something. What is slow on a busy
// machine may be complained of.
func quiet(t *testing.T, logs []observer.LoggedEntry) {
	t.Helper()
	for _, entry := range logs {
		if said := fmt.Sprint(entry.Message, entry.ContextMap()); strings.Contains(strings.ToLower(said), "permissions violation") {
			t.Errorf("a worker lacks a permission: %s", said)
		}
	}
}

func tenantOf(t *testing.T) config.Tenant {
	t.Helper()
	return load(t, filepath.Join(overlay, "rollcall.yaml")).Tenants[0]
}

// read subscribes as services do, and waits for one event as rollcall tail does.
func read(t *testing.T, conn *nats.Conn, js jetstream.JetStream) {
	t.Helper()
	if _, err := conn.Subscribe(names.Events(), func(*nats.Msg) {}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	seen := false
	feed := consume.Feed{
		JetStream: js, Since: time.Now().Add(-time.Hour),
		OnTrouble: func(err error) { t.Logf("the reader has trouble: %v", err) },
	}
	err := consume.Follow(ctx, conn, feed, func([]byte) error { seen = true; cancel(); return nil })
	if err != nil || !seen {
		t.Fatalf("the reader has seen an event: %v, %v", seen, err)
	}
	handle(t, conn, js)
}

// handle handles an event of a durable consumer, and after a process that has
// taken another and is gone.
func handle(t *testing.T, conn *nats.Conn, js jetstream.JetStream) {
	t.Helper()
	handled := 0
	for range 2 {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		d := consume.Durable{Name: "service", JetStream: js, OnTrouble: func(err error) { t.Logf("the service has trouble: %v", err) }}
		err := consume.Handle(ctx, conn, d, func(context.Context, consume.Event) error {
			handled++
			cancel()
			return nil
		})
		if err != nil {
			t.Errorf("the service ended with %v", err)
		}
	}
	if handled < 2 {
		t.Errorf("%d events were handled", handled)
	}
}

// readPast reads what rollcall report, replay and explain do.
func readPast(t *testing.T, conn *nats.Conn, js jetstream.JetStream, tenant string) {
	t.Helper()
	events := 0
	err := consume.Read(t.Context(), conn, consume.Feed{JetStream: js, Watch: true}, func(consume.Stored) error { events++; return nil })
	if err != nil || events == 0 {
		t.Errorf("%d events were read, %v", events, err)
	}
	ledger := store.Attach(js, names)
	if records, err := ledger.LoadAll(t.Context(), tenant); err != nil || len(records) == 0 {
		t.Errorf("%d records were read, %v", len(records), err)
	}
	statuses, err := ledger.Statuses(t.Context())
	if _, shards := ledger.Shards(t.Context(), []string{tenant}); err != nil || shards != nil || len(statuses) == 0 {
		t.Errorf("statuses: %v, %v; shards: %v", statuses, err, shards)
	}
	stream, err := js.Stream(t.Context(), names.Stream)
	if err != nil {
		t.Fatal(err)
	}
	if claim, err := stream.GetLastMsgForSubject(t.Context(), names.Claim(tenant, 0)); err != nil || len(claim.Data) == 0 {
		t.Errorf("the claim was not read: %v", err)
	}
}

// readAside reads what rollcall workers and rollcall budget show.
func readAside(t *testing.T, js jetstream.JetStream, tenant string) {
	t.Helper()
	ledger := store.Attach(js, names)
	if members, err := ledger.Members(t.Context()); err != nil || len(members) != 1 {
		t.Errorf("the reader finds the workers %v, %v", members, err)
	}
	budgets, err := ledger.Budgets(t.Context(), string(budget.MonthOf(time.Now())))
	if err != nil || len(budgets[tenant]) == 0 {
		t.Errorf("the reader finds the budgets %q, %v", budgets, err)
	}
}

// What would forge an event, or take one away, is refused by the server.
func TestPermissionsAreNoMoreThanNeeded(t *testing.T) {
	url := broker(t)
	for user, subjects := range map[string][]string{
		"reader": {
			names.Commit("meetings.event.x"), "meetings.event.x", "$KV.MEETINGS_WORKERS.x", "$KV.MEETINGS_BUDGET.x", names.API("simulated", "track"),
			"_INBOX.x", "$JS.API.STREAM.CREATE.X", "$JS.API.STREAM.UPDATE.MEETINGS", "$JS.API.STREAM.PURGE.MEETINGS",
			"$JS.API.STREAM.DELETE.MEETINGS", "$JS.API.STREAM.MSG.DELETE.MEETINGS", "$JS.API.CONSUMER.DELETE.MEETINGS.theirs",
			"$JS.API.CONSUMER.CREATE.KV_MEETINGS_WORKERS.x", "$JS.API.INFO", "$SRV.PING",
		},
		"forwarder": {
			names.Commit("meetings.event.x"), "meetings.event.x", "$KV.MEETINGS_WORKERS.x", "$KV.MEETINGS_BUDGET.x", names.API("simulated", "track"), "_INBOX.x",
			"$JS.API.STREAM.UPDATE.KV_MEETINGS_FORWARD", "$JS.API.STREAM.PURGE.KV_MEETINGS_FORWARD", "$JS.API.STREAM.DELETE.MEETINGS_UNDELIVERED",
			"$JS.API.STREAM.DELETE.MEETINGS", "$JS.API.CONSUMER.DELETE.MEETINGS.theirs", "$JS.API.CONSUMER.CREATE.KV_MEETINGS_FORWARD.x", "$SRV.PING",
		},
		"listener": {names.Commit("meetings.event.x"), "meetings.event.x", "$JS.API.DIRECT.GET.MEETINGS", "$JS.API.STREAM.INFO.MEETINGS", "$SRV.PING", "_INBOX.x"},
		"operator": {names.Commit("meetings.event.x"), "meetings.event.x", "$JS.API.STREAM.INFO.MEETINGS", "_INBOX.x"},
		"worker": {
			"meetings.event.x", "$JS.API.STREAM.UPDATE.MEETINGS", "$JS.API.STREAM.PURGE.MEETINGS",
			"$JS.API.STREAM.DELETE.MEETINGS", "$JS.API.STREAM.MSG.DELETE.KV_MEETINGS_WORKERS", "$JS.API.CONSUMER.DELETE.MEETINGS.theirs", "meetings.x",
		},
	} {
		conn, _ := connect(t, url, user)
		for _, name := range subjects {
			if err := conn.Publish(name, nil); err != nil {
				t.Fatal(err)
			}
			// The refusal comes before the answer to the flush.
			if err := conn.Flush(); err != nil {
				t.Fatal(err)
			}
			if err := conn.LastError(); err == nil || !strings.Contains(err.Error(), `"`+name+`"`) {
				t.Errorf("%s may publish to %s", user, name)
			}
		}
	}
}
