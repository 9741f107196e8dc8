package worker

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"rollcall"
	"rollcall/differ"
	"rollcall/internal/ledger"
	"rollcall/internal/streak"
	"rollcall/poller"
	"rollcall/wire"
	"rollcall/worker/backlog"
	"rollcall/worker/freshness"
	"rollcall/worker/ground"
	"rollcall/worker/membership"
)

// Ledger is where records, claims and the tracked set are read, and where
// workers register. Its errors are passing ones: the worker asks again.
type Ledger interface {
	Claim(ctx context.Context, tenant string, shard int, holder string) (ledger.Claim, error)
	Holder(ctx context.Context, tenant string, shard int) (ledger.Claim, error)
	Load(ctx context.Context, tenant string, ids []string) (map[string]ledger.Stored, error)
	LoadAll(ctx context.Context, tenant string) ([]ledger.Stored, error)
	Tracked(ctx context.Context, tenant string) ([]ledger.Tracking, error)
	Tail(ctx context.Context, tenant string, after uint64) (ledger.Tail, error)
	LastEvents(ctx context.Context, tenant string, ids []string) (map[string]ledger.Last, error)
	Position(ctx context.Context) (ledger.Position, error)
	Renew(ctx context.Context) error
	Watching(ctx context.Context, tenant string) (ledger.Watch, error)
	Shards(ctx context.Context, tenants []string) (map[string]ledger.Shards, error)
	SetShards(ctx context.Context, tenant string, count int, by string, expect uint64) (ledger.Shards, error)
	Heartbeat(ctx context.Context, id string, info []byte, ttl time.Duration) error
	Leave(ctx context.Context, id string) error
	Members(ctx context.Context) ([]ledger.Member, error)
}

// Committer stores a batch atomically and returns the stream sequence of its
// first message. Its errors match one of the errors of package ledger.
type Committer interface {
	Commit(ctx context.Context, msgs []ledger.Message) (first uint64, err error)
	PutStatus(ctx context.Context, tenant string, status wire.Status) error
}

// Eraser reads the events of a meeting, or with an empty id of all of a tenant's, and
// erases what is to be forgotten.
type Eraser interface {
	Events(ctx context.Context, tenant, conferenceID string, take func(ledger.Raw)) error
	Erase(ctx context.Context, sequence uint64) error
}

// Asker asks a tenant's source about meetings.
type Asker interface {
	Pass(ctx context.Context, ask poller.Ask) poller.Report
}

// Budget says how many calls a tenant may spend now. Each call takes itself
// out of it, in the poller.
type Budget interface {
	// Allow returns the calls that a pass may begin with, about so many tracked
	// meetings and so many that are only looked after. An error says why there
	// are none, where that is not just the pace.
	Allow(ctx context.Context, tracked, watched int) (calls int, err error)
	// Pace is the time between two calls; 0: it is not known, or there are none.
	Pace() time.Duration
}

// Config is what a worker needs. All fields without a default are required.
type Config struct {
	ID        string // unique among all workers that are alive
	Version   string // of the program, which other workers and the metrics show
	Names     wire.Names
	Ledger    Ledger
	Committer Committer
	Tenants   []Tenant
	Logger    *zap.Logger           // default: none
	Registry  prometheus.Registerer // default: none

	// MemberTTL is how long a worker that is silent counts as alive, and how
	// long cached records are trusted without a sign from the ledger. Default 5 s.
	MemberTTL time.Duration
	// Backlog holds what waits for the ledger, beginning with what an earlier
	// process left: that is processed before anything is asked. Where it is full
	// polling pauses. Default: one in memory alone.
	Backlog *backlog.Backlog
	// Eraser is what [Privacy] and [Tenant.Summaries] need besides.
	Eraser Eraser
	// Overwrite overwrites what NATS has deleted in its files; nil: they are out of reach.
	Overwrite func(ctx context.Context) (messages int, err error)
	// StopTimeout bounds how long a stop waits for what is held. Default 10 s.
	StopTimeout time.Duration
}

// Tenant is one organization whose meetings are watched.
type Tenant struct {
	Name      string
	Schedule  poller.Schedule
	Asker     Asker
	Decode    func(raw []byte) *rollcall.Answer
	BatchSize int // meetings a query. Default: that of the poller
	// Shards is into how many parts the meetings are divided, default 1. The
	// ledger says it to all workers; one that starts with another number changes it.
	Shards      int
	Conferences []string // what the configuration tracks
	// Labels are those of meetings that the configuration names, FoundLabels those
	// of meetings that a list brings, by what stands as their source.
	Labels, FoundLabels map[string]rollcall.Labels
	// MissingAfterPolls is how many misses in a row end a meeting; see [differ.Rules].
	MissingAfterPolls int
	// ExpireUnstarted is after how long a meeting that never started is
	// untracked. 0: never.
	ExpireUnstarted time.Duration
	// Holds is called with how many of the tenant's shards this worker holds,
	// so that they can share a limit for the tenant. It may be nil.
	Holds func(held, shards int)
	// Budget paces the passes; nil: the schedule alone does.
	Budget Budget
	// Hints say which meetings have changed; nil: nobody does.
	Hints *Hints
	// Summaries says that an ended meeting is told about once more, when the list of
	// its members was read.
	Summaries bool
	// Roles says that the list of a meeting that goes on is read when it starts and
	// when somebody joins, at most once a minute, for the roles of those who are there.
	Roles bool
	// OmitNicks keeps the names of people out of records and events.
	OmitNicks bool
	// Pseudonyms keep their ids out of these and of all else that is stored; nil: ids are kept.
	Pseudonyms *rollcall.Pseudonyms
}

func (t *Tenant) rules() differ.Rules {
	return differ.Rules{MissingAfterPolls: t.MissingAfterPolls, OmitNicks: t.OmitNicks, Pseudonyms: t.Pseudonyms}
}

// Worker watches the meetings of its tenants until its context ends.
type Worker struct {
	cfg      Config
	log      *zap.Logger
	metrics  *metrics
	heart    *membership.Heartbeat
	peers    *membership.Peers
	ground   *ground.Ledger
	began    time.Time // when Run was called
	backlog  *backlog.Backlog
	changed  chan struct{}             // a shard was taken or given up, which others are to know
	drafts   sync.Pool                 // of *ledger.Draft, empty
	assigned atomic.Bool               // it is known what belongs to this worker
	turned   atomic.Pointer[time.Time] // when the heartbeat's loop went round last

	replacing sync.Mutex // held while a tenant is replaced
	roster
}

// New makes a worker; nothing runs and nothing is asked before [Worker.Run].
func New(cfg Config) (*Worker, error) {
	if cfg.ID == "" || cfg.Ledger == nil || cfg.Committer == nil {
		return nil, fmt.Errorf("make worker: an id, a ledger and a committer are required")
	}
	cfg = withDefaults(cfg)
	w := &Worker{cfg: cfg, log: cfg.Logger, metrics: newMetrics(), changed: make(chan struct{}, 1)}
	w.begun = make(chan struct{})
	w.drafts.New = func() any { return new(ledger.Draft) }
	w.heart, w.peers = membership.NewHeartbeat(cfg.MemberTTL), membership.NewPeers(cfg.ID, cfg.MemberTTL)
	w.ground = ground.New(cfg.Ledger, w.log, cfg.MemberTTL)
	w.backlog = cfg.Backlog
	trouble := &streak.Log{Logger: w.log, What: "the journal of what waits"}
	w.backlog.Tell(trouble.Note, func(err error) { w.log.Error("the journal is damaged", zap.Error(err)) })
	for _, t := range cfg.Tenants {
		w.tenants = append(w.tenants, newTenant(w, t))
	}
	if err := w.metrics.register(cfg.Registry, freshness.Metric(w.ages), workersMetric{w}); err != nil {
		return nil, fmt.Errorf("make worker: %w", err)
	}
	w.logFound()
	return w, nil
}

// ages are how old what is known of the tenants' meetings is.
func (w *Worker) ages() map[string]*freshness.Ages {
	ages := make(map[string]*freshness.Ages)
	for _, t := range w.all() {
		ages[t.cfg.Name] = t.ages
	}
	return ages
}

// sampleAges takes in how old what is known of this worker's meetings is.
func (w *Worker) sampleAges(now time.Time) {
	for _, s := range w.shards() {
		if s.own.held() != nil {
			states := s.meetings.plan().states
			s.parent.ages.Sample(len(states), func(i int) int64 { return states[i].Since() }, now)
		}
	}
}

func withDefaults(cfg Config) Config {
	if cfg.Logger == nil {
		cfg.Logger = zap.NewNop()
	}
	if cfg.MemberTTL <= 0 {
		cfg.MemberTTL = 5 * time.Second
	}
	if cfg.Backlog == nil {
		cfg.Backlog = backlog.InMemory(0)
	}
	if cfg.StopTimeout <= 0 {
		cfg.StopTimeout = 10 * time.Second
	}
	return cfg
}

// Ledger says what is wrong with the ledger itself: that its stream is gone, or
// that it is another one. nil: nothing is.
func (w *Worker) Ledger() error { return w.ground.Complaint() }

// stir lets others know at once what has become of a shard.
func (w *Worker) stir() {
	select {
	case w.changed <- struct{}{}:
	default:
	}
}

// shards are all that may have something to process.
func (w *Worker) shards() []*shard {
	var all []*shard
	for _, t := range w.all() {
		all = append(append(all, t.shards()...), t.division.left()...)
	}
	return all
}
