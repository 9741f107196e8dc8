package consume_test

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	_ "modernc.org/sqlite"

	"rollcall/consume"
)

// consumerVariable makes the test binary a consumer of NATS at this URL, with
// its effects in the SQLite file named beside it.
const consumerVariable = "ROLLCALL_TEST_CONSUMER"

func TestMain(m *testing.M) {
	if url := os.Getenv(consumerVariable); url != "" {
		fmt.Fprintln(os.Stderr, consumeInto(url, os.Getenv(consumerVariable+"_FILE")))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

func sqlite(file string) (*sql.DB, error) {
	return sql.Open("sqlite", "file:"+file+"?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_txlock=immediate")
}

// consumeInto writes each event to a table in which it could stand twice.
func consumeInto(url, file string) error {
	db, err := sqlite(file)
	if err != nil {
		return err
	}
	defer db.Close()
	nc, err := nats.Connect(url, nats.MaxReconnects(-1))
	if err != nil {
		return err
	}
	checkpoint := consume.SQL{DB: db, Consumer: "audit"}
	if err := checkpoint.Create(context.Background()); err != nil {
		return err
	}
	d := consume.Durable{Name: "audit", Checkpoint: checkpoint, OnTrouble: func(err error) { fmt.Fprintln(os.Stderr, err) }}
	return consume.Handle(context.Background(), nc, d, consume.InTx(func(ctx context.Context, tx *sql.Tx, e consume.Event) error {
		_, err := tx.ExecContext(ctx, "INSERT INTO audit VALUES (?, ?, ?, ?)", e.ConferenceID, e.Epoch, int64(e.Sequence), string(e.Type))
		fmt.Println(e.Sequence)
		return err
	}))
}

// consumer starts a process that consumes; the function kills it, when it has
// handled so many events and then some time has passed.
func consumer(t *testing.T, url, file string) (killAfter func(events int, then time.Duration)) {
	t.Helper()
	binary, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(binary)
	cmd.Env = append(os.Environ(), consumerVariable+"="+url, consumerVariable+"_FILE="+file)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return func(events int, then time.Duration) {
		lines := bufio.NewReader(out)
		for range events {
			if _, err := lines.ReadString('\n'); err != nil {
				t.Errorf("the consumer ended by itself: %v", err)
			}
		}
		<-time.After(then)
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}
}

// Every event has its effect exactly once, in order, whenever its consumer is killed.
func exactlyOnce(t *testing.T, kills int) {
	w := newWorld(t)
	file := filepath.Join(t.TempDir(), "audit.db")
	db, err := sqlite(file)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), "CREATE TABLE audit (conference TEXT, epoch INTEGER, sequence INTEGER, type TEXT)"); err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(7, 7))
	for range kills {
		for range 4 {
			w.listed(fmt.Sprint("c", random.IntN(3)), crowd(random))
		}
		consumer(t, w.server.URL(), file)(1+random.IntN(20), time.Duration(random.IntN(20_000))*time.Microsecond)
	}
	want := 0
	for meeting := range w.records {
		want += int(w.sequence(meeting))
	}
	kill := consumer(t, w.server.URL(), file)
	count := func() (n int) {
		if err := db.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM audit").Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	for limit := time.Now().Add(time.Minute); count() < want && time.Now().Before(limit); {
		<-time.After(20 * time.Millisecond)
	}
	kill(0, 0)
	for meeting := range w.records {
		h := handled{events: audited(t, db, meeting)}
		if got := h.of(meeting); got != upTo(w.sequence(meeting)) {
			t.Errorf("%s: %s", meeting, got)
		}
	}
	t.Logf("%d kills, %d events, %d rows", kills, want, count())
}

func audited(t *testing.T, db *sql.DB, meeting string) (events []consume.Event) {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), "SELECT sequence FROM audit WHERE conference = ? ORDER BY rowid", meeting)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		e := consume.Event{}
		e.ConferenceID = meeting
		if err := rows.Scan(&e.Sequence); err != nil {
			t.Fatal(err)
		}
		events = append(events, e)
	}
	return events
}

func TestEachEffectOnceOverKills(t *testing.T) { exactlyOnce(t, 3) }

func TestLongEachEffectOnceOver100Kills(t *testing.T) {
	if os.Getenv("ROLLCALL_LONG") == "" {
		t.Skip("long: run with ROLLCALL_LONG=1, or .ci/run")
	}
	exactlyOnce(t, 100)
}

// An event that was handled is not handled again, whoever asks; what fails
// leaves nothing.
func TestSQLAdvances(t *testing.T) {
	db, err := sqlite(filepath.Join(t.TempDir(), "x.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	ctx := t.Context()
	c := consume.SQL{DB: db, Consumer: "a"}
	for range 2 {
		if err := c.Create(ctx); err != nil {
			t.Fatal(err)
		}
	}
	e := func(epoch int64, sequence uint64) (e consume.Event) {
		e.Tenant, e.ConferenceID, e.Epoch, e.Sequence = "acme", "c1", epoch, sequence
		return e
	}
	broken, total := errors.New("broken"), 0
	for _, step := range []struct {
		e    consume.Event
		fail error
		want int
	}{{e(5, 1), broken, 0}, {e(5, 1), nil, 1}, {e(5, 1), nil, 1}, {e(5, 3), nil, 2}, {e(5, 2), nil, 2}, {e(6, 1), nil, 3}, {e(5, 9), nil, 3}} {
		done := 0
		err := c.Advance(ctx, step.e, func(ctx context.Context) error {
			return consume.InTx(func(context.Context, *sql.Tx, consume.Event) error { done++; return step.fail })(ctx, step.e)
		})
		if !errors.Is(err, step.fail) {
			t.Fatal(err)
		}
		if step.fail == nil {
			total += done
		}
		if total != step.want {
			t.Errorf("%+v: %d effects, want %d", step.e.Position(), total, step.want)
		}
	}
	if last, err := c.Last(ctx, "acme", "c1"); err != nil || last != (consume.Position{Epoch: 6, Sequence: 1}) {
		t.Errorf("%+v, %v", last, err)
	}
	if last, err := (consume.SQL{DB: db, Consumer: "b"}).Last(ctx, "acme", "c1"); err != nil || last != (consume.Position{}) {
		t.Errorf("of another consumer: %+v, %v", last, err)
	}
	if err := consume.InTx(nil)(ctx, e(1, 1)); err == nil {
		t.Error("InTx without a transaction")
	}
}
