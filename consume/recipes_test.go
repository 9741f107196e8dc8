package consume_test

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	_ "github.com/lib/pq" // the driver of PostgreSQL
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"rollcall"
	"rollcall/consume"
	"rollcall/consume/consumetest"
	"rollcall/internal/natstest"
)

// The recipes of docs/consumers.md, which shows them from here.

func connect(url, password string) (*nats.Conn, error) {
	return nats.Connect(url, nats.UserInfo("reader", password), nats.CustomInboxPrefix("_INBOX.reader"), nats.MaxReconnects(-1), nats.RetryOnFailedConnect(true))
}

func presenceLight(ctx context.Context, nc *nats.Conn, user string, light func(on bool)) error {
	meetings, err := consume.Watch(ctx, nc, consume.Options{})
	if err != nil {
		return err
	}
	for range meetings.Changed() {
		light(len(meetings.Present(user)) > 0)
	}
	return nil
}

func attendance(ctx context.Context, nc *nats.Conn, db *sql.DB) error {
	d := consume.Durable{Name: "attendance", Types: []rollcall.Type{rollcall.MeetingEnded}, Checkpoint: consume.SQL{DB: db, Consumer: "attendance"}}
	return consume.Handle(ctx, nc, d, consume.InTx(func(ctx context.Context, tx *sql.Tx, ended consume.Event) error {
		visits, err := consume.Visits(ctx, nc, consume.Feed{}, ended)
		for _, v := range visits {
			_, failed := tx.ExecContext(ctx, `INSERT INTO visits VALUES (?, ?, ?, ?)`, ended.ConferenceID, v.Key, v.Joined.Before.Unix(), v.Left.Before.Unix())
			err = errors.Join(err, failed)
		}
		return err
	}))
}

func audit(ctx context.Context, nc *nats.Conn, db *sql.DB) error {
	d := consume.Durable{Name: "audit", Checkpoint: consume.SQL{DB: db, Consumer: "audit", Dollar: true}}
	return consume.Handle(ctx, nc, d, consume.InTx(func(ctx context.Context, tx *sql.Tx, e consume.Event) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO audit VALUES ($1, $2, $3, $4, $5, $6)`, e.Tenant, e.ConferenceID, e.Epoch, e.Sequence, string(e.Type), e.Time.Unix())
		return err
	}))
}

func webhook(ctx context.Context, nc *nats.Conn, kv jetstream.KeyValue, url string) error {
	d := consume.Durable{Name: "webhook", SkipBaseline: true, Checkpoint: consume.KVCheckpoint(kv), OnTrouble: func(err error) { fmt.Println(err) }}
	return consume.Handle(ctx, nc, d, func(ctx context.Context, e consume.Event) error {
		body, err := json.Marshal(map[string]any{"type": e.Type, "title": e.Meeting.Title, "present": e.Meeting.Present})
		if err != nil {
			return err
		}
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
		if err != nil {
			return err
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return err
		}
		defer response.Body.Close()
		if response.StatusCode >= 300 {
			return fmt.Errorf("the webhook answers %s", response.Status)
		}
		return nil
	})
}

func ownStream(ctx context.Context, js jetstream.JetStream) error {
	_, err := js.CreateStream(ctx, jetstream.StreamConfig{
		Name: "HISTORY", MaxAge: 365 * 24 * time.Hour,
		Sources: []*jetstream.StreamSource{{Name: "MEETINGS", FilterSubject: "meetings.event.>"}},
	})
	return err
}

// cooked runs a recipe on a broker with the events of a scenario, until the
// effect is there.
func cooked(t *testing.T, events consumetest.Sequence, recipe func(context.Context, *nats.Conn) error, done func() bool) *natstest.Server {
	t.Helper()
	server := natstest.Start(t)
	if err := events.Put(t.Context(), server.JetStream(t)); err != nil {
		t.Fatal(err)
	}
	served(t, server, recipe, done)
	return server
}

// served runs a recipe on a broker until the effect is there.
func served(t *testing.T, server *natstest.Server, recipe func(context.Context, *nats.Conn) error, done func() bool) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- recipe(ctx, server.JetStream(t).Conn()) }()
	for limit := time.Now().Add(time.Minute); !done(); <-time.After(10 * time.Millisecond) {
		if time.Now().After(limit) {
			t.Error("after a minute there is still no effect")
			break
		}
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func recipeDB(t *testing.T, table string) *sql.DB {
	t.Helper()
	db, err := sqlite(filepath.Join(t.TempDir(), "recipe.db"))
	return withTables(t, db, err, table)
}

func withTables(t *testing.T, db *sql.DB, err error, table string) *sql.DB {
	t.Helper()
	if err == nil {
		_, err = db.ExecContext(t.Context(), table)
	}
	if err == nil {
		err = consume.SQL{DB: db}.Create(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func countRows(db *sql.DB, query string) (n int) {
	if err := db.QueryRowContext(context.Background(), query).Scan(&n); err != nil {
		return -1
	}
	return n
}

// The audit log in a PostgreSQL has each event once, though two processes handle
// them, and begin again.
func TestAuditInPostgreSQL(t *testing.T) {
	source := os.Getenv("ROLLCALL_POSTGRES")
	if source == "" {
		t.Skip("needs a PostgreSQL: run .ci/postgres")
	}
	db, err := sql.Open("postgres", source)
	withTables(t, db, err, "CREATE TABLE audit (tenant TEXT, meeting TEXT, epoch BIGINT, sequence BIGINT, type TEXT, at BIGINT)")
	events := recorded(t, "two-devices")
	rows := func() int { return countRows(db, "SELECT COUNT(*) FROM audit") }
	twice := func(ctx context.Context, nc *nats.Conn) error {
		ended := make(chan error)
		go func() { ended <- audit(ctx, nc, db) }()
		return errors.Join(audit(ctx, nc, db), <-ended)
	}
	server := cooked(t, events, twice, func() bool { return rows() >= len(events)/2 })
	served(t, server, twice, func() bool { return rows() >= len(events) })
	if n := countRows(db, "SELECT COUNT(DISTINCT (meeting, epoch, sequence)) FROM audit"); n != len(events) || rows() != n {
		t.Errorf("%d rows of %d events, want %d", rows(), n, len(events))
	}
}

func recorded(t *testing.T, name string) consumetest.Sequence {
	t.Helper()
	s, err := consumetest.Scenario(name)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestRecipes(t *testing.T) {
	events := recorded(t, "two-devices")
	whole, err := events[:3].WithRecords()
	if err != nil {
		t.Fatal(err)
	}
	t.Run("connect", func(t *testing.T) {
		nc, err := connect(natstest.Start(t).URL(), "any")
		if err != nil || !strings.HasPrefix(nc.NewRespInbox(), "_INBOX.reader.") {
			t.Fatal(err)
		}
		nc.Close()
	})
	t.Run("presence light", func(t *testing.T) {
		lit := make(chan bool, 100)
		cooked(t, whole, func(ctx context.Context, nc *nats.Conn) error {
			return presenceLight(ctx, nc, "ann", func(on bool) { lit <- on })
		}, func() bool { return len(lit) > 0 && <-lit })
	})
	t.Run("attendance", func(t *testing.T) {
		db := recipeDB(t, "CREATE TABLE visits (meeting TEXT, person TEXT, joined INTEGER, gone INTEGER)")
		cooked(t, events, func(ctx context.Context, nc *nats.Conn) error { return attendance(ctx, nc, db) },
			func() bool { return countRows(db, "SELECT COUNT(*) FROM visits") > 0 })
		if n := countRows(db, "SELECT COUNT(*) FROM visits WHERE person = 'ann' AND gone > joined"); n != 2 {
			t.Errorf("ann was there %d times", n)
		}
	})
	t.Run("audit", func(t *testing.T) {
		db := recipeDB(t, "CREATE TABLE audit (tenant TEXT, meeting TEXT, epoch BIGINT, sequence BIGINT, type TEXT, at BIGINT)")
		cooked(t, events, func(ctx context.Context, nc *nats.Conn) error { return audit(ctx, nc, db) },
			func() bool { return countRows(db, "SELECT COUNT(*) FROM audit") == len(events) })
	})
	t.Run("webhook", func(t *testing.T) {
		posted := make(chan string, 100)
		fails := true
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if fails {
				fails = false
				w.WriteHeader(http.StatusBadGateway)
				return
			}
			var body struct{ Type string }
			_ = json.NewDecoder(r.Body).Decode(&body)
			posted <- body.Type
		}))
		defer server.Close()
		cooked(t, events, func(ctx context.Context, nc *nats.Conn) error {
			js, err := jetstream.New(nc)
			if err != nil {
				return err
			}
			kv, err := js.CreateKeyValue(ctx, jetstream.KeyValueConfig{Bucket: "webhook"})
			if err != nil {
				return err
			}
			return webhook(ctx, nc, kv, server.URL)
		}, func() bool {
			select {
			case kind := <-posted:
				return kind == string(rollcall.MeetingEnded)
			default:
				return false
			}
		})
	})
	t.Run("a stream of one's own", func(t *testing.T) {
		w := newWorld(t)
		w.listed("c1", answer("ann", "bob"))
		if err := ownStream(t.Context(), w.js); err != nil {
			t.Fatal(err)
		}
		w.listed("c1", answer("cid"))
		for limit := time.Now().Add(time.Minute); ; <-time.After(10 * time.Millisecond) {
			s, err := w.js.Stream(t.Context(), "HISTORY")
			if err != nil || time.Now().After(limit) {
				t.Fatalf("%v: %+v", err, s.CachedInfo().State)
			}
			if s.CachedInfo().State.Msgs == w.sequence("c1") {
				break
			}
		}
		handle(t, w.js, consume.Durable{Names: consume.Names{Stream: "HISTORY"}}, nil).until(int(w.sequence("c1")))
	})
}

// What docs/consumers.md shows stands here, where it is compiled and run.
func TestTheRecipesOfThePageAreThese(t *testing.T) {
	page, err := os.ReadFile("../docs/consumers.md")
	if err != nil {
		t.Fatal(err)
	}
	ours, err := os.ReadFile("recipes_test.go")
	if err != nil {
		t.Fatal(err)
	}
	blocks := strings.Split(string(page), "```go\n")[1:]
	if len(blocks) < 5 {
		t.Errorf("%d recipes", len(blocks))
	}
	for _, block := range blocks {
		code, _, _ := strings.Cut(block, "```")
		if !strings.Contains(string(ours), code) {
			t.Errorf("this is not compiled:\n%s", code)
		}
	}
}
