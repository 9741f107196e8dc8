package check

import (
	"bytes"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"go.uber.org/goleak"

	"rollcall/cmd/rollcall/config"
	"rollcall/internal/ledger"
	"rollcall/internal/natsconn"
	"rollcall/internal/natstest"
	"rollcall/simulator"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// world is a DingTalk that answers and a configuration for it.
type world struct {
	sim *simulator.Simulator
	url string
	cfg config.Config
	dir string
}

func newWorld(t *testing.T) *world {
	t.Helper()
	now := instant()
	sim, err := simulator.New(simulator.Config{Seed: 3, Meetings: 2, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	api := httptest.NewServer(sim.Handler())
	t.Cleanup(api.Close)
	w := &world{sim: sim, url: api.URL, dir: t.TempDir()}
	w.cfg = config.Defaults()
	w.cfg.DataDir = filepath.Join(w.dir, "data")
	w.cfg.HTTP.Listen, w.cfg.NATS.Embedded.Listen = "127.0.0.1:0", "127.0.0.1:0"
	tenant := config.TenantDefaults()
	tenant.Name, tenant.Endpoint = "acme", w.url
	tenant.Auth = config.Auth{Kind: config.AuthInternal, ClientID: simulator.DefaultAppKey, ClientSecretFile: w.file(t, "acme", simulator.DefaultAppSecret)}
	tenant.Poll.MonthlyCalls = config.Unlimited
	tenant.Track.Conferences = sim.ConferenceIDs()[:1]
	w.cfg.Tenants = []config.Tenant{tenant}
	return w
}

// instant is when all checks of these tests happen.
func instant() time.Time { return time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC) }

func (w *world) tenant() *config.Tenant { return &w.cfg.Tenants[0] }

func (w *world) file(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(w.dir, name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// on lets the world use a NATS elsewhere.
func (w *world) on(url string) *world {
	w.cfg.NATS.URL, w.cfg.NATS.Embedded = url, config.Defaults().NATS.Embedded
	return w
}

// check is the check of the world.
func (w *world) check() Check {
	return Check{
		Config: w.cfg, Timeout: time.Minute, Now: instant,
		Broker: natsconn.Config{URL: w.cfg.NATS.URL, User: w.cfg.NATS.User, PasswordFile: w.cfg.NATS.PasswordFile},
	}
}

// report is all that a check said.
type report struct {
	results map[string]Result // by part and check: "nats login"
	text    string
	count   Count
}

func run(t *testing.T, c Check) report {
	t.Helper()
	var out bytes.Buffer
	printer := NewPrinter(&out, c.Config)
	r := report{results: map[string]Result{}}
	c.Report = func(result Result) {
		r.results[result.Part+" "+result.Check] = result
		if err := printer.Print(result); err != nil {
			t.Error(err)
		}
	}
	count, err := c.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	r.count, r.text = count, out.String()
	if strings.Contains(r.text, simulator.DefaultAppSecret) || strings.Contains(r.text, password) {
		t.Errorf("a secret shows:\n%s", r.text)
	}
	return r
}

// says fails unless a result has the verdict and all of the words.
func (r report) says(t *testing.T, name string, verdict Verdict, words ...string) {
	t.Helper()
	got, there := r.results[name]
	if !there || got.Verdict != verdict {
		t.Errorf("%s: %q, want %q; all of it:\n%s", name, got.Verdict, verdict, r.text)
		return
	}
	for _, word := range words {
		if text := got.Tried + "\n" + got.Found + "\n" + got.Fix; !strings.Contains(text, word) {
			t.Errorf("%s does not say %q:\n%s", name, word, text)
		}
	}
}

// lacks fails where there is such a result.
func (r report) lacks(t *testing.T, name string) {
	t.Helper()
	if got, there := r.results[name]; there {
		t.Errorf("%s was not to be tried: %+v", name, got)
	}
}

const password = "hunter2-very-secret"

// startNATS starts a server whose user w may do what is given.
func startNATS(t *testing.T, permissions *server.Permissions) *natstest.Server {
	t.Helper()
	return natstest.StartWith(t, server.Options{ServerName: "nats-1", MaxPayload: ledger.MaxBatchBytes, Users: []*server.User{
		{Username: "w", Password: password, Permissions: permissions},
		{Username: "admin", Password: password},
	}})
}

// as lets the world log in as the user w.
func (w *world) as(t *testing.T, user string) *world {
	t.Helper()
	w.cfg.NATS.User, w.cfg.NATS.PasswordFile = user, w.file(t, "password", password)
	return w
}
