package check

import (
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"

	"rollcall/cmd/rollcall/config"
	"rollcall/internal/natstest"
	"rollcall/store"
	"rollcall/wire"
)

func names() wire.Names { return wire.Names{Stream: "MEETINGS", Prefix: "meetings"} }

// denies are permissions without some subjects to publish to.
func denies(subjects ...string) *server.Permissions {
	return &server.Permissions{Publish: &server.SubjectPermission{Deny: subjects}}
}

// opened is the JetStream of a server with the ledger on it.
func opened(t *testing.T, s *natstest.Server, cfg store.StreamConfig) jetstream.JetStream {
	t.Helper()
	js := s.JetStream(t, nats.UserInfo("admin", password))
	if _, err := store.Open(t.Context(), js, names(), cfg, zap.NewNop()); err != nil {
		t.Fatal(err)
	}
	return js
}

// TestMissingPermissionsAreFoundByTrying takes one permission after the other.
func TestMissingPermissionsAreFoundByTrying(t *testing.T) {
	for _, c := range []struct {
		permissions *server.Permissions
		check       string
		verdict     Verdict
		words       []string
	}{
		{denies("$JS.API.STREAM.INFO.MEETINGS"), "look", Fail, []string{"may not publish to $JS.API.STREAM.INFO.MEETINGS", "allow the user to publish to"}},
		{denies("$JS.API.STREAM.INFO.KV_MEETINGS_WORKERS"), "look", Fail, []string{"STREAM.INFO.KV_MEETINGS_WORKERS"}},
		{denies("$JS.API.INFO"), "jetstream", OK, []string{"may not ask"}},
		{denies("$JS.API.DIRECT.GET.>"), "read", Fail, []string{"$JS.API.DIRECT.GET.MEETINGS", "$JS.API.DIRECT.GET.KV_MEETINGS_WORKERS"}},
		{denies("rollcall.MEETINGS.commit.>"), "publish", Fail, []string{"commit.event.acme", "commit.state.acme", "commit.tracked.acme", "commit.status.acme", "commit.claim.acme", "allow the user to publish to rollcall.MEETINGS.commit.>"}},
		{denies("rollcall.MEETINGS.commit.state.>"), "publish", Fail, []string{"may not publish to rollcall.MEETINGS.commit.state.acme.rollcall-check\n"}},
		{denies("$KV.MEETINGS_WORKERS.>"), "workers", Fail, []string{"allow the user to publish to $KV.MEETINGS_WORKERS.>"}},
		{denies("$JS.API.STREAM.MSG.DELETE.MEETINGS"), "erase", Warn, []string{"rollcall forget will erase nobody's events: the user may not publish to $JS.API.STREAM.MSG.DELETE.MEETINGS", "allow the user to publish to $JS.API.STREAM.MSG.DELETE.MEETINGS"}},
		{denies("$JS.API.STREAM.LIST"), "downstream", Skip, []string{"may not list streams"}},
		{&server.Permissions{Subscribe: &server.SubjectPermission{Deny: []string{"_INBOX.>"}}}, "jetstream", Fail, []string{"no answer could be heard", "allow the user to subscribe to _INBOX.>"}},
		{&server.Permissions{Subscribe: &server.SubjectPermission{Deny: []string{"rollcall.MEETINGS.api.>"}}}, "api", Warn, []string{"may not subscribe to rollcall.MEETINGS.api.acme.track"}},
	} {
		t.Run(c.check, func(t *testing.T) {
			t.Parallel()
			s := startNATS(t, c.permissions)
			opened(t, s, store.StreamConfig{})
			r := run(t, newWorld(t).on(s.URL()).as(t, "w").check())
			r.says(t, "nats "+c.check, c.verdict, c.words...)
			if r.count[Fail] > 1 {
				t.Errorf("more than one failed:\n%s", r.text)
			}
		})
	}
}

// TestTheBudgetsBucketIsTriedWhereCallsAreCounted takes one permission after the
// other, without the bucket and with one of which something is wrong.
func TestTheBudgetsBucketIsTriedWhereCallsAreCounted(t *testing.T) {
	memory := jetstream.KeyValueConfig{Bucket: "MEETINGS_BUDGET", Storage: jetstream.MemoryStorage}
	forgets := jetstream.KeyValueConfig{Bucket: "MEETINGS_BUDGET", TTL: time.Hour}
	for name, c := range map[string]struct {
		permissions *server.Permissions
		bucket      *jetstream.KeyValueConfig // nil: there is none
		verdict     Verdict
		words       []string
	}{
		"absent":        {nil, nil, OK, []string{"allowed, nothing is stored"}},
		"there":         {nil, &jetstream.KeyValueConfig{Bucket: "MEETINGS_BUDGET"}, OK, []string{"allowed"}},
		"in memory":     {nil, &memory, Fail, []string{"MEETINGS_BUDGET is in memory", "nats kv del MEETINGS_BUDGET"}},
		"forgets":       {nil, &forgets, Fail, []string{"forgets after 1h", "--ttl 0"}},
		"not looked at": {denies("$JS.API.STREAM.INFO.KV_MEETINGS_BUDGET"), nil, Fail, []string{"allow the user to publish to $JS.API.STREAM.INFO.KV_MEETINGS_BUDGET"}},
		"not created":   {denies("$JS.API.STREAM.CREATE.KV_MEETINGS_BUDGET"), nil, Fail, []string{"may not publish to $JS.API.STREAM.CREATE.KV_MEETINGS_BUDGET"}},
		"not read":      {denies("$JS.API.DIRECT.GET.KV_MEETINGS_BUDGET"), nil, Fail, []string{"DIRECT.GET.KV_MEETINGS_BUDGET"}},
		"not written":   {denies("$KV.MEETINGS_BUDGET.>"), nil, Fail, []string{"allow the user to publish to", "$KV.MEETINGS_BUDGET.>"}},
		"not for acme":  {denies("$KV.MEETINGS_BUDGET.acme.>"), nil, Fail, []string{"may not publish to $KV.MEETINGS_BUDGET.acme."}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := startNATS(t, c.permissions)
			js := opened(t, s, store.StreamConfig{})
			if c.bucket != nil {
				if _, err := js.CreateKeyValue(t.Context(), *c.bucket); err != nil {
					t.Fatal(err)
				}
			}
			w := newWorld(t).on(s.URL()).as(t, "w")
			run(t, w.check()).lacks(t, "nats budget")
			w.tenant().Poll.MonthlyCalls = 5000
			run(t, w.check()).says(t, "nats budget", c.verdict, c.words...)
			if _, err := js.KeyValue(t.Context(), "MEETINGS_BUDGET"); (err == nil) != (c.bucket != nil) {
				t.Errorf("the bucket: %v", err)
			}
		})
	}
}

func TestCreatingIsTriedWhereSomethingIsAbsent(t *testing.T) {
	s := startNATS(t, denies("$JS.API.STREAM.CREATE.>"))
	run(t, newWorld(t).on(s.URL()).as(t, "w").check()).says(t, "nats create", Fail, "$JS.API.STREAM.CREATE.MEETINGS", "$JS.API.STREAM.CREATE.KV_MEETINGS_WORKERS")
	opened(t, s, store.StreamConfig{})
	run(t, newWorld(t).on(s.URL()).as(t, "w").check()).says(t, "nats create", Skip, "not needed")

	w := newWorld(t).on(startNATS(t, nil).URL()).as(t, "w")
	w.cfg.Stream.Replicas = 3
	run(t, w.check()).says(t, "nats create", Fail, "in no cluster", "set stream.replicas to 1")
}

// TestNothingIsStored holds all that can be seen of the server before and after.
func TestNothingIsStored(t *testing.T) {
	s := startNATS(t, nil)
	js := s.JetStream(t, nats.UserInfo("admin", password))
	seen := func() (states []string) {
		list := js.ListStreams(t.Context())
		for info := range list.Info() {
			states = append(states, fmt.Sprintf("%s: %d messages, last %d, %d consumers", info.Config.Name, info.State.Msgs, info.State.LastSeq, info.State.Consumers))
		}
		return states
	}
	w := newWorld(t).on(s.URL()).as(t, "w")
	if r := run(t, w.check()); r.count[Fail] > 0 || len(seen()) > 0 {
		t.Errorf("there is %v:\n%s", seen(), r.text)
	}
	opened(t, s, store.StreamConfig{})
	if _, err := js.PublishMsg(t.Context(), &nats.Msg{Subject: names().Commit(names().Status("acme")), Data: []byte("{}")}); err != nil {
		t.Fatal(err)
	}
	listening, err := js.Conn().SubscribeSync("meetings.>")
	if err != nil {
		t.Fatal(err)
	}
	before := seen()
	if r := run(t, w.check()); r.count[OK] != len(r.results)-1 { // all but the creation that is not needed
		t.Errorf("not all is fine:\n%s", r.text)
	}
	if diff := cmp.Diff(before, seen()); diff != "" || len(before) != 2 {
		t.Errorf("the check changed what is stored:\n%s", diff)
	}
	if n, _, _ := listening.Pending(); n != 0 {
		t.Errorf("%d messages were republished", n)
	}
}

func TestServersThatAreTooOld(t *testing.T) {
	for version, c := range map[string]struct {
		verdict Verdict
		word    string
	}{
		"2.10.0": {Fail, "2.14.4 or newer"},
		"2.14.3": {Fail, "an atomic batch may be stored in part"},
		"2.14.9": {Warn, "not the recommended 2.15"},
		"latest": {Fail, "is none"},
	} {
		w := newWorld(t).on(oldServer(t, "\x1b[31mred", version))
		check := w.check()
		check.Timeout = 2 * time.Second // after 2.14.9 comes what the stand-in does not answer
		r := run(t, check)
		r.says(t, "nats version", c.verdict, c.word)
		r.says(t, "nats connect", OK, `\x1b[31mred`)
		if strings.Contains(r.text, "\x1b") {
			t.Errorf("a control character shows:\n%q", r.text)
		}
	}
}

func TestWithoutJetStream(t *testing.T) {
	for name, c := range map[string]struct {
		options server.Options
		word    string
	}{
		"server":  {server.Options{}, "start it with -js"},
		"account": {server.Options{JetStream: true, StoreDir: t.TempDir(), Accounts: []*server.Account{server.NewAccount("plain")}}, "not enabled for this account"},
	} {
		c.options.Host, c.options.Port, c.options.NoLog, c.options.NoSigs = "127.0.0.1", server.RANDOM_PORT, true, true
		c.options.Users = []*server.User{{Username: "w", Password: password}}
		if len(c.options.Accounts) > 0 {
			c.options.Users[0].Account = c.options.Accounts[0]
		}
		s, err := server.NewServer(&c.options)
		if err != nil {
			t.Fatal(err)
		}
		s.Start()
		if !s.ReadyForConnections(time.Minute) {
			t.Fatal("it does not start")
		}
		r := run(t, newWorld(t).on(s.ClientURL()).as(t, "w").check())
		r.says(t, "nats jetstream", Fail, c.word)
		r.says(t, "nats publish", Skip)
		s.Shutdown()
		s.WaitForShutdown()
		_ = name
	}
}

func TestLogin(t *testing.T) {
	s := startNATS(t, nil)
	w := newWorld(t).on(s.URL()).as(t, "w")
	w.file(t, "password", "another")
	run(t, w.check()).says(t, "nats login", Fail, "nats.user w", "Authorization Violation", "not revoked")
	r := run(t, newWorld(t).on(s.URL()).check())
	r.says(t, "nats login", Fail, "no credentials", "set nats.credentials_file")
	r.says(t, "nats tls", OK, "not encrypted")
	w.cfg.NATS.PasswordFile = w.dir + "/absent"
	run(t, w.check()).says(t, "nats login", Fail, "nats.password_file", "no such file")
	run(t, newWorld(t).on("tls"+strings.TrimPrefix(s.URL(), "nats")).as(t, "w").check()).says(t, "nats tls", Fail, "offers no TLS", "write nats://")
}

func TestWhatIsNoNATS(t *testing.T) {
	ssh := greeter(t, "SSH-2.0-OpenSSH\r\n")
	run(t, newWorld(t).on("nats://"+ssh).check()).says(t, "nats connect", Fail, "no NATS server", "4222 is the usual one")
	api := httptest.NewServer(http.NotFoundHandler())
	defer api.Close()
	w := newWorld(t).on("nats://" + strings.TrimPrefix(api.URL, "http://"))
	c := w.check()
	c.Timeout = 3 * time.Second // which passes: nobody says anything
	r := run(t, c)
	r.says(t, "nats connect", OK, "it says nothing")
	r.says(t, "nats login", Fail, "does not complete the login", "check the port")
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	listener.Close()
	r = run(t, newWorld(t).on("nats://"+listener.Addr().String()).check())
	r.says(t, "nats connect", Fail, "connection refused", "start NATS there")
	r.says(t, "nats login", Skip)
}

func TestOneOfSeveralServersIsEnough(t *testing.T) {
	s := startNATS(t, nil)
	w := newWorld(t).on("nats://127.0.0.1:1, "+s.URL()).as(t, "w")
	r := run(t, w.check())
	r.says(t, "nats connect", Warn, "connect to nats://127.0.0.1:1: dial tcp", "nats-1")
	r.says(t, "nats downstream", OK)
}

// greeter says one thing to everybody who connects.
func greeter(t *testing.T, text string) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	t.Cleanup(func() { listener.Close(); <-done })
	go func() {
		defer close(done)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			_, _ = io.WriteString(conn, text)
			conn.Close()
		}
	}()
	return listener.Addr().String()
}

func TestEncryptedNATS(t *testing.T) {
	a := newAuthority(t, "The house's CA")
	for name, c := range map[string]struct {
		host    string
		until   time.Time
		trusted bool
		verdict Verdict
		words   []string
	}{
		"fine":          {"127.0.0.1", time.Now().AddDate(50, 0, 0), true, OK, []string{"TLS 1.3", "The house's CA"}},
		"expires soon":  {"127.0.0.1", time.Now().AddDate(0, 0, 1), true, Warn, []string{"it expires soon"}},
		"wrong host":    {"nats.example", time.Now().AddDate(50, 0, 0), true, Fail, []string{"for nats.example, not for 127.0.0.1", "check nats.url"}},
		"not trusted":   {"127.0.0.1", time.Now().AddDate(50, 0, 0), false, Fail, []string{"The house's CA", "nats.tls.ca_file"}},
		"expired since": {"127.0.0.1", time.Now().AddDate(0, 0, -1), true, Fail, []string{"has expired"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			leaf := a.issue(t, c.host, time.Now().AddDate(-1, 0, 0), c.until)
			s := tlsServer(t, leaf)
			w := newWorld(t).on(s)
			check := w.check()
			check.Now = time.Now
			if c.trusted {
				check.Broker.TLS.CA = w.file(t, "ca.pem", a.pem())
			}
			r := run(t, check)
			r.says(t, "nats tls", c.verdict, c.words...)
			if c.verdict != Fail {
				r.says(t, "nats publish", OK)
			}
		})
	}
}

func tlsServer(t *testing.T, leaf tls.Certificate) (url string) {
	t.Helper()
	options := server.Options{
		Host: "127.0.0.1", Port: server.RANDOM_PORT, NoLog: true, NoSigs: true, JetStream: true, StoreDir: t.TempDir(),
		TLSConfig: &tls.Config{Certificates: []tls.Certificate{leaf}}, TLSTimeout: 60,
	}
	s, err := server.NewServer(&options)
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	if !s.ReadyForConnections(time.Minute) {
		t.Fatal("it does not start")
	}
	return "nats://" + s.Addr().String()
}

func TestAnotherStream(t *testing.T) {
	s := startNATS(t, nil)
	opened(t, s, store.StreamConfig{Retention: 24 * time.Hour, MaxBytes: 1 << 20})
	r := run(t, newWorld(t).on(s.URL()).as(t, "w").check())
	r.says(t, "nats stream", Fail, "2 of their settings", "max_age 24h0m0s, wanted is 168h0m0s", "set stream.retention to 24h0m0s", "set stream.max_bytes to 1048576")
	if n := strings.Count(r.text, "→ stream MEETINGS has"); n != 2 {
		t.Errorf("%d fixes:\n%s", n, r.text)
	}
}

func TestStreamsOnTheSameSubjects(t *testing.T) {
	s := startNATS(t, nil)
	js := opened(t, s, store.StreamConfig{})
	w := newWorld(t).on(s.URL()).as(t, "w")
	add := func(cfg jetstream.StreamConfig) {
		t.Helper()
		if _, err := js.CreateStream(t.Context(), cfg); err != nil {
			t.Fatal(err)
		}
	}
	add(jetstream.StreamConfig{Name: "SOURCED", Sources: []*jetstream.StreamSource{{Name: "MEETINGS", FilterSubject: "meetings.event.>"}}})
	add(jetstream.StreamConfig{Name: "ELSE", Subjects: []string{"orders.>"}})
	run(t, w.check()).says(t, "nats downstream", OK, "there are none")
	add(jetstream.StreamConfig{Name: "MINE", Subjects: []string{"meetings.event.acme.>"}})
	run(t, w.check()).says(t, "nats downstream", Warn, "captured by MINE (meetings.event.acme.>)", "store nothing", "sources: MEETINGS")
	if err := js.DeleteStream(t.Context(), "MEETINGS"); err != nil {
		t.Fatal(err)
	}
	add(jetstream.StreamConfig{Name: "GREEDY", Subjects: []string{"rollcall.>"}})
	run(t, w.check()).says(t, "nats downstream", Fail, "GREEDY", "choose another stream.name")
}

// What an account refuses of what a worker creates, the check says before; and it
// says nothing where the account refuses nothing.
func TestLimitsOfTheAccount(t *testing.T) {
	unlimited := server.JetStreamAccountLimits{MaxMemory: -1, MaxStore: -1, MaxStreams: -1, MaxConsumers: -1}
	for name, c := range map[string]struct {
		limit func(*server.JetStreamAccountLimits)
		sizes [3]int64 // of the stream, the workers' bucket and the budget's
		calls config.Calls
		want  []string // none: nothing is refused
	}{
		"none":               {func(*server.JetStreamAccountLimits) {}, [3]int64{}, 5000, nil},
		"streams":            {func(l *server.JetStreamAccountLimits) { l.MaxStreams = 1 }, [3]int64{}, config.Unlimited, []string{"may have 1 streams", "needs 2 more", "max_streams"}},
		"a bucket too many":  {func(l *server.JetStreamAccountLimits) { l.MaxStreams = 2 }, [3]int64{}, 5000, []string{"may have 2 streams", "needs 3 more"}},
		"enough streams":     {func(l *server.JetStreamAccountLimits) { l.MaxStreams = 2 }, [3]int64{}, config.Unlimited, nil},
		"storage":            {func(l *server.JetStreamAccountLimits) { l.MaxStore = 64 << 20 }, [3]int64{1 << 30}, config.Unlimited, []string{"67,108,864 bytes of storage left", "lower stream.max_bytes"}},
		"storage of all":     {func(l *server.JetStreamAccountLimits) { l.MaxStore = 64 << 20 }, [3]int64{50 << 20, 10 << 20, 10 << 20}, 5000, []string{"73,400,320 bytes are taken by stream.max_bytes and stream.workers_max_bytes and stream.budget_max_bytes"}},
		"enough storage":     {func(l *server.JetStreamAccountLimits) { l.MaxStore = 64 << 20 }, [3]int64{50 << 20, 10 << 20, 10 << 20}, config.Unlimited, nil},
		"room":               {func(l *server.JetStreamAccountLimits) { l.MaxStore = 1 << 20 }, [3]int64{}, config.Unlimited, []string{"less than one batch", "max_storage"}},
		"max_bytes":          {func(l *server.JetStreamAccountLimits) { l.MaxBytesRequired = true }, [3]int64{}, 5000, []string{"demands a max_bytes", "set stream.max_bytes\nset stream.workers_max_bytes\nset stream.budget_max_bytes"}},
		"of a bucket":        {func(l *server.JetStreamAccountLimits) { l.MaxBytesRequired = true }, [3]int64{1 << 20, 0, 1 << 20}, 5000, []string{"the bucket MEETINGS_WORKERS is created without one", "set stream.workers_max_bytes"}},
		"of the budget":      {func(l *server.JetStreamAccountLimits) { l.MaxBytesRequired = true }, [3]int64{1 << 20, 1 << 20, 0}, 5000, []string{"the bucket MEETINGS_BUDGET is created without one", "set stream.budget_max_bytes"}},
		"all have one":       {func(l *server.JetStreamAccountLimits) { l.MaxBytesRequired = true }, [3]int64{1 << 20, 1 << 20, 1 << 20}, 5000, nil},
		"stream":             {func(l *server.JetStreamAccountLimits) { l.StoreMaxStreamBytes = 1 << 20 }, [3]int64{1 << 30}, config.Unlimited, []string{"may have 1,048,576 bytes", "lower stream.max_bytes"}},
		"a bucket too large": {func(l *server.JetStreamAccountLimits) { l.StoreMaxStreamBytes = 1 << 20 }, [3]int64{1 << 20, 2 << 20}, config.Unlimited, []string{"stream.workers_max_bytes is 2,097,152", "lower stream.workers_max_bytes"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := startNATS(t, nil)
			limits := unlimited
			c.limit(&limits)
			s.Limit(limits)
			w := newWorld(t).on(s.URL()).as(t, "w")
			w.tenant().Poll.MonthlyCalls = c.calls
			w.cfg.Stream.MaxBytes, w.cfg.Stream.WorkersMaxBytes, w.cfg.Stream.BudgetMaxBytes = c.sizes[0], c.sizes[1], c.sizes[2]
			verdict := OK
			if c.want != nil {
				verdict = Fail
			}
			run(t, w.check()).says(t, "nats limits", verdict, c.want...)
			js := s.JetStream(t, nats.UserInfo("admin", password))
			ledger, err := store.Open(t.Context(), js, names(), w.cfg.Stream.Ledger(), zap.NewNop())
			if err == nil && c.calls != config.Unlimited {
				err = ledger.OpenBudget(t.Context(), w.cfg.Stream.Ledger(), zap.NewNop())
			}
			if refused := err != nil; refused != (c.want != nil) && name != "room" { // what is stored later is refused there
				t.Errorf("a worker's start: %v", err)
			}
			if err == nil { // what is there already is not counted again
				run(t, w.check()).says(t, "nats stream", OK)
			}
		})
	}
}

// Where NATS is asked over a WebSocket, the check asks as the worker does.
func TestWebSocketWithoutTLS(t *testing.T) {
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := free.Addr().(*net.TCPAddr).Port
	free.Close()
	natstest.StartWith(t, server.Options{Websocket: server.WebsocketOpts{Host: "127.0.0.1", Port: port, NoTLS: true}})
	r := run(t, newWorld(t).on(fmt.Sprintf("ws://127.0.0.1:%d", port)).check())
	r.says(t, "nats tls", OK, "not encrypted")
	r.says(t, "nats login", OK)
	r.says(t, "nats publish", OK)
}
