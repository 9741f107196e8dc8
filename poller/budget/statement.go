package budget

import (
	"fmt"
	"maps"
	"time"
)

// Statement is how a tenant's month stands, as the ledger has it.
type Statement struct {
	Month Month
	Limit int64 // the calls of the month; 0: nobody has reserved any yet
	// Spent are the calls that workers have reported, by operation. A running
	// worker reports with its next reservation, and when it stops.
	Spent map[string]int64
	// Reserved are the calls that workers took to spend them, and have not
	// reported yet. Those of a worker that crashed without its disk stay here.
	Reserved int64
	Left     int64 // neither spent nor reserved
	// Pace is the time between two calls about tracked meetings, of all workers
	// together, that is allowed while meetings go on; 0: none, as in a month
	// that is not the present one.
	Pace time.Duration
}

// HoursKey is the ledger's key of the hours in which a tenant's meetings were
// seen. The account of a month is under the month's own name.
const HoursKey = hoursKey

// ReadStatement reads the account of a month and the hours of the tenant, as
// the ledger has them (empty: never written), as of now.
func ReadStatement(m Month, accounted, learned []byte, now time.Time) (Statement, error) {
	a, err := decodeAccount(accounted)
	if err != nil {
		return Statement{}, err
	}
	h, err := decodeHours(learned)
	if err != nil {
		return Statement{}, err
	}
	if m.Start().IsZero() {
		return Statement{}, fmt.Errorf("read the account of %q: that is no month; write for example 2026-11", string(m))
	}
	s := Statement{Month: m, Limit: a.Limit, Spent: a.spent(), Left: max(0, a.Limit-a.Granted)}
	s.Reserved = max(0, a.Granted-sum(s.Spent))
	if MonthOf(now) == m {
		s.Pace = a.paceOf(holding{month: m, reserved: s.Reserved}, h, now)
	}
	return s, nil
}

// Total is how many calls are spent.
func (s Statement) Total() int64 { return sum(s.Spent) }

// spent returns the calls of all workers, by operation.
func (a *account) spent() map[string]int64 {
	all := maps.Clone(a.Spent)
	for _, l := range a.Leases {
		for op, n := range l.Spent {
			all[op] += n
		}
	}
	return all
}

// paceOf is the pace of one worker that holds all that is reserved.
func (a *account) paceOf(held holding, h *hours, now time.Time) time.Duration {
	b := books{calls: a.Limit, account: a, held: held, watch: watch{weights: h.weights()}}
	rate := b.rate(now, true)
	return inBalance(rate, b.owed(now, rate, b.overdraft(rate)), a.Finds)
}
