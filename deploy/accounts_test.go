package deploy_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"rollcall/cmd/rollcall/check"
	"rollcall/cmd/rollcall/control"
	"rollcall/consume"
	"rollcall/internal/natsconn"
)

const importedAPI = "JS.rollcall.API"

// edition copies files of the overlay, or of the folder nats, into one, as they
// are mounted, with some words exchanged, and returns the path of the first.
func edition(t *testing.T, files []string, exchange ...string) string {
	t.Helper()
	dir := t.TempDir()
	for _, file := range files {
		text, err := os.ReadFile(filepath.Join("nats", file))
		if errors.Is(err, fs.ErrNotExist) {
			text, err = os.ReadFile(filepath.Join(overlay, file))
		}
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, file), []byte(strings.NewReplacer(exchange...).Replace(string(text))), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, files[0])
}

// accounts runs accounts.conf, with an administrator in the worker's account and
// operators of the overlay's tenant.
func accounts(t *testing.T) string {
	t.Helper()
	return brokerOf(t, edition(t, []string{"accounts.conf", "permissions.conf"},
		"{ user: worker,", "{ user: admin, password: $ADMIN_PASSWORD }\n { user: worker,",
		"include ./permissions.conf", "include ./permissions.conf\nmax_payload: 4MB\njetstream { }",
		".api.acme.", ".api."+tenantOf(t).Name+"."))
}

func imported(t *testing.T, conn *nats.Conn) jetstream.JetStream {
	t.Helper()
	js, err := natsconn.JetStream(conn, "", importedAPI)
	if err != nil {
		t.Fatal(err)
	}
	return js
}

// TestReadersOfAnotherAccount has readers do all that readers do, in an account
// that imports what they need.
func TestReadersOfAnotherAccount(t *testing.T) {
	url := accounts(t)
	worker(t, url, simulated(t))
	conn, refused := connect(t, url, "reader")
	js := imported(t, conn)
	read(t, conn, js)
	readAside(t, js, tenantOf(t).Name)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	meetings, err := consume.Watch(ctx, conn, consume.Options{JetStream: js})
	if err != nil {
		t.Fatal(err)
	}
	select {
	case <-meetings.Synced():
	case <-ctx.Done():
		t.Fatal("the meetings were never read")
	}
	durable(t, js, js, "mine")
	admin, _ := connect(t, url, "admin")
	home, err := jetstream.New(admin)
	if err != nil {
		t.Fatal(err)
	}
	stranger, forbidden := connect(t, url, "stranger")
	durable(t, home, imported(t, stranger), "billing")
	for _, errs := range []chan error{refused, forbidden} {
		if len(errs) > 0 {
			t.Errorf("NATS refuses: %v", <-errs)
		}
	}
}

// TestSourcesInAnotherAccount stores the events in a stream of another account, by
// what docs/consumers.md says, and has them handled there.
func TestSourcesInAnotherAccount(t *testing.T) {
	page, err := os.ReadFile("../docs/consumers.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := strings.Split(string(page), "```conf\n")
	if len(blocks) != 3 {
		t.Fatalf("%d configurations", len(blocks)-1)
	}
	exports, _, _ := strings.Cut(blocks[1], "```")
	account, _, _ := strings.Cut(blocks[2], "```")
	url := brokerOf(t, edition(t, []string{"accounts.conf", "permissions.conf"},
		"exports: [", "exports: [\n"+exports, "  # Operators of the tenant acme alone", account+"  # Operators of the tenant acme alone",
		"include ./permissions.conf", "include ./permissions.conf\nmax_payload: 4MB\njetstream { }"))
	_, stop := worker(t, url, simulated(t))
	defer stop()
	conn, err := nats.Connect(url, nats.UserInfo("historian", password("historian")))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	js, err := jetstream.New(conn)
	if err != nil {
		t.Fatal(err)
	}
	source := &jetstream.StreamSource{
		Name: "MEETINGS", FilterSubject: "meetings.event.>",
		External: &jetstream.ExternalStream{APIPrefix: "JS.rollcall.API", DeliverPrefix: "rollcall.history"},
	}
	if _, err := js.CreateStream(t.Context(), jetstream.StreamConfig{Name: "HISTORY", Sources: []*jetstream.StreamSource{source}}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	handled := 0
	err = consume.Handle(ctx, conn, consume.Durable{Name: "history", Names: consume.Names{Stream: "HISTORY"}}, func(context.Context, consume.Event) error {
		if handled++; handled == 20 {
			cancel()
		}
		return nil
	})
	if err != nil || handled < 20 {
		t.Errorf("%d events were handled, %v", handled, err)
	}
}

// durable makes a consumer, and takes and acknowledges an event of it.
func durable(t *testing.T, maker, taker jetstream.JetStream, name string) {
	t.Helper()
	if _, err := maker.CreateConsumer(t.Context(), names.Stream, jetstream.ConsumerConfig{Durable: name, FilterSubject: names.Events()}); err != nil {
		t.Fatal(err)
	}
	consumer, err := taker.Consumer(t.Context(), names.Stream, name)
	if err != nil {
		t.Fatal(err)
	}
	m, err := consumer.Next(jetstream.FetchMaxWait(time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	if err := m.DoubleAck(t.Context()); err != nil {
		t.Errorf("an event is not acknowledged: %v", err)
	}
}

// TestOperatorsOfOneTenant may give orders for it, and for no other.
func TestOperatorsOfOneTenant(t *testing.T) {
	url := accounts(t)
	worker(t, url, simulated(t))
	tenant := tenantOf(t)
	conn, refused := connect(t, url, "acme")
	// Its inbox is that of operators, whoever it is.
	conn.Close()
	conn, err := nats.Connect(url, nats.UserInfo("acme", password("acme")), nats.CustomInboxPrefix("_INBOX.operator"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	operator := &control.Client{Conn: conn, Names: names, Tenant: tenant.Name}
	if _, err := operator.Show(t.Context(), tenant.Track.Conferences[0]); err != nil || len(refused) > 0 {
		t.Errorf("the operator of the tenant is shown nothing: %v", err)
	}
	if _, err := operator.List(t.Context()); err != nil {
		t.Errorf("the operator of the tenant lists nothing: %v", err)
	}
	worker, _ := connect(t, url, "worker")
	heard, err := worker.SubscribeSync(names.API("*", "*"))
	if err != nil {
		t.Fatal(err)
	}
	_ = worker.Flush()
	if err := conn.PublishRequest(names.API("other", "track"), conn.NewInbox(), nil); err != nil {
		t.Fatal(err)
	}
	_, _ = operator.Show(t.Context(), tenant.Track.Conferences[0]) // comes after it
	if m, err := heard.NextMsg(time.Minute); err != nil || m.Subject != names.API(tenant.Name, "show") {
		t.Errorf("an order for another tenant arrives: %v, %v", m, err)
	}
}

// TestReadersHaveNothingStored tries whatever makes the server itself write: an
// answer, a message of a consumer, where a reader of another account wants it.
func TestReadersHaveNothingStored(t *testing.T) {
	url := accounts(t)
	_, stop := worker(t, url, simulated(t))
	admin, _ := connect(t, url, "admin")
	js, err := jetstream.New(admin)
	if err != nil {
		t.Fatal(err)
	}
	read(t, admin, js)
	for _, name := range []string{"billing", "mine"} {
		if _, err := js.CreateConsumer(t.Context(), names.Stream, jetstream.ConsumerConfig{Durable: name}); err != nil {
			t.Fatal(err)
		}
	}
	stop()
	heard, err := admin.SubscribeSync(">")
	if err != nil {
		t.Fatal(err)
	}
	_ = admin.Flush()
	before := lasts(t, js)
	for _, user := range []string{"reader", "stranger"} {
		conn, _ := connect(t, url, user)
		for _, to := range []string{
			names.Commit("meetings.claim.simulated.0"), names.Commit("meetings.event.simulated.x.participant.left"),
			"$KV.MEETINGS_WORKERS.x", "$KV.MEETINGS_BUDGET.x", names.API("simulated", "track"), "$JS.API.STREAM.PURGE.MEETINGS",
		} {
			push := fmt.Sprintf(`{"stream_name":"MEETINGS","config":{"name":"push","deliver_subject":%q,"deliver_policy":"all","ack_policy":"none"}}`, to)
			for request, body := range map[string]string{
				"DIRECT.GET.MEETINGS": `{"last_by_subj":"meetings.status.simulated"}`, "DIRECT.GET.MEETINGS.meetings.status.simulated": "",
				"STREAM.INFO.MEETINGS": "", "CONSUMER.INFO.MEETINGS.billing": "", "CONSUMER.MSG.NEXT.MEETINGS.billing": "1",
			} {
				publish(t, conn, importedAPI+"."+request, to, body)
			}
			if user == "stranger" || strings.HasPrefix(to, names.Commit("")) {
				publish(t, conn, importedAPI+".CONSUMER.CREATE.MEETINGS.push", conn.NewInbox(), push)
			}
			for _, subject := range []string{"rollcall.MEETINGS.commit.x", "$JS.API.STREAM.PURGE.MEETINGS", names.API("simulated", "track"), to} {
				publish(t, conn, subject, "", "x")
			}
		}
	}
	if after := lasts(t, js); !slices.Equal(before, after) {
		t.Errorf("something is stored: %v, before %v", after, before)
	}
	for m, err := heard.NextMsg(time.Second); err == nil; m, err = heard.NextMsg(time.Second) {
		if !strings.HasPrefix(m.Subject, "_INBOX.admin.") && !strings.HasPrefix(m.Subject, "$JS.") && !strings.HasPrefix(m.Subject, "_R_.") {
			t.Errorf("the worker's account hears %s", m.Subject)
		}
	}
}

func publish(t *testing.T, conn *nats.Conn, subject, reply, body string) {
	t.Helper()
	if err := errors.Join(conn.PublishMsg(&nats.Msg{Subject: subject, Reply: reply, Data: []byte(body)}), conn.Flush()); err != nil {
		t.Fatal(err)
	}
}

// lasts are the last sequences of all streams.
func lasts(t *testing.T, js jetstream.JetStream) (all []string) {
	t.Helper()
	streams := js.ListStreams(t.Context())
	for info := range streams.Info() {
		all = append(all, fmt.Sprint(info.Config.Name, " ", info.State.LastSeq))
	}
	slices.Sort(all)
	return all
}

// TestSomeUsersAreEnough starts servers whose configuration includes the file
// and names some of its sets alone.
func TestSomeUsersAreEnough(t *testing.T) {
	for _, sets := range []string{"", "WORKER", "LISTENER", "READER", "OPERATOR", "WORKER OPERATOR"} {
		var users []string
		for _, set := range strings.Fields(sets) {
			name := strings.ToLower(set)
			users = append(users, fmt.Sprintf("{ user: %s, password: %s, permissions: $ROLLCALL_%s }", name, password(name), set))
		}
		file := edition(t, []string{"permissions.conf"})
		conf := filepath.Join(filepath.Dir(file), "nats.conf")
		text := "include ./permissions.conf\naccounts { A { jetstream: enabled, users: [" + strings.Join(users, "\n") + "] } }\njetstream { }\n"
		if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		url := brokerOf(t, conf)
		for _, set := range strings.Fields(sets) {
			conn, _ := connect(t, url, strings.ToLower(set))
			publish(t, conn, "elsewhere", "", "")
			if err := conn.LastError(); err == nil {
				t.Errorf("with the sets %q, the user of %s may publish anything", sets, set)
			}
		}
	}
}

// TestPermissionsInADomain has a worker and a reader reach a JetStream by its
// domain, which NATS takes out of a subject before it looks at permissions.
func TestPermissionsInADomain(t *testing.T) {
	file := edition(t, []string{"nats.conf", "permissions.conf"}, "jetstream { store_dir: /data }", "jetstream { domain: hub }")
	url := brokerOf(t, file)
	cfg := overlaid(t, url, simulated(t))
	cfg.NATS.Domain = "hub"
	logs, stop := running(t, cfg)
	conn, refused := connect(t, url, "reader")
	js, err := natsconn.JetStream(conn, "hub", "")
	if err != nil {
		t.Fatal(err)
	}
	read(t, conn, js)
	readAside(t, js, tenantOf(t).Name)
	stop()
	quiet(t, logs.All())
	if len(refused) > 0 {
		t.Errorf("NATS refuses: %v", <-refused)
	}
}

// TestCheckFindsNothingMissing checks as the worker of the overlay.
func TestCheckFindsNothingMissing(t *testing.T) {
	url := broker(t)
	for range 2 { // without the stream, and with it
		cfg := overlaid(t, url, simulated(t))
		_, err := check.Check{
			Config: cfg, NoCall: true,
			Broker: natsconn.Config{URL: url, User: cfg.NATS.User, PasswordFile: cfg.NATS.PasswordFile, InboxPrefix: cfg.NATS.InboxPrefix},
			Report: func(r check.Result) {
				if r.Part == "nats" && (r.Verdict == check.Fail || r.Verdict == check.Warn) {
					t.Errorf("%s: %s: %s; %s", r.Check, r.Tried, r.Found, r.Fix)
				}
			},
		}.Run(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		_, stop := worker(t, url, simulated(t))
		stop()
	}
}

// TestNobodyHearsTheAnswersOfOthers subscribes to inboxes that are not its own.
func TestNobodyHearsTheAnswersOfOthers(t *testing.T) {
	url := broker(t)
	for _, user := range []string{"worker", "reader", "operator", "listener"} {
		for _, subject := range []string{"_INBOX.>", "_INBOX.*.*", "_INBOX.other.>", ">", "*.>", "_R_.>", "$JS.>", "$KV.>", "rollcall.MEETINGS.commit.>"} {
			conn, _ := connect(t, url, user)
			if _, err := conn.SubscribeSync(subject); err != nil {
				t.Fatal(err)
			}
			_ = conn.Flush()
			if err := conn.LastError(); err == nil || !strings.Contains(err.Error(), `Subscription to "`+subject+`"`) {
				t.Errorf("%s may subscribe to %s: %v", user, subject, err)
			}
		}
	}
}
