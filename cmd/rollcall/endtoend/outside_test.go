//go:build unix

package endtoend_test

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"rollcall"
	reader "rollcall/consume"
	"rollcall/wire"
)

// outsider is a program of somebody else's module: at each line that it reads
// it writes what it knows. It has fifteen lines besides its imports.
const outsider = `package main

import (
	"bufio"
	"context"
	"encoding/json"
	"log"
	"os"

	"github.com/nats-io/nats.go"

	"rollcall/consume"
)

func main() {
	nc, err := nats.Connect(os.Args[1], nats.MaxReconnects(-1))
	if err != nil {
		log.Fatal(err)
	}
	o := consume.Options{OnTrouble: func(err error) { log.Print(err) }}
	meetings, err := consume.Watch(context.Background(), nc, o)
	if err != nil {
		log.Fatal(err)
	}
	<-meetings.Synced()
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		_ = json.NewEncoder(os.Stdout).Encode(map[string]any{"repairs": meetings.Repairs(), "list": meetings.List()})
	}
}
`

// known is what the outsider writes.
type known struct {
	Repairs uint64
	List    []reader.Meeting
}

// buildOutsider builds a module that requires this one.
func buildOutsider(t *testing.T) string {
	t.Helper()
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Path}} {{.Dir}}").Output()
	if err != nil {
		t.Fatal(err)
	}
	module, root, _ := strings.Cut(strings.TrimSpace(string(out)), " ")
	dir := t.TempDir()
	require := fmt.Sprintf("\nrequire %s v0.0.0\n\nreplace %[1]s => %s\n", module, root)
	write(t, dir, "go.mod", strings.Replace(contents(t, filepath.Join(root, "go.mod")), "module "+module, "module outside", 1)+require)
	write(t, dir, "go.sum", contents(t, filepath.Join(root, "go.sum")))
	write(t, dir, "main.go", outsider)
	build := exec.Command("go", "build", "-mod=mod", "-o", "outsider", ".")
	build.Dir = dir
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build the program outside: %v\n%s", err, out)
	}
	return filepath.Join(dir, "outsider")
}

// watching is an outsider that is running.
type watching struct {
	t    *testing.T
	cmd  *exec.Cmd
	ask  *json.Encoder
	tell *bufio.Reader
}

func startOutsider(t *testing.T, binary, url string) *watching {
	t.Helper()
	cmd := exec.Command(binary, url)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	trouble := newTranscript()
	cmd.Stderr = trouble
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("the program outside was in trouble:\n%s", trouble.tail(3000))
		}
	})
	return &watching{t, cmd, json.NewEncoder(in), bufio.NewReader(out)}
}

func (w *watching) knows() (k known) {
	w.t.Helper()
	if err := w.ask.Encode("?"); err != nil {
		w.t.Fatal(err)
	}
	line, err := w.tell.ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, &k)
	}
	if err != nil {
		w.t.Fatalf("the program outside tells nothing: %v", err)
	}
	return k
}

// numberFrom is a number from the environment, for those who have more time.
func numberFrom(variable string, otherwise int) int {
	if n, err := strconv.Atoi(os.Getenv(variable)); err == nil {
		return n
	}
	return otherwise
}

// A program outside the module keeps the rosters of 5,000 meetings equal to
// the records while workers are killed and the broker is restarted: of ten kills
// once in order, and once by kill -9. ROLLCALL_KILLS=100 kills as often.
func TestLongRostersOutsideEqualTheRecords(t *testing.T) {
	long(t)
	meetings, kills := numberFrom("ROLLCALL_MEETINGS", 5000), numberFrom("ROLLCALL_KILLS", 6)
	program := buildOutsider(t)
	secret := "secret-" + rand.Text()
	sim := startSimulator(t, secret, "--meetings", strconv.Itoa(meetings), "--people", "3", "--rate", "200")
	broker := startBroker(t)
	_, js := broker.connect()
	config := configure(t, "a", secret, sim.url, broker.url(), sim.ids)
	start := func() *process { return launch(t, "worker", binary(t), nil, "run", "--config", config) }
	worker := start()
	eventually(t, "every meeting has a record", func() bool { return len(subjectsOf(t, js, "meetings.state.>")) >= meetings })

	began := time.Now()
	all := startOutsider(t, program, broker.url())
	if n := len(all.knows().List); n != meetings {
		t.Fatalf("%d meetings are listed", n)
	}
	t.Logf("%d meetings are listed within %v of the program's start", meetings, time.Since(began))
	for n := range kills {
		before := lastOf(js)
		eventually(t, "something is stored", func() bool { return lastOf(js) > before+20 })
		worker.kill()
		switch n % 10 {
		case 2:
			broker.stop()
			broker.start()
		case 4:
			broker.kill()
			broker.start()
		}
		worker = start()
	}
	before := lastOf(js)
	eventually(t, "something is stored", func() bool { return lastOf(js) > before+100 })
	worker.stop()
	var k known
	eventually(t, "the rosters equal the records", func() bool {
		k = all.knows()
		return equalTheRecords(t, js, k)
	})
	t.Logf("%d kills of workers, %d restarts and %d kills of the broker, %d repairs", kills, (kills+7)/10, (kills+5)/10, k.Repairs)
	if k.Repairs != 0 {
		t.Errorf("%d rosters had to be read from their records", k.Repairs)
	}
}

func subjectsOf(t *testing.T, js jetstream.JetStream, filter string) map[string]uint64 {
	s, err := js.Stream(t.Context(), "MEETINGS")
	if err != nil {
		return nil
	}
	info, err := s.Info(t.Context(), jetstream.WithSubjectFilter(filter))
	if err != nil {
		return nil
	}
	return info.State.Subjects
}

// lastOf is the last sequence of the stream; 0: it cannot be asked now.
func lastOf(js jetstream.JetStream) uint64 {
	s, err := js.Stream(context.Background(), "MEETINGS")
	if err != nil {
		return 0
	}
	return s.CachedInfo().State.LastSeq
}

// equalTheRecords reports whether the rosters are those of the records.
func equalTheRecords(t *testing.T, js jetstream.JetStream, k known) bool {
	t.Helper()
	records := map[string]*rollcall.Record{}
	for _, m := range below(whole(t, js, "MEETINGS"), "meetings.state.") {
		r, err := wire.DecodeRecord(m.data)
		if err != nil {
			t.Fatal(err)
		}
		records[r.ConferenceID] = r
	}
	if len(records) != len(k.List) {
		return false
	}
	for _, m := range k.List {
		r := records[m.ConferenceID]
		if r == nil || r.Epoch != m.Epoch || r.Sequence != m.Sequence || !slices.Equal(r.Roster, m.People) {
			return false
		}
	}
	return true
}
