package poller

import (
	"context"
	"sync"
	"time"

	"go.uber.org/zap"
	"golang.org/x/time/rate"

	"rollcall"
	"rollcall/internal/lately"
)

// DefaultBatchSize is how many meetings one query asks about at most.
const DefaultBatchSize = 100

// Poller asks one tenant's source. Each shard is polled by one goroutine at a
// time, several shards may be polled at once: they share the limits and the
// cooldowns. Source is required, the zero value of the rest works. The fields are
// not to be changed after the first use.
type Poller struct {
	Source    Source
	Tenant    string
	Endpoint  string        // where Source is; what is blocked there is not blocked elsewhere
	BatchSize int           // meetings a query; 0: [DefaultBatchSize]
	Limiter   *rate.Limiter // waited for before each call; nil: no limit
	// InFlight is how many queries of a pass may be under way at once; 0: as many
	// as Limiter allows in the time that a query takes.
	InFlight int
	// Egress is shared by all pollers that call from one address; nil: this
	// one calls from an address of its own.
	Egress  *Egress
	Logger  *zap.Logger // nil: silent
	Metrics Metrics
	// Spend is asked before each metered call, with its operation.
	// Its error ends the pass in [StateQuota]. nil: unlimited.
	Spend func(ctx context.Context, op string) error
	// Overheard receives the organization's list whenever a pass has read all
	// of it. It must not wait. nil: nobody listens.
	Overheard func(listed []Listed)

	ownEgress  Egress
	clock      func() time.Time // nil: time.Now
	gateOnce   sync.Once
	lazyGate   *gate // see [Poller.gate]
	quarantine quarantine
	listCost   listCost
	roundTrip  lately.Duration // of a query

	mu     sync.Mutex // guards the map; a shard's state belongs to the goroutine of its pass
	shards map[int]*shardState
}

// The metered operations.
const (
	OpQuery   = "query"
	OpLookup  = "lookup"
	OpOngoing = "ongoing" // of a [Lister], in a pass
	OpMembers = "members" // of a [MemberLister], a page of the list of one meeting
	// The organization's list and that of one user, to find meetings to track.
	OpFind     = "find"
	OpFindUser = "find_user"
)

// Metrics observes what a poller does. Each function may be nil, and is called
// by several goroutines.
type Metrics struct {
	// Called receives each metered call; the class is [ClassNone] when it was
	// answered.
	Called func(op string, class Class, took time.Duration)
	// Held receives each new time until which no call is made, or none of one
	// operation (throttled). A zero time: an operator has ended it.
	Held func(class Class, until time.Time)
	// Passed receives at the end of each pass how many meetings one query asks
	// about at most, and how many wait in quarantine.
	Passed func(batchLimit, quarantined int)
}

// Ask is what a pass is to ask about.
type Ask struct {
	// Shard names the meetings whose answers are remembered together; a negative
	// one is for questions outside the schedule: nothing is remembered.
	Shard int
	IDs   []string
	// Later are meetings of the shard that are asked about another time. What
	// is remembered of them is kept.
	Later []string
	// Lookups are meetings to be looked up one by one, since something suggests
	// that they are over.
	Lookups []string
	// Members are meetings whose members are to be listed, after all else.
	Members []string
	// Next numbers a question. It is called right before the question is asked.
	Next func() rollcall.Number
	// Emit takes an observation. Those of one meeting come in the order of the
	// numbers, others as they are answered. Its context does not end with that of
	// the pass: an answer in hand is not thrown away. An error ends the pass.
	Emit func(ctx context.Context, observation rollcall.Observation) error
	// Late is called where Pass returns before a call is over; what it returns is
	// called when that is, after its last Emit. nil: nobody wants to know.
	Late func() (over func())
}

// Pass asks once about each meeting and emits what is answered. It returns
// soon after the context ends, and does not wait for a call that takes much longer
// than others: what that is answered is emitted later, and its meetings are left
// out of the passes until then.
//
// A sighting without an Answer has the very bytes of the shard's sighting
// before; it shares their memory. Questions that failed yield no observation,
// they stand in the report.
func (p *Poller) Pass(ctx context.Context, ask Ask) Report {
	r := p.begin(ctx, ask)
	r.askAll()
	report := r.finish()
	r.tally = tally{} // what the report holds is not to be changed by a call that is overdue
	r.shard.turn.give()
	if passed := p.Metrics.Passed; passed != nil {
		passed(p.BatchLimit(), len(p.Quarantined()))
	}
	return report
}

// Call makes one metered call outside the passes, such as that for a list,
// under the same limits: it is not made during a cooldown, waits for its turn,
// and is taken out of the budget. Its error is that of the call, or why it was
// not made.
func (p *Poller) Call(ctx context.Context, op string, call func(context.Context) error) error {
	c := p.caller(ctx, newTurn(), &tally{})
	return c.call(op, call)
}

func (p *Poller) caller(ctx context.Context, turn turn, t *tally) caller {
	return caller{turn: turn, ctx: ctx, gate: p.gate(), called: p.called, tally: t}
}

func (p *Poller) called(op string, class Class, took time.Duration) {
	if op == OpQuery && class == ClassNone {
		p.roundTrip.Learn(took)
	}
	if p.Metrics.Called != nil {
		p.Metrics.Called(op, class, took)
	}
}

// Resume ends the tenant's cooldowns, such as that of a used up quota, because
// an operator says so; it returns the class of the one that forbade all calls.
// A blocked address stays blocked.
func (p *Poller) Resume() Class {
	p.listCost.forget()
	was := p.gate().resume()
	if was != ClassNone {
		p.logger().Info("calls are resumed by an operator", zap.Stringer("class", was))
	}
	return was
}

// Quarantined lists the meetings that are refused by themselves, by id, with
// the time at which they are asked about again.
func (p *Poller) Quarantined() []Quarantined { return p.quarantine.list() }

// BatchLimit is how many meetings one query asks about now: BatchSize, or less
// where the vendor was found to refuse as many.
func (p *Poller) BatchLimit() int {
	full := p.BatchSize
	if full <= 0 {
		full = DefaultBatchSize
	}
	return p.gate().batchSize(full)
}

// gate returns what all shards ask before a call.
func (p *Poller) gate() *gate {
	p.gateOnce.Do(func() {
		p.lazyGate = &gate{
			endpoint: p.Endpoint, egress: p.Egress, limiter: p.Limiter,
			spend: p.Spend, held: p.Metrics.Held, clock: p.clock,
		}
		if p.Egress == nil {
			p.lazyGate.egress = &p.ownEgress
		}
		if p.clock == nil {
			p.lazyGate.clock = time.Now
		}
	})
	return p.lazyGate
}

// now reads the clock, with its monotonic part: what lasts a while lasts no
// longer because the clock is set.
func (p *Poller) now() time.Time { return p.gate().clock() }

func (p *Poller) logger() *zap.Logger {
	if p.Logger != nil {
		return p.Logger.With(zap.String("tenant", p.Tenant))
	}
	return zap.NewNop()
}

// shardState returns the state of a shard, which belongs to the caller during a
// pass; a new one for questions outside the schedule.
func (p *Poller) shardState(shard int) *shardState {
	if shard < 0 {
		return newShardState()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.shards[shard] == nil {
		if p.shards == nil {
			p.shards = make(map[int]*shardState)
		}
		p.shards[shard] = newShardState()
	}
	return p.shards[shard]
}
