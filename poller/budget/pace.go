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
	// debtSpan is how far the calls that an answer makes necessary (the ends of
	// meetings) may run ahead of the pace.
	debtSpan  = time.Hour
	leastDebt = 10
	// findShare is the part of the calls that looking for meetings takes while
	// some are tracked; idleShare, while none is.
	findShare = 0.25
	idleShare = 0.5
)

// pace lets calls out by and by. What looking for meetings may take and what
// asking about them may take is kept apart; both may fall below zero.
type pace struct {
	at          time.Time // until when it has accrued; zero: not begun
	rate        float64   // of the tenant, in calls a second
	mine        float64   // of this worker
	asks, finds float64   // calls that may be made now
	asking      float64   // the part of mine that asks takes
}

// run lets the pace run on until now.
func (p *pace) run(now time.Time, rate, share float64, finding, busy bool) {
	passed := max(now.Sub(p.at).Seconds(), 0)
	if p.at.IsZero() {
		passed = 0
	}
	p.at, p.rate, p.mine = now, rate, rate*share
	find := 0.0
	switch {
	case finding && busy:
		find = findShare
	case finding:
		find = idleShare
	}
	p.asking = 1 - find
	p.asks = p.save(p.asks, passed, p.asking)
	p.finds = p.save(p.finds, passed, find)
}

func (p *pace) save(saved, passed, part float64) float64 {
	if part == 0 {
		return saved
	}
	most := max(1, p.mine*part*saveSpan.Seconds())
	return min(most, saved+p.mine*part*passed)
}

// begin starts with what the account of the month lags behind.
func (p *pace) begin(credit float64) {
	p.asks = min(max(credit, 0), 1)
	p.finds = p.asks
}

// block is how far reservations may run ahead of the tenant's pace.
func (p *pace) block() float64 { return max(1, p.rate*blockSpan.Seconds()) }

// largest is the largest block of this worker.
func (p *pace) largest() int64 { return max(1, int64(p.mine*blockSpan.Seconds())) }

// debt is the same for what cannot wait.
func (p *pace) debt() float64 { return p.block() + max(leastDebt, p.rate*debtSpan.Seconds()) }

// bucket picks what a call is taken out of.
type bucket func(*pace) *float64

func asks(p *pace) *float64  { return &p.asks }
func finds(p *pace) *float64 { return &p.finds }

// between is the time between two calls that ask; 0: there are none.
func (p *pace) between() time.Duration {
	perSecond := p.mine * p.asking
	if perSecond <= 0 {
		return 0
	}
	return time.Duration(min(1/perSecond, 1e6) * float64(time.Second)).Round(100 * time.Millisecond)
}

// accrue lets the pace run on until now, by what is left and how much of the
// month is.
func (b *Budget) accrue(now time.Time, busy bool) {
	b.pace.run(now, b.rate(now, busy), math.Float64frombits(b.share.Load()), b.cfg.Finds, busy)
}

// rate is the tenant's pace in calls a second.
func (b *Budget) rate(now time.Time, busy bool) float64 {
	if b.account == nil {
		return 0
	}
	left := float64(b.cfg.Calls - b.account.Granted + b.held.left())
	weight := b.watch.weights[slotOf(now)]
	if busy {
		weight = max(weight, surprised)
	}
	hours := ahead(b.watch.weights, now, b.held.month.End())
	if left <= 0 || hours <= 0 {
		return 0
	}
	// In the last minutes what is left is not to be spent in one go.
	return left * weight / max(hours, weight/12) / time.Hour.Seconds()
}
