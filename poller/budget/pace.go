package budget

import (
	"math"
	"time"
)

const (
	// blockSpan is how much of a worker's pace one reservation covers at most:
	// for so long it can go on without the ledger.
	blockSpan = 15 * time.Minute
	// saveSpan is how much of the pace can be saved up while nothing is asked.
	saveSpan = 5 * time.Minute
	// A tenant may run ahead of the plan by the part overdraftPart of its calls, that
	// is half a day of them, and always by leastOverdraft: a busy hour is asked about
	// though nobody expected it, and the following ones pay for it.
	overdraftPart  = 1.0 / 60
	leastOverdraft = 10
	// slowest is the part of the pace that is left once all of that is owed.
	slowest = 0.25
	// fastest is the same once a quarter of an hour lags behind the plan.
	fastest = 1.5
	// FindShare is the part of the calls that looking for meetings takes at most
	// while some are tracked; idleShare, while none is.
	FindShare = 0.3
	idleShare = 0.3
	// pushedShare is the same while DingTalk pushes what the lists would tell.
	pushedShare = 0.03
	// mostOverdraft is how many calls a long list can keep the next from being read.
	mostOverdraft = 5
	// recent is over how many calls the share of the unplanned ones is taken.
	recent = 500
)

// bucket is what may be spent on one purpose.
type bucket struct {
	saved   float64 // calls
	allowed int64   // of these, what a pass was allowed to begin with
}

// pace lets calls out gradually: some for asking about tracked meetings, some
// for looking for others. A pass may need more calls than it began with, since
// meetings have ended; these are not held against the next pass, which would
// come late for it, but have a share of their own, as large as it lately was.
type pace struct {
	at          time.Time // until when it has accrued; zero: not begun
	rate        float64   // of the tenant, in calls a second
	mine        float64   // of this worker
	asks, finds bucket
	pushed      bool    // DingTalk tells of new meetings
	perAsk      float64 // what asks accrues, in calls a second

	planned, unplanned float64 // calls lately
}

// lean is by what factor the pace differs from the plan while the tenant is
// ahead of it (owed up to 1, as a part of how far it may be) or behind (down to -1).
func lean(owed float64) float64 {
	if owed > 0 {
		return 1 - (1-slowest)*min(owed, 1)
	}
	return 1 + (fastest-1)*min(-owed, 1)
}

// run lets the pace run on until now; owed is as in [lean].
func (p *pace) run(now time.Time, rate, share, owed float64, finding, busy bool) {
	passed := max(now.Sub(p.at).Seconds(), 0)
	if p.at.IsZero() {
		passed = 0
	}
	p.at, p.rate, p.mine = now, rate, rate*share
	find := 0.0
	switch {
	case finding && p.pushed:
		find = pushedShare
	case finding && busy:
		find = FindShare
	case finding:
		find = idleShare
	}
	mine := p.mine * (1 - p.extra()) * lean(owed)
	p.perAsk = mine * (1 - find)
	p.asks.save(passed, p.perAsk)
	p.finds.save(passed, mine*find)
}

// save adds what has accrued. Two calls fit in any bucket: what accrues between
// the first and the next tick of the schedule is not lost.
func (p *bucket) save(passed, perSecond float64) {
	if perSecond > 0 {
		p.saved = min(max(2, perSecond*saveSpan.Seconds()), p.saved+perSecond*passed)
	}
}

// begin starts with what the account of the month lags behind.
func (p *pace) begin(credit float64) {
	p.asks.saved = min(max(credit, 0), 1)
	p.finds.saved = p.asks.saved
	p.planned, p.unplanned = 90, 10
}

// took counts a call. Looking for meetings pays for all of its calls, and may
// owe so many (below zero) for a list of many pages.
func (p *pace) took(from *bucket, overdraft float64) {
	if from.allowed > 0 || from == &p.finds {
		from.allowed = max(from.allowed-1, 0)
		from.saved = max(from.saved-1, min(from.saved, overdraft))
		p.planned++
	} else {
		p.unplanned++
	}
	if p.planned+p.unplanned > recent {
		p.planned, p.unplanned = p.planned/2, p.unplanned/2
	}
}

// extra is the part of the calls that no pass began with.
func (p *pace) extra() float64 {
	if p.unplanned == 0 {
		return 0
	}
	return min(p.unplanned/(p.planned+p.unplanned), 0.8)
}

// largest is the largest block of this worker.
func (p *pace) largest() int64 { return max(1, int64(p.mine*blockSpan.Seconds())) }

// purpose picks what a call is taken out of.
type purpose func(*pace) *bucket

func asks(p *pace) *bucket  { return &p.asks }
func finds(p *pace) *bucket { return &p.finds }

// between is the time between two passes; 0: there are none.
func (p *pace) between() time.Duration {
	if p.perAsk <= 0 {
		return 0
	}
	// Rounded to nothing it would say that there are none.
	return max(time.Millisecond, time.Duration(min(1/p.perAsk, 1e6)*float64(time.Second)).Round(time.Millisecond))
}

// accrue lets the pace run on until now, by what is left and how much of the
// month is.
func (b *Budget) accrue(now time.Time, busy bool) {
	rate := b.books.rate(now, busy)
	share := math.Float64frombits(b.share.Load())
	b.pace.pushed = b.cfg.Pushed != nil && b.cfg.Pushed()
	b.pace.run(now, rate, share, b.books.owed(now, rate, b.books.overdraft(b.pace.rate)), b.cfg.Finds, busy)
}

// spread returns the pace, in calls a second, of an hour with this weight, where
// what is left is to last for so many hours by their weights.
func spread(left, weight, hours float64) float64 {
	if left <= 0 || hours <= 0 {
		return 0
	}
	// An hour more than there is: the last meetings end, too.
	return left * weight / (hours + 1) / time.Hour.Seconds()
}
