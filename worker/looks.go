package worker

import (
	"slices"
	"sync"
	"time"

	"rollcall/internal/ledger"
)

// looks is when the last pass over each shard of a tenant began that learned
// anything. What a worker has said that is gone stands until another one holds its
// shard. Any goroutine may use it.
type looks struct {
	mu sync.Mutex  // guards at
	at []time.Time // by shard; zero: nobody has looked yet, or nothing is tracked
}

// learn takes what the ledger says about so many shards.
func (l *looks) learn(said *ledger.Watch, of int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.divide(of)
	for n := range l.at {
		l.at[n] = later(l.at[n], said.LookedAt(n, of))
	}
}

// note takes what its holder says about a shard, one of so many.
func (l *looks) note(shard, of, tracked int, at time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.divide(of)
	switch {
	case shard >= of:
	case tracked == 0:
		l.at[shard] = time.Time{}
	default:
		l.at[shard] = later(l.at[shard], at)
	}
}

func (l *looks) divide(of int) {
	if len(l.at) != of {
		l.at = make([]time.Time, of)
	}
}

func (l *looks) all() []time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.at)
}
