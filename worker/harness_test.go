package worker_test

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"rollcall"
	"rollcall/differ"
	"rollcall/internal/ledger"
	"rollcall/internal/ledgertest"
	"rollcall/poller"
	"rollcall/wire"
	"rollcall/worker"
)

var names = wire.Names{Stream: "MEETINGS", Prefix: "meetings"}

// world is a vendor's API whose truth a test sets.
type world struct {
	mu       sync.Mutex
	meetings map[string]*meeting
	fault    error           // of every question, where it is set
	faulty   map[string]bool // of questions about these alone, where there are any
	queries  int
	onQuery  func() // called with each question, where it is set
}

type meeting struct {
	Title  string          `json:"title"`
	Status rollcall.Status `json:"status"`
	Users  []user          `json:"users"`
	// hidden: the batch query leaves the meeting out, the lookup still knows it, and
	// from when to when it lasted.
	hidden         bool
	started, ended time.Time
}

type user struct {
	ID   string              `json:"id"`
	Nick string              `json:"nick"` // "": the ID in capitals
	Att  rollcall.Attendance `json:"att"`
	Open bool                `json:"open"`
}

func newWorld() *world { return &world{meetings: map[string]*meeting{}} }

// set makes a meeting go on with these people present; a name that ends in *
// has its microphone open.
func (w *world) set(id string, people ...string) {
	m := &meeting{Title: "Meeting " + id, Status: rollcall.StatusStarted}
	for _, p := range people {
		name, open := strings.CutSuffix(p, "*")
		m.Users = append(m.Users, user{ID: name, Att: rollcall.AttendancePresent, Open: open})
	}
	w.put(id, m)
}

func (w *world) put(id string, m *meeting) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.meetings[id] = m
}

func (w *world) status(id string, s rollcall.Status) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.meetings[id].Status = s
}

// hide ends a meeting so that only the lookup says so.
func (w *world) hide(id string) {
	w.put(id, &meeting{Status: rollcall.StatusEnded, hidden: true})
}

func (w *world) forget(id string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.meetings, id)
}

func (w *world) fail(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.fault, w.faulty = err, nil
}

// failAbout lets questions fail that are about this meeting, too.
func (w *world) failAbout(id string, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.fault, w.faulty = err, map[string]bool{id: true}
}

func (w *world) asked() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.queries
}

func (w *world) Query(_ context.Context, ids []string) (poller.Answers, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.queries++
	if w.onQuery != nil {
		w.onQuery()
	}
	answers := poller.Answers{Complete: true}
	faulty := len(w.faulty) == 0 || slices.ContainsFunc(ids, func(id string) bool { return w.faulty[id] })
	if w.fault != nil && faulty {
		return answers, w.fault
	}
	for _, id := range ids {
		if m := w.meetings[id]; m != nil && !m.hidden {
			raw, err := json.Marshal(m)
			if err != nil {
				return answers, err
			}
			answers.Found = append(answers.Found, poller.Found{ConferenceID: id, Raw: raw})
		}
	}
	return answers, nil
}

func (w *world) Lookup(_ context.Context, id string) (poller.Standing, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if m := w.meetings[id]; m != nil {
		return poller.Standing{Status: m.Status, StartTime: m.started, EndTime: m.ended}, nil
	}
	return poller.Standing{}, unknown{}
}

func (w *world) Decode(raw []byte) *rollcall.Answer {
	var m meeting
	if err := json.Unmarshal(raw, &m); err != nil {
		panic(err)
	}
	a := &rollcall.Answer{Title: m.Title, Status: m.Status, Listed: true}
	for _, u := range m.Users {
		entry := rollcall.Entry{UserID: u.ID, Nick: cmp.Or(u.Nick, strings.ToUpper(u.ID)), Attendance: u.Att, Mic: rollcall.DeviceClosed}
		if u.Open {
			entry.Mic = rollcall.DeviceOpen
		}
		a.Entries = append(a.Entries, entry)
	}
	return a
}

// unknown is the fault of a meeting that nobody knows.
type unknown struct{}

func (unknown) Error() string             { return "no such meeting" }
func (unknown) Class() poller.Class       { return poller.ClassUnknown }
func (unknown) RetryAfter() time.Duration { return 0 }

// process is one worker of a test.
type process struct {
	worker *worker.Worker
	logs   *observer.ObservedLogs
	kill   context.CancelFunc
	ended  chan error
}

// ledgers is what a worker needs of a ledger, as one value that a test can wrap.
type ledgers interface {
	worker.Ledger
	worker.Committer
}

// start runs a worker on the ledger.
func start(t *testing.T, id string, l ledgers, w *world, change func(*worker.Config)) *process {
	t.Helper()
	p := prepare(t, id, l, w, change)
	p.run(t)
	return p
}

// prepare makes a worker that does not run yet.
func prepare(t *testing.T, id string, l ledgers, w *world, change func(*worker.Config)) *process {
	t.Helper()
	schedule, err := poller.ParseSchedule("@every 15s", "UTC")
	if err != nil {
		t.Fatal(err)
	}
	core, logs := observer.New(zap.DebugLevel)
	cfg := worker.Config{
		ID: id, Names: names, Ledger: l, Committer: l, Logger: zap.New(core),
		Tenants: []worker.Tenant{{Name: "acme", Schedule: schedule, Decode: w.Decode}},
	}
	if change != nil {
		change(&cfg)
	}
	for i := range cfg.Tenants {
		if cfg.Tenants[i].Asker == nil {
			cfg.Tenants[i].Asker = &poller.Poller{Source: w, Tenant: cfg.Tenants[i].Name, Logger: cfg.Logger}
		}
	}
	p := &process{logs: logs, ended: make(chan error, 1)}
	p.worker, err = worker.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func (p *process) run(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	p.kill = cancel
	go func() { p.ended <- p.worker.Run(ctx) }()
}

// stop ends the worker in order.
func (p *process) stop(t *testing.T) {
	t.Helper()
	p.kill()
	if err := <-p.ended; err != nil {
		t.Errorf("the worker stopped with %v", err)
	}
}

// track names the meetings in the configuration.
func track(ids ...string) func(*worker.Config) {
	return func(c *worker.Config) { c.Tenants[0].Conferences = ids }
}

// bubble runs a test in a world where time is not real.
func bubble(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	synctest.Test(t, f)
}

// elapse lets time pass and everything that follows from it happen.
func elapse(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// events gives the events of a meeting, in the order in which they were stored.
func events(t *testing.T, m *ledgertest.Memory, id string) []rollcall.Event {
	t.Helper()
	var out []rollcall.Event
	prefix := names.Prefix + ".event.acme." + wire.Token(id) + "."
	for _, msg := range m.Messages() {
		if !strings.HasPrefix(msg.Subject, prefix) || len(msg.Data) == 0 { // erased
			continue
		}
		e, err := wire.DecodeEvent(msg.Data)
		if err != nil {
			t.Fatal(err)
		}
		if err := e.CheckTime(); err != nil {
			t.Errorf("%s: event %d: %v", id, e.Sequence, err)
		}
		out = append(out, e)
	}
	return out
}

// tell gives events as short words: "meeting.started", "participant.joined ann".
func tell(all []rollcall.Event) []string {
	var out []string
	for _, e := range all {
		word := string(e.Type)
		if e.Participant != nil {
			word += " " + e.Participant.Key
		}
		out = append(out, word)
	}
	return out
}

// expect holds the events of a meeting against the words that tell them.
func expect(t *testing.T, m *ledgertest.Memory, id string, want ...string) {
	t.Helper()
	if diff := gocmp.Diff(want, tell(events(t, m, id))); diff != "" {
		t.Errorf("events of %s (-want +got):\n%s", id, diff)
	}
}

// record gives the stored record of a meeting; nil where there is none.
func record(t *testing.T, m *ledgertest.Memory, id string) *rollcall.Record {
	t.Helper()
	stored, err := m.Load(t.Context(), "acme", []string{id})
	if err != nil {
		t.Fatal(err)
	}
	if err := stored[id].Err; err != nil {
		t.Fatal(err)
	}
	return stored[id].Record
}

// lawful holds the events of a meeting against the promises: no hole, nothing
// twice, whole polls, and the fold is the stored roster.
func lawful(t *testing.T, m *ledgertest.Memory, id string) {
	t.Helper()
	var roster []rollcall.Participant
	var epoch int64
	var sequence uint64
	all := events(t, m, id)
	for i, e := range all {
		if e.Epoch != epoch {
			epoch, sequence, roster = e.Epoch, 0, nil
		}
		if e.Sequence != sequence+1 {
			t.Fatalf("%s: event %d has sequence %d after %d", id, i, e.Sequence, sequence)
		}
		sequence = e.Sequence
		roster = differ.Fold(roster, []rollcall.Event{e})
	}
	r := record(t, m, id)
	if r == nil {
		if len(all) > 0 {
			t.Fatalf("%s: there are events and no record", id)
		}
		return
	}
	if diff := gocmp.Diff(r.Roster, roster); diff != "" && len(r.Roster)+len(roster) > 0 {
		t.Errorf("%s: the fold is not the roster (-record +fold):\n%s", id, diff)
	}
	if r.Sequence != sequence {
		t.Errorf("%s: the record's sequence is %d, the last event's %d", id, r.Sequence, sequence)
	}
}

// trackedSet gives the ids of the tracked set, sorted.
func trackedSet(t *testing.T, m *ledgertest.Memory) []string {
	t.Helper()
	tracked, err := m.Tracked(t.Context(), "acme")
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, each := range tracked {
		ids = append(ids, each.ConferenceID)
	}
	slices.Sort(ids)
	return ids
}

// wrapped lets a test come between one worker and the ledger.
type wrapped struct {
	*ledgertest.Memory
	mu     sync.Mutex
	commit func(ctx context.Context, msgs []ledger.Message) error // before; nil: nothing
	down   error                                                  // of every operation
}

func (w *wrapped) fail(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.down = err
}

func (w *wrapped) err() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.down
}

func (w *wrapped) intercept(f func(ctx context.Context, msgs []ledger.Message) error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.commit = f
}

func (w *wrapped) Commit(ctx context.Context, msgs []ledger.Message) (uint64, error) {
	w.mu.Lock()
	f := w.commit
	w.mu.Unlock()
	if f != nil {
		if err := f(ctx, msgs); err != nil {
			return 0, err
		}
	}
	if err := w.err(); err != nil {
		return 0, err
	}
	return w.Memory.Commit(ctx, msgs)
}

func (w *wrapped) Heartbeat(ctx context.Context, id string, info []byte, ttl time.Duration) error {
	if err := w.err(); err != nil {
		return err
	}
	return w.Memory.Heartbeat(ctx, id, info, ttl)
}

func (w *wrapped) Load(ctx context.Context, tenant string, ids []string) (map[string]ledger.Stored, error) {
	if err := w.err(); err != nil {
		return nil, err
	}
	return w.Memory.Load(ctx, tenant, ids)
}

func (w *wrapped) Holder(ctx context.Context, tenant string, shard int) (ledger.Claim, error) {
	if err := w.err(); err != nil {
		return ledger.Claim{}, err
	}
	return w.Memory.Holder(ctx, tenant, shard)
}

func (w *wrapped) Claim(ctx context.Context, tenant string, shard int, holder string) (ledger.Claim, error) {
	if err := w.err(); err != nil {
		return ledger.Claim{}, err
	}
	return w.Memory.Claim(ctx, tenant, shard, holder)
}
