package poller

import (
	"context"
	"sync"
	"time"

	"go.uber.org/zap"
	"golang.org/x/time/rate"

	"rollcall"
)

// DefaultBatchSize is how many meetings one query asks about at most.
const DefaultBatchSize = 100

// Poller asks one tenant's source. Each shard is polled by one goroutine at a
// time, several shards may be polled at once: they share the limiter and what
// holds the tenant back. Source is required, the zero value of the rest works.
type Poller struct {
	Source    Source
	Tenant    string
	Endpoint  string        // where Source is; what is blocked there is not blocked elsewhere
	BatchSize int           // meetings a query; 0: [DefaultBatchSize]
	Limiter   *rate.Limiter // waited for before each call; nil: no limit
	// Egress is shared by all pollers that call from one address; nil: this
	// one calls from an address of its own.
	Egress  *Egress
	Logger  *zap.Logger // nil: silent
	Metrics Metrics
	// Spend is asked before each metered call, with its operation.
	// Its error ends the pass in [StateQuota]. nil: unlimited.
	Spend func(ctx context.Context, op string) error
	// Overheard is given the organization's list whenever a pass has read all
	// of it. It must not wait. It may be nil.
	Overheard func(listed []Listed)

	own     Egress
	allowed allowance        // of Limiter
	clock   func() time.Time // nil: time.Now

	mu         sync.Mutex // guards what follows; the desks themselves belong to their shard's goroutine
	desks      map[int]*desk
	hold       hold
	throttles  map[string]*hold // by operation
	quarantine quarantine
	limit      batchLimit
	overview   overview
}

// The metered operations.
const (
	OpQuery   = "query"
	OpLookup  = "lookup"
	OpOngoing = "ongoing" // of a [Lister], in a pass
	// The organization's list and that of one user, to find meetings to track.
	OpFind     = "find"
	OpFindUser = "find_user"
)

// Metrics are told what a poller does. Each may be nil, and is called by
// several goroutines.
type Metrics struct {
	// Called is told of each metered call; the class is [ClassNone] when it
	// was answered.
	Called func(op string, class Class, took time.Duration)
	// Held is told of each new time until which no call is made, or none of one
	// operation (throttled). A zero time: an operator has ended it.
	Held func(class Class, until time.Time)
	// Passed is told at the end of each pass how many meetings one query asks
	// about at most, and how many wait in quarantine.
	Passed func(batchLimit, quarantined int)
}

// Ask is what a pass is to ask about.
type Ask struct {
	// Shard tells whose answers are remembered together; a negative one is for
	// questions outside the schedule, of which nothing is.
	Shard int
	IDs   []string
	// Later are meetings of the shard that are asked about another time. What
	// is remembered of them is kept.
	Later []string
	// Lookups are meetings to be looked up one by one, since something tells
	// that they are over.
	Lookups []string
	// Next numbers a question. It is called right before the question is asked.
	Next func() rollcall.Number
	// Emit takes an observation, in the order of the numbers. Its context
	// does not end with that of the pass: an answer in hand is not thrown
	// away. An error ends the pass.
	Emit func(ctx context.Context, observation rollcall.Observation) error
}

// Pass asks once about each meeting and emits what is answered. It returns
// soon after the context ends.
//
// A sighting without an Answer has the very bytes of the shard's sighting
// before; it shares their memory. Questions that failed yield no observation,
// they stand in the report.
func (p *Poller) Pass(ctx context.Context, ask Ask) Report {
	r := p.begin(ctx, ask)
	r.askAll()
	report := r.finish()
	if passed := p.Metrics.Passed; passed != nil {
		passed(p.BatchLimit(), len(p.Quarantined()))
	}
	return report
}

// Forget drops what is remembered of a shard's answers: the next pass decodes
// everything. It is not to be called during a pass of that shard.
func (p *Poller) Forget(shard int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.desks, shard)
	p.quarantine.keep(shard, nil)
}

// Resume ends what holds the tenant back, such as a used up quota, because an
// operator says so; it gives what did. A blocked address stays blocked.
func (p *Poller) Resume() Class {
	was := p.resume(p.now())
	if was != ClassNone {
		p.tellHeld(was, time.Time{})
		p.logger().Info("calls are made again: an operator says so", zap.Stringer("class", was))
	}
	return was
}

func (p *Poller) resume(now time.Time) (was Class) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.hold.active(now) {
		was = p.hold.class
	}
	p.hold, p.throttles, p.overview = hold{}, nil, overview{}
	return was
}

// Quarantined lists the meetings that are refused by themselves, by id, with
// the time at which they are asked about again.
func (p *Poller) Quarantined() []Quarantined {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.quarantine.list()
}

// BatchLimit is how many meetings one query asks about now: BatchSize, or less
// where the vendor was found to refuse as many.
func (p *Poller) BatchLimit() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	full := p.BatchSize
	if full <= 0 {
		full = DefaultBatchSize
	}
	return p.limit.now(p.now(), full)
}

func (p *Poller) egress() *Egress {
	if p.Egress != nil {
		return p.Egress
	}
	return &p.own
}

func (p *Poller) logger() *zap.Logger {
	if p.Logger != nil {
		return p.Logger.With(zap.String("tenant", p.Tenant))
	}
	return zap.NewNop()
}

// deskOf gives the desk of a shard, which belongs to the caller during a pass.
func (p *Poller) deskOf(shard int) *desk {
	if shard < 0 {
		return newDesk()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.desks[shard] == nil {
		if p.desks == nil {
			p.desks = make(map[int]*desk)
		}
		p.desks[shard] = newDesk()
	}
	return p.desks[shard]
}
