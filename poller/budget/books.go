package budget

import (
	"maps"
	"time"
)

// books are what this worker knows of the month: its account, what the worker
// holds of it, and the hours of the week over which calls are spread.
type books struct {
	calls   int64    // of the month
	account *account // as last read or written; nil: not yet, this month
	held    holding
	before  Month // in which the process before, on the same disk, has spent calls; "": none is known
	watch   watch
}

// rate is the tenant's pace in calls a second.
func (b *books) rate(now time.Time, busy bool) float64 {
	if b.account == nil {
		return 0
	}
	left := float64(b.calls - b.account.Granted + b.held.left())
	weight := b.watch.weights[slotOf(now)]
	if busy {
		// The weights say how much of an hour meetings take: what is planned for
		// it is spent in that part. Nobody expected this one? It counts as much.
		weight = 1
	}
	return spread(left, weight, ahead(b.watch.weights, now, b.held.month.End()))
}

// owed is how far the tenant's calls are ahead of the plan, as [lean] takes it;
// overdraft is how far they may be.
func (b *books) owed(now time.Time, rate, overdraft float64) float64 {
	if b.account == nil {
		return 0
	}
	since := max(now.Sub(b.account.At.Time).Seconds(), 0)
	behind := b.account.Credit + rate*since + float64(b.held.left())
	if behind > 0 {
		return -behind / max(1, rate*blockSpan.Seconds())
	}
	return -behind / overdraft
}

// overdraft is how far the tenant's reservations may run ahead of the plan.
func (b *books) overdraft(rate float64) float64 {
	return max(leastOverdraft, float64(b.calls)*overdraftPart, rate*blockSpan.Seconds())
}

// planned is how many calls of the month may be granted by now, at most, where
// they are spread over the hours in which meetings are seen.
func (b *books) planned(m Month, now time.Time) float64 {
	all := ahead(b.watch.weights, m.Start(), m.End())
	left := ahead(b.watch.weights, now, m.End())
	if now.After(m.End()) || all <= 0 {
		return float64(b.calls)
	}
	part := max(1-left/all, now.Sub(m.Start()).Hours()/m.End().Sub(m.Start()).Hours())
	return float64(b.calls)*part + max(leastOverdraft, float64(b.calls)*overdraftPart)
}

// reserve grants calls in a copy of the account that is then written.
func (b *books) reserve(a *account, now time.Time, want int64, rate float64) bool {
	a.accrue(now, rate, max(1, rate*blockSpan.Seconds()))
	l := a.leaseOf(b.held.holder, now)
	// More than was confirmed: an answer that was lost.
	want -= max(0, l.Reserved-b.held.reserved)
	l.Reserved = max(l.Reserved, b.held.reserved)
	l.Spent = maps.Clone(b.held.spent)
	return a.grant(b.held.holder, want, b.calls, b.overdraft(rate), now) > 0
}

// keep takes over what the account says of this worker. A reading may be
// older than what was confirmed, but never says too much.
func (b *books) keep(m Month, a *account) {
	if m != b.held.month {
		return
	}
	b.account = a
	if l := a.Leases[b.held.holder]; l != nil {
		b.held.reserved = max(b.held.reserved, l.Reserved)
	}
}
