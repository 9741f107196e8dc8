package worker

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.uber.org/zap"

	"rollcall/internal/streak"
	"rollcall/internal/tracing"
	"rollcall/poller"
	"rollcall/wire"
	"rollcall/worker/freshness"
	"rollcall/worker/membership"
)

// tenant is one organization: its schedule and its shards.
type tenant struct {
	w        *Worker
	cfg      Tenant
	log      *zap.Logger
	named    map[string]bool // the configuration's conferences
	kick     chan struct{}   // a pass is wanted before the next tick
	ages     *freshness.Ages
	statuses *statuses
	looks    looks

	ended        atomic.Pointer[time.Time] // when the last pass was over
	readings     *readings
	division     divided
	turns        turns
	busy         busy        // how the last pass went, for what is asked continuously
	holding      sync.Mutex  // held while Holds is called
	paused       atomic.Bool // polling pauses because too much waits
	first        int         // the shard that the next pass begins with; belongs to the pass
	budgetErrors streak.Log  // belongs to the pass

	stop       context.CancelFunc // ends the asking
	asking     sync.WaitGroup     // the loop of the passes
	processing sync.WaitGroup     // the shards' goroutines
	spawn      func(*shard)       // starts one of them
	created    time.Time
	anew       sync.Once // it was logged that meetings begin new epochs, as names are omitted
}

func newTenant(w *Worker, cfg Tenant) *tenant {
	cfg.Shards = max(cfg.Shards, 1)
	if cfg.Hints == nil {
		cfg.Hints = NewHints()
	}
	t := &tenant{
		w: w, cfg: cfg, log: w.log.With(zap.String("tenant", cfg.Name)),
		named: make(map[string]bool, len(cfg.Conferences)),
		kick:  make(chan struct{}, 1), turns: newTurns(), ages: freshness.New(), created: time.Now(),
	}
	w.metrics.begin(cfg.Name)
	t.budgetErrors = streak.Log{Logger: t.log, What: "asking within the budget of calls"}
	t.statuses = newStatuses(w.cfg.Committer, cfg.Name, t.log, t.holds)
	t.division.count = membership.ShardCount{Tenant: cfg.Name, Configured: cfg.Shards, By: w.cfg.ID}
	t.readings = newReadings(w.cfg.Ledger, cfg.Name)
	for _, id := range cfg.Conferences {
		t.named[id] = true
	}
	t.division.now.Store(&division{shards: t.newShards(cfg.Shards)})
	t.cfg.Hints.serve(func(id string) bool { return tracks(t.shards(), id) })
	return t
}

// run asks at every tick, and at once when a shard has come to this worker.
func (t *tenant) run(ctx context.Context) {
	var others sync.WaitGroup
	others.Go(func() { t.statuses.publish(ctx) })
	others.Go(func() { t.keepHurrying(ctx) })
	others.Go(func() { t.cfg.Hints.follow(ctx, func(ctx context.Context) { t.pass(ctx, true) }) })
	defer others.Wait()
	loop := poller.Loop{
		Schedule: t.cfg.Schedule,
		Pass:     func(ctx context.Context, _ time.Time) { t.pass(ctx, false) },
		Missed:   func(n int) { t.w.metrics.missedTicks.WithLabelValues(t.cfg.Name).Add(float64(n)) },
	}
	if t.cfg.Schedule.Continuous() {
		loop.Again = t.busy.again
	}
	if err := loop.Run(ctx); err != nil && ctx.Err() == nil {
		t.log.Error("polling stopped: the schedule has ended", zap.Error(err))
	}
}

// hurry asks for a pass before the next tick.
func (t *tenant) hurry() {
	select {
	case t.kick <- struct{}{}:
	default:
	}
}

func (t *tenant) keepHurrying(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.kick:
			t.pass(ctx, false)
		}
	}
}

// pass asks once about every shard that this worker holds; for hints alone, about
// those that these are about, with no more calls than they need. Passes of a tenant
// come one after the other.
func (t *tenant) pass(ctx context.Context, hintsAlone bool) {
	if !t.turns.begin(ctx) {
		return
	}
	defer t.turns.finish()
	t.w.waitForLoad(ctx)
	t.busy.reset()
	if t.tooMuchWaits() {
		return
	}
	calls, ok := t.allowedCalls(ctx)
	if !ok {
		t.tellAlone(ctx)
		return
	}
	ctx, span := tracing.Start(ctx, "tick", attribute.String("rollcall.tenant", t.cfg.Name))
	defer span.End()
	var merged poller.Report
	began, asked, answered := time.Now(), false, 0
	for _, s := range t.rotated() {
		l, most := s.own.held(), calls
		if hintsAlone {
			most = min(calls, t.cfg.costs(len(s.polling.hinted())))
		}
		if l == nil || ctx.Err() != nil || s.polling.skips(most) || hintsAlone && most <= 0 {
			continue
		}
		report, done := s.polling.pass(ctx, l, most)
		if !done {
			continue
		}
		calls -= t.cfg.costs(report.Asked)
		answered += report.Answered
		if !asked || worse(merged.State, report.State) != merged.State {
			merged = report
		}
		asked = true
	}
	t.busy.note(began, answered, merged.State)
	if asked && ctx.Err() == nil {
		t.passed(merged)
	}
}

// tellAlone tells what takes no call where there is none.
func (t *tenant) tellAlone(ctx context.Context) {
	for _, s := range t.shards() {
		if l := s.own.held(); l != nil && ctx.Err() == nil {
			_, alone := s.polling.lists.due(time.Now(), 0)
			s.polling.tellAlone(ctx, l, alone)
		}
	}
}

func (t *tenant) passed(report poller.Report) {
	now := time.Now()
	t.ended.Store(&now)
	t.w.metrics.passes.WithLabelValues(t.cfg.Name, report.State).Inc()
	t.statuses.put(t.status(report.State))
}

func (t *tenant) status(state string) wire.Status {
	own, _ := t.sizes()
	aside := len(t.aside())
	t.w.metrics.tracked.WithLabelValues(t.cfg.Name).Set(float64(own))
	t.w.metrics.aside.WithLabelValues(t.cfg.Name).Set(float64(aside))
	for _, held := range t.others() {
		state = worse(state, held.State)
	}
	t.noteLooks()
	return wire.Status{
		Tenant: t.cfg.Name, State: state, LastGoodPoll: t.lastGood(),
		LastPass: instant(&t.ended), Pace: t.pace(), Tracked: t.tracks(), SetAside: aside, At: time.Now(),
		Shards: t.looks.all(),
	}
}

// noteLooks takes what the holders of the tenant's shards say.
func (t *tenant) noteLooks() {
	shards := t.shards()
	for _, held := range t.others() {
		if held.Of == len(shards) {
			t.looks.note(held.Shard, held.Of, held.Tracked, held.LookedAt)
		}
	}
	for _, s := range shards {
		if s.own.held() != nil {
			t.looks.note(s.number, s.of, len(s.meetings.plan().ids), s.watch.lookedAt())
		}
	}
}

// lastGood is when that shard of the tenant was last looked at that does worst,
// as all workers say; zero: some shard never was.
func (t *tenant) lastGood() time.Time {
	var all []time.Time
	for _, held := range t.others() {
		all = append(all, held.LastGood)
	}
	for _, s := range t.held() {
		all = append(all, s.polling.lastGood())
	}
	return earliest(all)
}

// others are the tenant's shards that other workers hold, as they say.
func (t *tenant) others() []membership.Held { return t.w.peers.Held(t.cfg.Name) }

// earliest is the first of these instants; zero: there is none.
func earliest(all []time.Time) time.Time {
	if len(all) == 0 {
		return time.Time{}
	}
	return slices.MinFunc(all, time.Time.Compare)
}

// tracks is how many meetings of the tenant are tracked, by all workers.
func (t *tenant) tracks() (n int) {
	for _, held := range t.others() {
		n += held.Tracked
	}
	for _, s := range t.shards() {
		n += len(s.meetings.plan().ids)
	}
	return n
}

func instant(at *atomic.Pointer[time.Time]) time.Time {
	if at := at.Load(); at != nil {
		return *at
	}
	return time.Time{}
}

// publishAway says that this worker no longer looks, where it held anything.
func (t *tenant) publishAway(ctx context.Context) {
	if len(t.others()) > 0 || !t.holds() {
		return // they look, and say so
	}
	if err := t.w.cfg.Committer.PutStatus(ctx, t.cfg.Name, t.status(poller.StateAway)); err != nil {
		t.log.Warn("publishing the last status failed", zap.Error(err))
	}
}

// aside is which meetings of the shards that this worker holds are set aside.
func (t *tenant) aside() (ids []string) {
	for _, s := range t.held() {
		ids = append(ids, s.meetings.plan().aside...)
	}
	return ids
}

// reportHeld says how many of the tenant's shards this worker holds.
func (t *tenant) reportHeld() {
	t.holding.Lock()
	defer t.holding.Unlock()
	if t.cfg.Holds == nil {
		return
	}
	t.cfg.Holds(len(t.held()), len(t.shards()))
}

func (t *tenant) logOmission() {
	t.anew.Do(func() {
		what := "the names of people are omitted"
		if t.cfg.Pseudonyms != nil {
			what = "the ids of people are replaced by pseudonyms"
		}
		t.log.Info(what + " from now on: each meeting whose record shows what is not to be kept begins a new epoch, " +
			"told from the beginning; earlier events keep it until the retention is over")
	})
}
