package service_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"rollcall"
	"rollcall/cmd/rollcall/service"
	"rollcall/differ"
	"rollcall/internal/natstest"
	"rollcall/simulator"
	"rollcall/store"
	"rollcall/wire"
)

// replaced is a service whose broker, which is a real one, is not left in peace.
type replaced struct {
	t      *testing.T
	sim    *simulator.Simulator
	broker *natstest.Server
	dir    string // of the broker's store
	js     jetstream.JetStream
	data   string // the service's directory
	http   string
	logs   *observer.ObservedLogs
	id     string
	joined []string
	blamed map[string]bool // what it was not ready for, at any time
	backup []byte          // of the stream, as the broker gives it
	about  struct {        // how it is restored
		Config json.RawMessage `json:"config"`
		State  json.RawMessage `json:"state"`
	}
}

const backupDir = "-backup"

// Rows of the failure matrix, on a real server: what the worker stands on is
// deleted, emptied or set back to what it was before. It is noticed and told
// with what to do, readiness names it meanwhile, nothing false is told, and what
// happens afterwards is told as ever.
func TestLongLedgerIsReplaced(t *testing.T) {
	if os.Getenv("ROLLCALL_LONG") == "" {
		t.Skip("takes minutes: ROLLCALL_LONG=1 runs it")
	}
	const bucket, other, budget = "a bucket was deleted and is created anew", "the ledger was replaced", "the account of the month is gone"
	for name, c := range map[string]struct {
		harm func(r *replaced)
		told string // in one line
	}{
		"the stream is deleted": {(*replaced).deleteStream, other},
		"the stream is purged":  {(*replaced).purge, other},
		"the broker is back with an empty store": {func(r *replaced) {
			r.away(func() { r.must(os.RemoveAll(r.dir)) })
			r.setAside()
		}, other},
		"the broker is back with a copy of its store": {func(r *replaced) {
			r.away(func() {
				r.must(os.RemoveAll(r.dir))
				r.must(os.CopyFS(r.dir, os.DirFS(r.dir+backupDir)))
			})
		}, other},
		"the stream is restored from a snapshot": {func(r *replaced) {
			r.deleteStream()
			r.restore()
		}, other},
		"the bucket of the workers is deleted": {func(r *replaced) {
			r.must(r.js.DeleteKeyValue(r.t.Context(), "MEETINGS_WORKERS"))
		}, bucket},
		"the bucket of the budget is deleted": {func(r *replaced) {
			r.must(r.js.DeleteKeyValue(r.t.Context(), "MEETINGS_BUDGET"))
		}, budget},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := begin(t, c.told == budget)
			r.join("early")
			r.copyStore()
			r.snapshot()
			r.join("late")
			c.harm(r)
			r.until("it is told", func() bool { return r.logs.FilterMessageSnippet(c.told).Len() > 0 })
			r.join("after")
			r.until("it is ready", func() bool { return r.unready() == "" })
			r.lawful()
			if n := r.logs.FilterMessageSnippet(c.told).Len(); n != 1 {
				t.Errorf("%q was said %d times", c.told, n)
			}
			// A broker that is back with less than was stored is seen through at the first reading.
			if c.told == other && !r.blamed["ledger"] && !r.blamed["nats"] {
				t.Errorf("meanwhile what was not ready was %v", r.blamed)
			}
		})
	}
}

// begin starts a worker, with an account of the month's calls where that is what is
// harmed: without NATS only what it has reserved could be asked.
func begin(t *testing.T, budgeted bool) *replaced {
	sim, cfg := simulated(t)
	if budgeted {
		cfg.Tenants[0].Poll.MonthlyCalls = 9_000_000
	}
	dir := filepath.Join(t.TempDir(), "store")
	r := &replaced{t: t, sim: sim, dir: dir, data: cfg.DataDir, id: sim.ConferenceIDs()[0], blamed: map[string]bool{}}
	r.broker = natstest.StartWith(t, server.Options{StoreDir: dir})
	cfg.NATS.URL = r.broker.URL()
	core, logs := observer.New(zap.InfoLevel)
	r.logs, r.js = logs, r.broker.JetStream(t)
	s, err := service.New(cfg, "0.0.1", zap.New(core))
	r.must(err)
	r.http = "http://" + s.HTTP().String()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("it stopped with %v", err)
		}
		http.DefaultClient.CloseIdleConnections()
		if t.Failed() {
			for _, line := range logs.All() {
				t.Log(line.Time.Format("05.000"), line.Level, line.Message, line.ContextMap())
			}
		}
	})
	return r
}

func (r *replaced) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

// until waits for something that comes about by itself.
func (r *replaced) until(what string, is func() bool) {
	r.t.Helper()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	late := time.After(2 * time.Minute)
	for !is() {
		r.unready()
		select {
		case <-tick.C:
		case <-late:
			r.t.Fatalf("in two minutes it did not come about that %s", what)
		}
	}
}

// join has somebody join, and waits until the stored record shows who is there.
func (r *replaced) join(user string) {
	r.t.Helper()
	_, err := r.sim.Act(simulator.Act{Verb: "join", ConferenceID: r.id, UserID: user, Nick: user})
	r.must(err)
	r.joined = append(r.joined, user)
	r.until(user+" stands in the record", func() bool { return r.recorded(r.joined) })
}

func (r *replaced) record() *rollcall.Record {
	names := wire.Names{Stream: "MEETINGS", Prefix: "meetings"}
	ctx, cancel := context.WithTimeout(r.t.Context(), time.Second)
	defer cancel()
	stored, err := store.Attach(r.js, names).Load(ctx, "acme", []string{r.id})
	if err != nil {
		return nil
	}
	return stored[r.id].Record
}

func (r *replaced) recorded(users []string) bool {
	record, there := r.record(), map[string]bool{}
	if record == nil {
		return false
	}
	for _, p := range record.Roster {
		there[p.UserID] = p.Attendance == rollcall.AttendancePresent
	}
	for _, user := range users {
		if !there[user] {
			return false
		}
	}
	return true
}

func (r *replaced) deleteStream() { r.must(r.js.DeleteStream(r.t.Context(), "MEETINGS")) }

func (r *replaced) purge() {
	s, err := r.js.Stream(r.t.Context(), "MEETINGS")
	r.must(err)
	r.must(s.Purge(r.t.Context()))
}

// away has somebody come and go while the broker is gone, and something done to its store.
func (r *replaced) away(do func()) {
	r.broker.Stop()
	do()
	_, err := r.sim.Act(simulator.Act{Verb: "join", ConferenceID: r.id, UserID: "meanwhile", Nick: "meanwhile"})
	r.must(err)
	r.until("something waits in the journal", func() bool {
		info, err := os.Stat(filepath.Join(r.data, "waiting.journal"))
		return err == nil && info.Size() > 100
	})
	_, err = r.sim.Act(simulator.Act{Verb: "leave", ConferenceID: r.id, UserID: "meanwhile"})
	r.must(err)
	r.broker.Restart()
}

// setAside waits until what waited in the journal is in a file of its own.
func (r *replaced) setAside() {
	r.until("the journal is set aside", func() bool {
		aside, err := filepath.Glob(filepath.Join(r.data, "waiting.journal.aside-*"))
		return err == nil && len(aside) == 1
	})
}

// copyStore copies the broker's store while it is stopped.
func (r *replaced) copyStore() {
	r.broker.Stop()
	r.must(os.CopyFS(r.dir+backupDir, os.DirFS(r.dir)))
	r.broker.Restart()
}

// snapshot has the broker back the stream up, as `nats stream backup` does.
func (r *replaced) snapshot() {
	conn := r.js.Conn()
	inbox := conn.NewInbox()
	chunks, err := conn.SubscribeSync(inbox)
	r.must(err)
	r.await(func() bool {
		reply, err := conn.Request("$JS.API.STREAM.SNAPSHOT.MEETINGS", fmt.Appendf(nil, `{"deliver_subject":%q}`, inbox), 10*time.Second)
		return err == nil && !bytes.Contains(reply.Data, []byte(`"error"`)) && json.Unmarshal(reply.Data, &r.about) == nil
	})
	r.backup = nil
	for {
		chunk, err := chunks.NextMsg(10 * time.Second)
		r.must(err)
		if len(chunk.Data) == 0 {
			return
		}
		r.backup = append(r.backup, chunk.Data...)
		if chunk.Reply != "" {
			r.must(conn.Publish(chunk.Reply, nil))
		}
	}
}

func (r *replaced) await(is func() bool) { r.t.Helper(); r.until("the broker answers", is) }

// restore has the broker restore it, as `nats stream restore` does.
func (r *replaced) restore() {
	conn := r.js.Conn()
	about, err := json.Marshal(r.about)
	r.must(err)
	reply, err := conn.Request("$JS.API.STREAM.RESTORE.MEETINGS", about, 10*time.Second)
	r.must(err)
	var to struct {
		Subject string `json:"deliver_subject"`
		Error   any    `json:"error"`
	}
	r.must(json.Unmarshal(reply.Data, &to))
	if to.Error != nil {
		r.t.Fatal(to.Error)
	}
	for part := r.backup; ; part = part[min(len(part), 64<<10):] {
		ack, err := conn.Request(to.Subject, part[:min(len(part), 64<<10)], 10*time.Second)
		r.must(err)
		if len(part) == 0 {
			if bytes.Contains(ack.Data, []byte(`"error"`)) {
				r.t.Fatalf("restore: %s", ack.Data)
			}
			return
		}
	}
}

// unready asks what the service is not ready for; "": it is.
func (r *replaced) unready() string {
	answer, err := http.Get(r.http + "/readyz")
	r.must(err)
	defer answer.Body.Close()
	var said struct {
		Ready  bool `json:"ready"`
		Checks []struct {
			Name string `json:"name"`
			OK   bool   `json:"ok"`
		} `json:"checks"`
	}
	r.must(json.NewDecoder(answer.Body).Decode(&said))
	var bad []string
	for _, c := range said.Checks {
		if !c.OK {
			bad = append(bad, c.Name)
			r.blamed[c.Name] = true
		}
	}
	return strings.Join(bad, ", ")
}

// lawful holds the events of the ledger as it is against the promises: no hole,
// nothing twice, and the fold is the roster. Nobody is told to have left who did not.
func (r *replaced) lawful() {
	stream, err := r.js.Stream(r.t.Context(), "MEETINGS")
	r.must(err)
	info, err := stream.Info(r.t.Context())
	r.must(err)
	var roster []rollcall.Participant
	var epoch int64
	var sequence uint64
	for n := info.State.FirstSeq; n <= info.State.LastSeq; n++ {
		m, err := stream.GetMsg(r.t.Context(), n)
		if err != nil || !strings.HasPrefix(m.Subject, "meetings.event.acme."+wire.Token(r.id)+".") {
			continue
		}
		e, err := wire.DecodeEvent(m.Data)
		r.must(err)
		if e.Epoch > epoch {
			epoch, sequence, roster = e.Epoch, 0, nil
		}
		if e.Epoch != epoch || e.Sequence != sequence+1 {
			r.t.Errorf("event %d/%d comes after %d/%d", e.Epoch, e.Sequence, epoch, sequence)
		}
		if e.Type == rollcall.ParticipantLeft && e.Participant.UserID != "meanwhile" {
			r.t.Errorf("%s is told to have left", e.Participant.UserID)
		}
		sequence, roster = e.Sequence, differ.Fold(roster, []rollcall.Event{e})
	}
	if record := r.record(); record == nil || record.Sequence != sequence || len(record.Roster) != len(roster) {
		r.t.Errorf("the record is %+v, the events end at %d/%d with %d people", record, epoch, sequence, len(roster))
	}
}
